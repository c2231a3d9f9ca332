"""Import and export, on each storage."""
