"""The worker's database: channels, their jobs, the history. The only writer of it is the worker's one store thread."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.models.event import Event, EventFields
from transcoder_tui.models.job import JobFields
from transcoder_tui.store.edits import Edit, apply_edits
from transcoder_tui.store.engine import make_engine, reading
from transcoder_tui.store.entries import Entry, latest_events, trim_events, write_entries
from transcoder_tui.store.faults import is_passing, unavailable
from transcoder_tui.store.migrate import migrate
from transcoder_tui.store.rows import StoredChannel, read_channels

__all__ = ["Edit", "Entry", "Store", "StoredChannel"]

FILE_MODE = 0o640
"""Of the database, which holds stream keys and passphrases."""
FOLDER_MODE = 0o750
"""Of the data directory, where the store creates it."""

T = TypeVar("T")


class Store:
    """The database. Every method runs in one thread, in the order of the calls, each in one transaction.

    Opens itself when first used and, after an error, when next used: once a full disk has room again, the store works
    again. A cancelled call is still carried out.

    Args:
        path: The SQLite file; its directory is created where it is missing.

    Raises:
        StoreUnavailable: From any method, where the database cannot be read or written.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self._engine: Engine | None = None
        self.fault = ""
        """Why the last attempt to write failed; empty where it did not."""

    async def open(self) -> None:
        """Creates or upgrades the database, so that a fault in it shows at once."""
        await self._submit(lambda: self._in_words(self._opened))

    async def close(self) -> None:
        """Waits for what was asked for, and closes the file. The store cannot be used afterwards."""
        with suppress(StoreUnavailable):
            await self._submit(self._disconnect)
        self._thread.shutdown()

    async def channels(self) -> list[StoredChannel]:
        """All channels, by id."""
        return await self._read(read_channels)

    async def edit(
        self, edits: Sequence[Edit], events: Sequence[EventFields] = (), actor: str = ""
    ) -> tuple[list[StoredChannel | None], list[Event]]:
        """Creates, changes and deletes channels, all of them or none.

        Args:
            edits: Channels may swap their names among them, or take that of a deleted one.
            events: History to write along. One with the name of a created channel and no id gets its id.
            actor: Who does it; kept with the copy of each changed channel.

        Returns:
            The channels as they are now, in the order of the edits and None where deleted; and the written events.

        Raises:
            NoSuchChannel: Where an edit names an unknown id.
            Conflict: Where a channel is not at the expected revision.
            InvalidInput: Where another channel has the name.
        """
        return await self._write(lambda session: apply_edits(session, edits, events, actor))

    async def save(self, entries: Sequence[Entry]) -> list[Event]:
        """Writes jobs and history, all of them or none; returns the history with its ids.

        Args:
            entries: In their order: the last job of a channel stays. Where a channel was deleted meanwhile, only the
                events are written.
        """
        return await self._write(lambda session: write_entries(session, entries))

    async def save_job(self, channel_id: int, job: JobFields, events: Sequence[EventFields] = ()) -> list[Event]:
        """Keeps a job together with the history of what changed it; returns the history with its ids."""
        return await self.save([Entry(channel_id, job, events)])

    async def add_events(self, events: Sequence[EventFields]) -> list[Event]:
        """Writes history; returns it with its ids."""
        return await self.save([Entry(events=events)])

    async def events(self, limit: int, channel_id: int | None = None) -> list[Event]:
        """The latest events, oldest first.

        Args:
            limit: How many at most.
            channel_id: Of which channel, which may be deleted; None is all.
        """
        return await self._read(lambda session: latest_events(session, limit, channel_id))

    async def trim_events(self, keep: int) -> None:
        """Deletes all events but the latest ones.

        Args:
            keep: How many stay.
        """
        await self._write(lambda session: trim_events(session, keep))

    async def _read(self, work: Callable[[Session], T]) -> T:
        return await self._submit(lambda: self._transact(work, reads_only=True))

    async def _write(self, work: Callable[[Session], T]) -> T:
        try:
            result = await self._submit(lambda: self._transact(work, reads_only=False))
        except StoreUnavailable as error:
            self.fault = str(error)
            raise
        self.fault = ""
        return result

    async def _submit(self, work: Callable[[], T]) -> T:
        try:
            future = asyncio.get_running_loop().run_in_executor(self._thread, work)
        except RuntimeError:
            raise StoreUnavailable(f"the database {self.path} is closed", "the worker is ending; start it") from None
        # Shielded, because a cancelled call that still waits in the queue would never be carried out.
        return await asyncio.shield(future)

    def _transact(self, work: Callable[[Session], T], *, reads_only: bool) -> T:
        def transaction() -> T:
            engine = self._opened()
            with Session(reading(engine) if reads_only else engine) as session, session.begin():
                return work(session)

        return self._in_words(transaction)

    def _in_words(self, work: Callable[[], T]) -> T:
        try:
            return work()
        except (DBAPIError, sqlite3.Error, OSError) as error:
            if not is_passing(error):
                self._disconnect()
            raise unavailable(error, self.path) from error

    def _opened(self) -> Engine:
        if self._engine is None:
            self.path.parent.mkdir(FOLDER_MODE, parents=True, exist_ok=True)
            with suppress(FileExistsError):
                # Made here, because SQLite would make it readable for everybody.
                os.close(os.open(self.path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))
            migrate(self.path)
            self._engine = make_engine(self.path)
        return self._engine

    def _disconnect(self) -> None:
        if self._engine is not None:
            self._engine.dispose()
            self._engine = None
