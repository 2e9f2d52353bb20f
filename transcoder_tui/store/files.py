"""The files of a database, and how they are put in place so that a crash finds the old ones or the new ones."""

import os
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeAlias

FILE_MODE = 0o640
"""Of the database and its copies, which hold stream keys and passphrases."""
FOLDER_MODE = 0o750
"""Of directories that the store creates."""

Inode: TypeAlias = tuple[int, int]
"""Device and number: which file a name leads to."""

SUFFIXES = ("", "-wal", "-shm")
"""The files that SQLite needs together in WAL mode."""


def make_private(path: Path) -> None:
    """Makes an empty file that only the worker and its group can read; SQLite would make it readable for everybody.

    Raises:
        FileExistsError: Where there is such a file.
    """
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))


def beside(path: Path, suffix: str) -> Path:
    """The file that has the database's name and a suffix."""
    return path.with_name(path.name + suffix)


def remove(path: Path) -> None:
    """Removes a database that nobody uses."""
    for suffix in (*SUFFIXES, "-journal"):
        beside(path, suffix).unlink(missing_ok=True)


def identity(path: Path) -> tuple[Inode | None, ...]:
    """Which files the database's names lead to; another one or None after somebody replaced or deleted one."""
    return tuple(_inode(beside(path, suffix)) for suffix in SUFFIXES)


def name_aside(path: Path, word: str) -> Path:
    """A new name for a database that cannot be used, with what is the matter with it."""
    return beside(path, f".{word}.{datetime.now(UTC):%Y%m%dT%H%M%S%fZ}")


def set_aside(path: Path, aside: Path, staying: Sequence[Inode | None] = ()) -> None:
    """Renames a database and what belongs to it, if it is there; nothing is ever deleted.

    Args:
        path: The database.
        aside: Its new name.
        staying: Files that are left as they are.
    """
    for suffix, inode in zip(SUFFIXES, identity(path), strict=True):
        if inode is not None and inode not in staying:
            beside(path, suffix).rename(beside(aside, suffix))


def put_in_place(new: Path, path: Path) -> None:
    """Gives a finished file its name, safely on disk."""
    with new.open("rb") as file:
        os.fsync(file.fileno())
    new.replace(path)
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Makes renames in a directory last."""
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _inode(path: Path) -> Inode | None:
    with suppress(OSError):
        status = path.stat()
        return status.st_dev, status.st_ino
    return None
