"""Puts what SQLite and the file system complain of into an operator's words."""

import sqlite3
from pathlib import Path

from sqlalchemy.exc import DBAPIError

from transcoder_tui.errors import StoreUnavailable

_WORDS: dict[int, tuple[str, str]] = {
    sqlite3.SQLITE_FULL: (
        "the disk is full: nothing can be written to {path}",
        "free some space on the disk of {folder}; orders are accepted again as soon as there is room",
    ),
    sqlite3.SQLITE_READONLY: (
        "the database {path} is read-only",
        "see that its disk is not mounted read-only and that the worker's user may write in {folder}",
    ),
    sqlite3.SQLITE_BUSY: (
        "another program holds the database {path} locked",
        "end that program (fuser {path}); only the worker opens this file",
    ),
    sqlite3.SQLITE_LOCKED: (
        "another program holds the database {path} locked",
        "end that program (fuser {path}); only the worker opens this file",
    ),
    sqlite3.SQLITE_CORRUPT: (
        "the database {path} is damaged",
        "stop the worker (channels stay on air), move {path}* aside, put a copy in its place and start the worker",
    ),
    sqlite3.SQLITE_NOTADB: (
        "{path} is no SQLite database",
        "stop the worker (channels stay on air), move {path}* aside, put a copy in its place and start the worker",
    ),
    sqlite3.SQLITE_CANTOPEN: (
        "the database {path} cannot be opened",
        "see that the worker's user may read and write in {folder} and that its disk is not mounted read-only",
    ),
    sqlite3.SQLITE_PERM: (
        "the worker may not open the database {path}",
        "see that the worker's user may read and write in {folder}",
    ),
    sqlite3.SQLITE_IOERR: (
        "the disk of {path} does not read or write",
        "look for disk errors in the kernel's log (dmesg)",
    ),
}
"""By primary result code, https://www.sqlite.org/rescode.html."""


_PASSING = (sqlite3.SQLITE_FULL, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


def is_passing(error: Exception) -> bool:
    """Whether the open connection can be used on: a full disk still serves reads, but may not let a file be opened."""
    return _code(error) in _PASSING


def unavailable(error: Exception, path: Path) -> StoreUnavailable:
    """The error that an operator sees.

    Args:
        error: What SQLAlchemy, SQLite or the file system raised.
        path: The database.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, OSError):
        return StoreUnavailable(
            f"the database {path} cannot be opened: {cause.strerror or cause}",
            f"see that {path.parent} is a directory in which the worker's user may read and write",
        )
    fault, remedy = _WORDS.get(_code(error), ("the database {path} answers: {cause}", "look into the worker's log"))
    words = {"path": path, "folder": path.parent, "cause": cause}
    return StoreUnavailable(fault.format(**words), remedy.format(**words))


def _code(error: Exception) -> int:
    """SQLite's primary result code: the low byte; the rest tells sorts apart that need no other remedy."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return int(getattr(cause, "sqlite_errorcode", 0)) & 0xFF
