"""Keeps a rack of live FFmpeg channels on air, and gives their operators a terminal console."""

__version__ = "0.1.0"
