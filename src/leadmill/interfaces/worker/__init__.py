"""The worker: the process that works the durable jobs and the housekeeping."""
