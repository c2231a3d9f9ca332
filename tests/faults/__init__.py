"""What may break, and does here: processes, servers, disks, connections."""
