"""Stripe as a billing provider, step by step and in random histories."""
