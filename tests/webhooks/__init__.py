"""Webhooks: subscriptions, signatures, deliveries."""
