"""The worker's database: channels, their jobs, the history. The only writer of it is the worker's one store thread."""

import asyncio
import os
import sqlite3
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

from sqlalchemy import Engine, delete
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session, col, select

from transcoder_tui.errors import Conflict, Fault, InvalidInput, NoSuchChannel, StoreUnavailable
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import Event, EventFields
from transcoder_tui.models.job import JobFields
from transcoder_tui.store.engine import make_engine, reading
from transcoder_tui.store.faults import is_passing, unavailable
from transcoder_tui.store.migrate import migrate
from transcoder_tui.store.rows import (
    CHILDREN,
    StoredChannel,
    child_rows,
    event_rows,
    job_row,
    name_key,
    own_fields,
    read_channels,
    read_event,
    revision_row,
)
from transcoder_tui.store.tables import ChannelRow, EventRow

__all__ = ["Edit", "Store", "StoredChannel"]

FILE_MODE = 0o640
"""Of the database, which holds stream keys and passphrases."""
FOLDER_MODE = 0o750
"""Of the data directory, where the store creates it."""

T = TypeVar("T")


@dataclass(frozen=True)
class Edit:
    """One channel to create, change or delete."""

    channel_id: int | None
    """None creates."""
    spec: ChannelSpec | None
    """None deletes."""
    revision: int | None = None
    """The revision on which the edit is based; None takes any."""
    job: JobFields | None = None
    """The job to write along; None leaves it as it is, or stopped where the channel is created."""

    def __post_init__(self) -> None:
        if self.channel_id is None and self.spec is None:
            raise ValueError("an edit creates, changes or deletes")


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
        return await self._write(lambda session: _edit(session, edits, events, actor))

    async def save_job(self, channel_id: int, job: JobFields, events: Sequence[EventFields] = ()) -> list[Event]:
        """Keeps a job together with the history of what changed it.

        Args:
            channel_id: Whose job it is. Where the channel was deleted meanwhile, only the events are written.
            job: The whole job.
            events: History to write along.
        """

        def work(session: Session) -> list[Event]:
            if session.get(ChannelRow, channel_id) is not None:
                session.merge(job_row(channel_id, job))
            return _add_events(session, events)

        return await self._write(work)

    async def add_events(self, events: Sequence[EventFields]) -> list[Event]:
        """Writes history; returns it with its ids."""
        return await self._write(lambda session: _add_events(session, events))

    async def events(self, limit: int, channel_id: int | None = None) -> list[Event]:
        """The latest events, oldest first.

        Args:
            limit: How many at most.
            channel_id: Of which channel, which may be deleted; None is all.
        """

        def work(session: Session) -> list[Event]:
            query = select(EventRow).order_by(col(EventRow.id).desc()).limit(limit)
            if channel_id is not None:
                query = query.where(EventRow.channel_id == channel_id)
            return [read_event(row) for row in reversed(session.exec(query).all())]

        return await self._read(work)

    async def trim_events(self, keep: int) -> None:
        """Deletes all events but the latest ones.

        Args:
            keep: How many stay.
        """

        def work(session: Session) -> None:
            last_to_go = select(EventRow.id).order_by(col(EventRow.id).desc()).offset(keep).limit(1).scalar_subquery()
            session.execute(delete(EventRow).where(col(EventRow.id) <= last_to_go))

        await self._write(work)

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


def _edit(
    session: Session, edits: Sequence[Edit], events: Sequence[EventFields], actor: str
) -> tuple[list[StoredChannel | None], list[Event]]:
    at = datetime.now(UTC)
    for edit in edits:
        if edit.channel_id is not None:
            row = _expected(session, edit.channel_id, edit.revision)
            if edit.spec is None:
                session.delete(row)
            else:
                # A name that no channel can have: frees the old one for another channel of these edits.
                row.name_key = f"\0{row.id}"
    session.flush()
    ids = [_put(session, edit, at, actor) for edit in edits]
    session.flush()
    stored = {channel.id: channel for channel in read_channels(session, [i for i in ids if i is not None])}
    created = {
        edit.spec.name: i
        for edit, i in zip(edits, ids, strict=True)
        if edit.spec is not None and edit.channel_id is None
    }
    placed = [
        event.model_copy(update={"channel_id": created[event.channel]})
        if event.channel_id is None and event.channel in created
        else event
        for event in events
    ]
    return [stored[i] if i is not None else None for i in ids], _add_events(session, placed)


def _expected(session: Session, channel_id: int, revision: int | None) -> ChannelRow:
    row = session.get(ChannelRow, channel_id)
    if row is None:
        raise NoSuchChannel(f"no channel has the id {channel_id}", "see the list of channels; it may have been deleted")
    if revision is not None and row.revision != revision:
        raise Conflict(
            f"{row.name} is at revision {row.revision}, and this change is based on revision {revision}",
            "load the channel again and repeat the change",
        )
    return row


def _put(session: Session, edit: Edit, at: datetime, actor: str) -> int | None:
    """Writes a created or changed channel and returns its id."""
    spec = edit.spec
    if spec is None:
        return None
    namesake = session.exec(select(ChannelRow).where(ChannelRow.name_key == name_key(spec.name))).first()
    if namesake is not None:
        raise InvalidInput(
            [Fault(f"{spec.name!r} is already the name of channel {namesake.id}", "choose another name", "name")]
        )
    if edit.channel_id is None:
        row = ChannelRow(**own_fields(spec), revision=1, created_at=at, updated_at=at)
        session.add(row)
    else:
        row = _expected(session, edit.channel_id, None)
        row.sqlmodel_update(own_fields(spec) | {"revision": row.revision + 1, "updated_at": at})
    session.flush()
    channel_id = row.id
    assert channel_id is not None
    for _, _, child in CHILDREN:
        session.execute(delete(child).where(col(child.channel_id) == channel_id))
    session.add_all(child_rows(channel_id, spec))
    session.add(revision_row(channel_id, row.revision, spec, at, actor))
    if edit.job is not None or edit.channel_id is None:
        session.merge(job_row(channel_id, edit.job or JobFields()))
    return channel_id


def _add_events(session: Session, events: Sequence[EventFields]) -> list[Event]:
    rows = event_rows(events)
    session.add_all(rows)
    session.flush()
    return [read_event(row) for row in rows]
