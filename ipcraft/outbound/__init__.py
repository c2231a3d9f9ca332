"""Connections to the outside: where they may lead, and how long and how much we listen."""
