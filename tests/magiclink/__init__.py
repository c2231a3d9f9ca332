"""Signing in with a link; `browsers` keep cookies, and open what arrives by mail."""
