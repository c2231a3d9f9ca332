"""Changes and the rows they leave behind in their own transaction."""
