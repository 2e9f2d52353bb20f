"""The SQLite file: opened when it is needed, looked after, and healed where it is damaged or gone. Knows no tables."""

import logging
import sqlite3
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.store import backup, repair
from transcoder_tui.store.engine import driver_connection, make_engine, reading
from transcoder_tui.store.faults import is_damage, is_ours, is_passing, unavailable
from transcoder_tui.store.files import FOLDER_MODE, Inode, beside, identity, make_private
from transcoder_tui.store.migrate import UNCONFIRMED, SchemaRefused, migrate
from transcoder_tui.store.repair import Damaged, Restored
from transcoder_tui.store.standin import stand_in

REPAIR_PAUSE_S = 60.0
"""Shortest time between two repairs: a disk that spoils every file must not be filled with them."""

_IN_USE = "-open"
"""Suffix of an empty file that says that a log file must be there, too."""

T = TypeVar("T")

log = logging.getLogger(__name__)


class Database:
    """One SQLite file. Used in one thread.

    Args:
        path: The file; its directory is created where it is missing.
        copies: Where its copies lie.
    """

    def __init__(self, path: Path, copies: Path) -> None:
        self.path = path
        self.restored: Restored | None = None
        """What took the place of the former database, or of none; None once its channels are confirmed."""
        self._copies = copies
        self._recall: Callable[[Session], None] | None = None
        self._tell: Callable[[Restored], None] | None = None
        self._owes_channels = False
        self._engine: Engine | None = None
        self._stand_in: Engine | None = None
        self._refusal: StoreUnavailable | None = None
        self._files: tuple[Inode | None, ...] = ()
        self._is_checked = False
        self._last_repair: float | None = None

    def open(self) -> StoreUnavailable | None:
        """Opens the file, or a copy in memory where that cannot be done at present.

        Returns:
            Why it was not the file.

        Raises:
            StoreUnavailable: Where it cannot be read either, or another version of the program wrote it.
        """
        engine = self._healing(lambda: self._engine_for(reads_only=True))
        return self._refusal if engine is self._stand_in else None

    def serve(self, recall: Callable[[Session], None], tell: Callable[[Restored], None]) -> None:
        """From now on, channels that are lost are written back before anything else is written.

        Args:
            recall: Writes all channels.
            tell: Told of every repair.
        """
        self._recall, self._tell = recall, tell
        self._owes_channels = self.restored is not None

    def transact(self, work: Callable[[Session], T], *, reads_only: bool) -> T:
        """Carries out work in one transaction; a second time where the file was damaged and has been repaired.

        Raises:
            StoreUnavailable: Where the file cannot be read or written at present.
        """

        def once() -> T:
            engine = self._engine_for(reads_only=reads_only)
            with Session(reading(engine) if reads_only else engine) as session, session.begin():
                return work(session)

        return self._healing(once)

    def confirm(self, write: Callable[[Session], None]) -> None:
        """Writes all channels, after which the database is what the worker knows.

        Raises:
            StoreUnavailable: Where it cannot be written at present.
        """

        def work(session: Session) -> None:
            write(session)
            session.connection().exec_driver_sql("PRAGMA user_version = 0")

        self._owes_channels = False
        try:
            self.transact(work, reads_only=False)
        except StoreUnavailable:
            self._owes_channels = self._recall is not None
            raise
        self.restored = None

    def backup(self, keep: int) -> Path:
        """Makes a copy; see :func:`transcoder_tui.store.backup.make`.

        Raises:
            StoreUnavailable: Where none could be made.
        """

        def work() -> Path:
            with driver_connection(self._engine_for(reads_only=False)) as connection:
                try:
                    copy = backup.make(connection, self.path, self._copies, keep)
                except backup.BadCopy as error:
                    raise _verdict(connection, error) from error
                with suppress(sqlite3.Error):
                    # So that a database whose log is lost is never older than its newest copy. Not truncated: what
                    # the log holds of the disk lets about a hundred orders be stored when the disk is full.
                    connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
            return copy

        return self._healing(work)

    def close(self) -> None:
        """Closes the file; one that was deleted meanwhile is written anew before."""
        if self._engine is not None and identity(self.path) != self._files:
            with suppress(StoreUnavailable):
                self._healing(self._rescue)
        self._disconnect()
        self._drop_stand_in()

    def _healing(self, work: Callable[[], T]) -> T:
        try:
            try:
                return work()
            except (Damaged, DBAPIError, sqlite3.Error) as error:
                if not _is_damage(error) or not self._may_repair():
                    raise
                self._repair(str(error.orig if isinstance(error, DBAPIError) else error))
                return work()
        except (Damaged, DBAPIError, sqlite3.Error, OSError) as error:
            if is_ours(error):
                raise
            if not is_passing(error):
                self._disconnect()
            raise self._in_words(error) from error

    def _in_words(self, error: Exception) -> StoreUnavailable:
        if isinstance(error, Damaged):
            return StoreUnavailable(f"the database {self.path} is damaged: {error}", "look for disk errors (dmesg)")
        return error if isinstance(error, StoreUnavailable) else unavailable(error, self.path)

    def _engine_for(self, *, reads_only: bool) -> Engine:
        if self._engine is None:
            try:
                self._engine = self._connected()
            except SchemaRefused:
                raise
            except (StoreUnavailable, Damaged, DBAPIError, sqlite3.Error, OSError) as error:
                if not reads_only or (_is_damage(error) and self._may_repair()):
                    raise
                self._refusal = self._in_words(error)
                return self._stand_in or self._make_stand_in()
        elif not reads_only and identity(self.path) != self._files:
            self._engine = self._rescue()
        if not reads_only and self._owes_channels and self._recall is not None:
            self.confirm(self._recall)
        return self._engine

    def _connected(self) -> Engine:
        self.path.parent.mkdir(mode=FOLDER_MODE, parents=True, exist_ok=True)
        marker = beside(self.path, _IN_USE)
        was_in_use = marker.exists()
        lost_log = was_in_use and not beside(self.path, "-wal").exists()
        if not lost_log:
            # Before anything else, because whatever opens the file may take the log into it.
            _try(marker.unlink)
        cause = self._what_is_wrong(was_in_use=was_in_use)
        if cause:
            self._restore(cause, None)
        elif not self.path.exists():
            make_private(self.path)
        migrate(self.path, self._copy_before_upgrade)
        engine = make_engine(self.path)
        try:
            self._look_at(engine)
            if lost_log and not cause:
                self._take(repair.note_lost_log(engine, self.path))
        except BaseException:
            engine.dispose()
            raise
        self._files = identity(self.path)
        _try(marker.touch)
        self._drop_stand_in()
        return engine

    def _what_is_wrong(self, *, was_in_use: bool) -> str:
        if not self.path.exists() or not self.path.stat().st_size:
            known = was_in_use or beside(self.path, "-wal").exists() or backup.newest_first(self._copies)
            return "is missing" if known else ""
        if self._is_checked:
            return ""
        found = repair.damage(self.path)
        self._is_checked = not found
        if found and not self._may_repair():
            raise Damaged(found)
        return f"was damaged ({found})" if found else ""

    def _look_at(self, engine: Engine) -> None:
        with reading(engine).begin() as connection:
            version = connection.exec_driver_sql("PRAGMA user_version").scalar()
        if version == UNCONFIRMED and self.restored is None:
            self.restored = Restored("")

    def _copy_before_upgrade(self, connection: sqlite3.Connection) -> None:
        try:
            copy = backup.make(connection, self.path, self._copies)
        except backup.BadCopy as error:
            raise _verdict(connection, error) from error
        log.info("the database is upgraded; %s is a copy from before", copy)

    def _repair(self, found: str) -> None:
        engine, self._engine = self._engine, None
        self._is_checked = False
        _try(beside(self.path, _IN_USE).unlink)
        try:
            self._restore(f"was damaged ({found})", engine)
        except BaseException:
            if engine is not None:
                engine.dispose()
            raise

    def _restore(self, cause: str, engine: Engine | None) -> None:
        restored = repair.restore(self.path, self._copies, cause, engine)
        self._last_repair = time.monotonic()
        self._take(restored)

    def _may_repair(self) -> bool:
        return self._last_repair is None or time.monotonic() - self._last_repair > REPAIR_PAUSE_S

    def _rescue(self) -> Engine:
        assert self._engine is not None
        # Until it has been written anew, what is open is all that there is.
        rescue = repair.Rescue(self.path, self._engine, self._files)
        self._engine = None
        _try(beside(self.path, _IN_USE).unlink)
        self._take(rescue.put_in_place())
        self._engine = self._connected()
        return self._engine

    def _take(self, restored: Restored) -> None:
        log.error("%s", restored.message)
        if not restored.is_complete:
            self.restored = restored
            self._owes_channels = self._recall is not None
        if self._tell is not None:
            self._tell(restored)

    def _disconnect(self) -> None:
        if self._engine is not None:
            _try(beside(self.path, _IN_USE).unlink)
            self._engine.dispose()
            self._engine = None

    def _make_stand_in(self) -> Engine:
        found = stand_in([file for file in (self.path, *backup.newest_first(self._copies)) if file.exists()])
        if found is None:
            assert self._refusal is not None
            raise self._refusal
        self._stand_in, source = found
        self._look_at(self._stand_in)
        if source != self.path and self._recall is None:
            self.restored = Restored(f"the database {self.path.name} cannot be read; {source.name} is read instead")
        return self._stand_in

    def _drop_stand_in(self) -> None:
        if self._stand_in is not None:
            self._stand_in.dispose()
            self._stand_in = None


def _is_damage(error: Exception) -> bool:
    return isinstance(error, Damaged) or is_damage(error)


def _verdict(connection: sqlite3.Connection, error: backup.BadCopy) -> Exception:
    """Whether a copy that is not sound was made of a database that is not."""
    found = str(connection.execute("PRAGMA integrity_check(1)").fetchone()[0])
    if found != "ok":
        return Damaged(found)
    return StoreUnavailable(f"a copy of the database was not sound: {error}", "look for disk errors (dmesg)")


def _try(call: Callable[[], None]) -> None:
    with suppress(OSError):
        call()
