"""Tables, statements, tenant-scoped transactions and migrations."""
