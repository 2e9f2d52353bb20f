"""The terminal console: a client of the worker and nothing else."""
