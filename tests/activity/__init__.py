"""The activity log, and the events in their order."""
