"""The client against served processes."""
