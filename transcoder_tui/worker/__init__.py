"""Keeps channels on air: keeper, supervisor, runs, processes, watchdog, retry, logs."""
