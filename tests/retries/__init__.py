"""Requests that are sent again, on a condition, or only to try."""
