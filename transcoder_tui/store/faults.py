"""Puts what SQLite and the file system complain of into an operator's words."""

import errno
import os
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
        "look for disk errors in the kernel's log (dmesg); the worker puts the newest copy in its place by itself",
    ),
    sqlite3.SQLITE_NOTADB: (
        "{path} is no SQLite database",
        "see what writes to this file; the worker puts the newest copy in its place by itself",
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
_DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_OURS = (sqlite3.SQLITE_CONSTRAINT, sqlite3.SQLITE_TOOBIG, sqlite3.SQLITE_MISMATCH, sqlite3.SQLITE_RANGE)
_BY_ERRNO = {
    errno.ENOSPC: sqlite3.SQLITE_FULL,
    errno.EDQUOT: sqlite3.SQLITE_FULL,
    errno.EROFS: sqlite3.SQLITE_READONLY,
    errno.EIO: sqlite3.SQLITE_IOERR,
}


def is_passing(error: Exception) -> bool:
    """Whether the open connection can be used on: a full disk still serves reads, but may not let a file be opened."""
    return _code(error) in _PASSING


def is_damage(error: Exception) -> bool:
    """Whether the file itself is not what it should be."""
    return _code(error) in _DAMAGE


def is_ours(error: Exception) -> bool:
    """Whether what was to be written is at fault, and not the database."""
    return _code(error) in _OURS


def unavailable(error: Exception, path: Path) -> StoreUnavailable:
    """The error that an operator sees.

    Args:
        error: What SQLAlchemy, SQLite or the file system raised.
        path: The database.
    """
    cause = error.orig if isinstance(error, DBAPIError) else error
    code = _code(error)
    if code in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_IOERR) and _is_read_only(path.parent):
        code = sqlite3.SQLITE_READONLY
    if isinstance(cause, OSError) and code not in _WORDS:
        return StoreUnavailable(
            f"the database {path} cannot be opened: {cause.strerror or cause}",
            f"see that {path.parent} is a directory in which the worker's user may read and write",
        )
    fault, remedy = _WORDS.get(code, ("the database {path} answers: {cause}", "look into the worker's log"))
    words = {"path": path, "folder": path.parent, "cause": cause}
    return StoreUnavailable(fault.format(**words), remedy.format(**words))


def _code(error: Exception) -> int:
    """SQLite's primary result code: the low byte; the rest tells sorts apart that need no other remedy."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    if isinstance(cause, OSError):
        return _BY_ERRNO.get(cause.errno or 0, 0)
    code = int(getattr(cause, "sqlite_errorcode", 0))
    # A full disk does not hold the 32 KiB of the -shm file.
    return sqlite3.SQLITE_FULL if code == sqlite3.SQLITE_IOERR_SHMSIZE else code & 0xFF


def _is_read_only(folder: Path) -> bool:
    try:
        return bool(os.statvfs(folder).f_flag & os.ST_RDONLY)
    except OSError:
        return False
