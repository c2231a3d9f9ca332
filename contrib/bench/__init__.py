"""Measure what IPCraft must reach, next to the limit of the machine it runs on."""
