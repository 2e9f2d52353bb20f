"""Copies of the database: made whole or not at all, verified, and only the newest ones kept."""

import os
import sqlite3
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.failpoints import failpoint
from transcoder_tui.store.faults import is_damage
from transcoder_tui.store.files import FOLDER_MODE, make_private, sync_folder

SPARE_BYTES = 16_000_000
"""What stays free on the disk: a copy must not be what fills it."""

_NAME = "transcoder-%Y%m%dT%H%M%SZ.db"
_UNFINISHED = ".part"


class BadCopy(Exception):
    """A copy that could not be put in the place of the database."""


def make(connection: sqlite3.Connection, path: Path, folder: Path, keep: int | None = None) -> Path:
    """Copies a database while it is in use.

    Args:
        connection: Open on the database, outside of a transaction.
        path: The database.
        folder: Where copies lie; it is made where it is missing.
        keep: How many copies stay, the newest ones; None removes none.

    Returns:
        The new copy.

    Raises:
        StoreUnavailable: Where no copy could be made. The database and the earlier copies are as they were.
        BadCopy: Where the copy is not sound, and so the database may not be.
        sqlite3.DatabaseError: Where the database is damaged.
    """
    try:
        failpoint("backup.before")
        folder.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        _sweep(folder)
        _check_room(path, folder)
        copy = folder / _next_stamp(folder).strftime(_NAME)
        unfinished = copy.with_name(copy.name + _UNFINISHED)
        try:
            copy_into(connection, unfinished)
            failpoint("backup.middle")
            verify(unfinished)
            unfinished.rename(copy)
        finally:
            unfinished.unlink(missing_ok=True)
        sync_folder(folder)
        for old in newest_first(folder)[keep:] if keep is not None else ():
            old.unlink()
    except (sqlite3.Error, OSError) as error:
        if is_damage(error):
            raise
        cause = error.strerror if isinstance(error, OSError) else error
        raise StoreUnavailable(
            f"no copy of the database could be made in {folder}: {cause}",
            "see that the worker's user may write there and that its disk has room and no errors",
        ) from error
    failpoint("backup.after")
    return copy


def copy_into(connection: sqlite3.Connection, target: Path) -> None:
    """Writes the database that a connection sees into a new file, safely on disk.

    Args:
        connection: Outside of a transaction. Its own file may be deleted by now.
        target: Must not exist.
    """
    make_private(target)
    # Not the backup API: Python's waits for ever where another program holds the database.
    connection.execute("VACUUM INTO ?", [str(target)])
    with target.open("rb") as file:
        os.fsync(file.fileno())


def newest_first(folder: Path) -> list[Path]:
    """All finished copies."""
    return sorted((copy for copy in folder.glob("transcoder-*.db") if _is_ours(copy)), reverse=True)


def made_at(copy: Path) -> datetime:
    """When a copy was made."""
    return datetime.strptime(copy.name, _NAME).replace(tzinfo=UTC)


def verify(copy: Path) -> None:
    """Reads all of a copy.

    Raises:
        BadCopy: Where it is damaged or holds no channels.
    """
    try:
        # Immutable: no lock or log file is made beside it.
        with closing(sqlite3.connect(f"{copy.absolute().as_uri()}?mode=ro&immutable=1", uri=True)) as connection:
            found = connection.execute("PRAGMA integrity_check(1)").fetchone()[0]
            if found != "ok":
                raise BadCopy(f"{copy}: {found}")
            connection.execute("SELECT id, name, revision FROM channel").fetchall()
            if len(connection.execute("SELECT version_num FROM alembic_version").fetchall()) != 1:
                raise BadCopy(f"{copy} has no schema version")
    except sqlite3.Error as error:
        raise BadCopy(f"{copy}: {error}") from error


def _is_ours(copy: Path) -> bool:
    try:
        made_at(copy)
    except ValueError:
        return False
    return True


def _next_stamp(folder: Path) -> datetime:
    """Now, but later than every copy that is there: names give their order, even when the clock was set back."""
    earlier = newest_first(folder)
    now = datetime.now(UTC)
    return max(now, made_at(earlier[0]) + timedelta(seconds=1)) if earlier else now


def _check_room(path: Path, folder: Path) -> None:
    needed = sum(file.stat().st_size for file in (path, path.with_name(path.name + "-wal")) if file.exists())
    disk = os.statvfs(folder)
    free = disk.f_bavail * disk.f_frsize
    if free < needed + SPARE_BYTES:
        raise StoreUnavailable(
            f"no copy of the database could be made in {folder}: it would take {needed / 1e6:.1f} MB "
            f"of the {free / 1e6:.1f} MB that are free",
            "free some space on that disk, or lower backup.keep",
        )


def _sweep(folder: Path) -> None:
    """Removes what a copy left that was interrupted."""
    for unfinished in folder.glob(f"transcoder-*.db{_UNFINISHED}*"):
        with suppress(FileNotFoundError):
            unfinished.unlink()
