"""Walls between organizations, route by route."""
