"""The chat's plugin, with a chat on a loopback port."""
