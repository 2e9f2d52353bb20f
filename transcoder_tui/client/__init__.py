"""The one client of the worker's API, used by console and command line alike."""
