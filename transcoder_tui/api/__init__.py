"""The worker's API: thin routes over the supervisor and the store."""
