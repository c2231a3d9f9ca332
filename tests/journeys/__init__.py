"""Whole ways through the system, with every server it can have around it."""
