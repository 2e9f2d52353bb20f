"""Puts a sound database in the place of one that is damaged or gone."""

import logging
import shutil
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from transcoder_tui.models.event import Event, EventFields, EventKind, Severity
from transcoder_tui.store import backup
from transcoder_tui.store.engine import driver_connection, make_engine
from transcoder_tui.store.entries import write_events
from transcoder_tui.store.faults import is_damage
from transcoder_tui.store.files import (
    FILE_MODE,
    FOLDER_MODE,
    SUFFIXES,
    Inode,
    beside,
    identity,
    make_private,
    name_aside,
    put_in_place,
    remove,
    set_aside,
)
from transcoder_tui.store.migrate import UNCONFIRMED, SchemaRefused, migrate

log = logging.getLogger(__name__)

_NEW = ".new"


class Damaged(Exception):
    """What SQLite did not complain of, but does not fit together."""


@dataclass(frozen=True, slots=True)
class Restored:
    """A database in the place of another one."""

    message: str
    """What happened, in the operator's words; also in the new history. Empty where there was nothing to restore."""
    event: Event | None = None
    """That line of the history."""
    aside: Path | None = None
    """What the former database is called now; None where it was gone."""
    copy: Path | None = None
    """The copy that took its place; None where there was none that was sound."""
    is_complete: bool = False
    """Whether nothing is lost."""


def damage(path: Path) -> str:
    """What is wrong with a database; empty where it is sound.

    Raises:
        sqlite3.Error: Where it cannot be read at present.
    """
    try:
        with closing(sqlite3.connect(path)) as connection:
            found = str(connection.execute("PRAGMA quick_check(1)").fetchone()[0])
    except sqlite3.Error as error:
        if is_damage(error):
            return str(error)
        raise
    return "" if found == "ok" else found.replace("\n", " ")


def restore(path: Path, folder: Path, cause: str, engine: Engine | None = None) -> Restored:
    """Puts the newest copy that is sound in the place of a database, or an empty one where there is none.

    Args:
        path: The database, which is set aside; it may be gone.
        folder: Where the copies lie.
        cause: What is the matter with the database, such as ``is missing``.
        engine: What has it open, and is closed.

    Raises:
        OSError: Where nothing can be written. Then the database is where it was.
        sqlalchemy.exc.DBAPIError: Likewise.
    """
    new = beside(path, _NEW)
    found = _prepare_copy(new, folder)
    aside = name_aside(path, "corrupt") if path.exists() else None
    words = [f"the database {path.name} {cause}"]
    words += [f"it is kept as {aside.name}"] if aside else []
    if found:
        words.append(f"the copy of {backup.made_at(found):%Y-%m-%d %H:%M:%S} UTC has taken its place")
    else:
        words.append("there is no copy that could take its place, and a new one was begun")
    event = _note(new, "; ".join(words), is_complete=False)
    # A log file may be left of a database that is gone.
    set_aside(path, aside or name_aside(path, "lost"))
    if engine is not None:
        # After the renaming, because SQLite removes its log by name when it closes.
        engine.dispose()
    put_in_place(new, path)
    return Restored(event.message, event, aside, found)


class Rescue:
    """A database written anew whose file was deleted or replaced while it was in use: it still can be read.

    Args:
        path: The database.
        engine: What has it open.
        ours: Its files, as :func:`identity` gave them when they were opened.

    Raises:
        OSError: Where nothing can be written. Then it is open still.
        sqlite3.Error: Likewise.
        Damaged: Where what can be read is not sound.
    """

    def __init__(self, path: Path, engine: Engine, ours: Sequence[Inode | None]) -> None:
        self._path = path
        self._engine = engine
        self._ours = ours
        self._new = beside(path, _NEW)
        path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        remove(self._new)
        with driver_connection(engine) as connection:
            backup.copy_into(connection, self._new)
        try:
            backup.verify(self._new)
        except backup.BadCopy as error:
            raise Damaged(str(error)) from error
        there = identity(path)[0]
        self._aside = name_aside(path, "replaced") if there not in (None, ours[0]) else None
        what = (
            f"the log files of the database {path.name} were" if there == ours[0] else f"the database {path.name} was"
        )
        happened = f"{what} {'replaced' if self._aside else 'deleted'} by another program"
        words = f"{happened}; it has been written anew, and nothing is lost"
        words += f"; what lay in its place is kept as {self._aside.name}" if self._aside else ""
        self._event = _note(self._new, words, is_complete=True)

    def put_in_place(self) -> Restored:
        """Closes the former database and gives the new one its name."""
        set_aside(self._path, self._aside or name_aside(self._path, "replaced"), self._ours)
        self._engine.dispose()
        # SQLite leaves the log of a deleted database, and would play it into the new one.
        for suffix in SUFFIXES[1:]:
            beside(self._path, suffix).unlink(missing_ok=True)
        put_in_place(self._new, self._path)
        return Restored(self._event.message, self._event, self._aside, is_complete=True)


def note_lost_log(engine: Engine, path: Path) -> Restored:
    """Says in the history that the write-ahead log of a database is gone; nobody can tell what was in it."""
    message = (
        f"the log file of the database {path.name} is gone since the last worker ended; its last changes may be lost"
    )
    return Restored(message, _write_note(engine, message, is_complete=False))


def _prepare_copy(new: Path, folder: Path) -> Path | None:
    """Makes the newest sound copy, or an empty database, ready to take a database's place."""
    for copy in backup.newest_first(folder):
        remove(new)
        try:
            backup.verify(copy)
        except backup.BadCopy as error:
            log.error("a copy of the database is damaged: %s", error)
            continue
        shutil.copyfile(copy, new)
        new.chmod(FILE_MODE)
        try:
            migrate(new)
        except SchemaRefused as error:
            log.error("%s", error)
            continue
        except DBAPIError as error:
            if not is_damage(error):
                raise
            log.error("a copy of the database is damaged: %s: %s", copy, error.orig)
            continue
        return copy
    remove(new)
    make_private(new)
    migrate(new)
    return None


def _note(new: Path, message: str, *, is_complete: bool) -> Event:
    """Adds what happened to the history of a database that nobody uses yet."""
    engine = make_engine(new)
    try:
        return _write_note(engine, message, is_complete=is_complete)
    finally:
        engine.dispose()


def _write_note(engine: Engine, message: str, *, is_complete: bool) -> Event:
    severity = Severity.WARNING if is_complete else Severity.ERROR
    event = EventFields(at=datetime.now(UTC), kind=EventKind.WORKER, severity=severity, message=message, actor="worker")
    with Session(engine) as session, session.begin():
        if not is_complete:
            session.connection().exec_driver_sql(f"PRAGMA user_version = {UNCONFIRMED}")
        [written] = write_events(session, [event])
    return written
