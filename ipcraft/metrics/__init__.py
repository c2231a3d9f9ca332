"""Metrics: what the processes count and measure, and the numbers that are read when asked for."""
