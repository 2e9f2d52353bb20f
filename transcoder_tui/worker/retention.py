"""Deletes old files of a series of recordings, and never anything else."""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from transcoder_tui.ffmpeg.recording import Recording

FRESH_S = 5.0
"""Seconds since its last change for which a file counts as being written, whatever its name says: after the clock was
set back, that is not the newest."""


@dataclass(frozen=True, slots=True)
class _File:
    name: str
    size: int
    changed: float


def newest(recording: Recording) -> str | None:
    """Name of the newest file of a series; None where there is none.

    Raises:
        OSError: Where its directory cannot be read.
    """
    with _directory(recording) as directory:
        return max((file.name for file in _files(recording, directory)), default=None)


def prune(recording: Recording, now: float) -> list[str]:
    """Deletes what is older or more than the output keeps, the oldest first, and files that stayed empty.

    The file that is being written is never deleted, nor a link, nor what lies behind one.

    Args:
        recording: The series.
        now: Seconds since the epoch.

    Returns:
        The names of what was deleted.

    Raises:
        OSError: Where its directory cannot be read or written.
    """
    deleted = []
    with _directory(recording) as directory:
        # Their names tell when they begin, in UTC.
        files = sorted(_files(recording, directory), key=lambda file: file.name)
        total = sum(file.size for file in files)
        keep_for, keep_size = recording.output.keep_for, recording.output.keep_size
        for file in files[:-1]:
            age = now - file.changed
            if 0 <= age < FRESH_S:
                continue
            too_old = keep_for is not None and age > keep_for
            too_much = keep_size is not None and total > keep_size
            if too_old or too_much or not file.size:
                os.unlink(file.name, dir_fd=directory)
                total -= file.size
                deleted.append(file.name)
    return deleted


@contextmanager
def _directory(recording: Recording) -> Iterator[int]:
    """The directory, held open: what is found in it and what is deleted is the same, whatever becomes of its path."""
    descriptor = os.open(recording.path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def _files(recording: Recording, directory: int) -> Iterator[_File]:
    with os.scandir(directory) as entries:
        for entry in entries:
            if not recording.owns(entry.name):
                continue
            try:
                seen = entry.stat(follow_symlinks=False)
            except FileNotFoundError:
                continue
            if stat.S_ISREG(seen.st_mode):
                yield _File(entry.name, seen.st_size, seen.st_mtime)
