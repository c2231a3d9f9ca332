"""Work that is done beside the requests: named jobs, the queues that carry them, schedules."""
