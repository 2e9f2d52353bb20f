"""Lock files: the flock(2) that says who keeps a run directory, and who works in it. Standard library only."""

import fcntl
import os
from pathlib import Path

MODE = 0o640
"""Of a lock file."""


def take(path: Path) -> int | None:
    """Takes a lock, without waiting for it.

    Returns:
        The descriptor that holds it, which no child inherits; None where somebody else holds it.

    Raises:
        OSError: Where the file cannot be opened.
    """
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW, MODE)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    return descriptor


def holder(path: Path) -> int | None:
    """The pid of the process that took the lock, as the kernel lists it: /proc/locks, proc(5).

    Returns:
        None where nobody holds it, or somebody who cannot be seen from this container.
    """
    try:
        inode = str(path.stat().st_ino)
        locks = [line.split() for line in Path("/proc/locks").read_text().splitlines()]
    except OSError:
        return None
    held = [int(lock[4]) for lock in locks if lock[1] == "FLOCK" and lock[5].rpartition(":")[2] == inode]
    return next((pid for pid in held if pid > 0), None)
