"""Requests of one sender that are done in one transaction."""
