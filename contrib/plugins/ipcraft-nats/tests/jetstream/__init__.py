"""The plugin against a real NATS server."""
