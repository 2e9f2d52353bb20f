"""The worker's database: channels, their jobs, the history. The only writer of it is the worker's one store thread."""

import asyncio
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import TypeVar

from sqlmodel import Session

from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.models.event import Event, EventFields, EventKind
from transcoder_tui.store.changes import Step, StoredChange, last_change
from transcoder_tui.store.database import Database
from transcoder_tui.store.edits import Edit, apply_edits, put_channels
from transcoder_tui.store.entries import Entry, latest_events, trim_events, write_entries
from transcoder_tui.store.repair import Restored
from transcoder_tui.store.rows import StoredChannel, read_channels

__all__ = ["Edit", "Entry", "Restored", "Step", "Store", "StoredChange", "StoredChannel"]

SETTLE_S = 0.05
"""Wait before the worker is asked what it knows, so that the answers to its last calls have reached it."""
RECALL_S = 10.0
"""Longest wait for its answer."""

T = TypeVar("T")


class Store:
    """The database. Every method runs in one thread, in the order of the calls, each in one transaction.

    Opens itself when first used and, after an error, when next used: once a full disk has room again, the store works
    again. A cancelled call is still carried out.

    What happens to the file, at the start or at any later call:

    - Damaged, or missing while there are copies of it: what is left is renamed, never deleted, and the newest sound
      copy takes its place; an empty database where there is none. The call that met the damage is carried out on it.
    - Deleted or replaced while it is in use: it is written anew from what is open, and nothing is lost.
    - Not to be opened, on a full or read-only disk: a copy in memory is read meanwhile.

    Channels that were lost come back in one of two ways. At the start the owner sees :attr:`restored`, compares the
    channels with what it knows besides, and calls :meth:`put`. Once it knows all its channels it calls :meth:`serve`;
    from then on the store asks it for them.

    Args:
        path: The SQLite file; its directory is created where it is missing.
        copies: Where its copies lie; by default ``backups`` beside it.

    Raises:
        StoreUnavailable: From any method, where the database cannot be read or written.
    """

    def __init__(self, path: Path, copies: Path | None = None) -> None:
        self.path = path
        self._database = Database(path, copies or path.parent / "backups")
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="store")
        self.fault = ""
        """Why the last attempt to write failed; empty where it did not."""

    @property
    def restored(self) -> Restored | None:
        """What took the place of the former database, or of none, until :meth:`put` has confirmed the channels."""
        return self._database.restored

    async def open(self) -> None:
        """Creates, upgrades or repairs the database, so that a fault in it shows at once.

        Where it can be read but not opened at present, :attr:`fault` says why.
        """
        fault = await self._submit(self._database.open)
        self.fault = str(fault) if fault else ""

    def serve(self, recall: Callable[[], Sequence[StoredChannel]], tell: Callable[[Restored], None]) -> None:
        """From now on, channels that are lost are written back.

        Args:
            recall: Gives all channels as they are known; called on this event loop, perhaps several times.
            tell: Told of each repair, on this event loop; its event is stored already.
        """
        loop = asyncio.get_running_loop()

        def recalled() -> Sequence[StoredChannel]:
            answer: Future[Sequence[StoredChannel]] = Future()

            def ask() -> None:
                try:
                    answer.set_result(recall())
                except Exception as error:
                    answer.set_exception(error)

            try:
                loop.call_soon_threadsafe(loop.call_later, SETTLE_S, ask)
                return answer.result(RECALL_S)
            except (RuntimeError, TimeoutError) as error:
                raise StoreUnavailable("the worker does not say which channels there are", "restart it") from error

        def told(restored: Restored) -> None:
            with suppress(RuntimeError):
                loop.call_soon_threadsafe(tell, restored)

        self._thread.submit(self._database.serve, lambda session: put_channels(session, recalled()), told)

    async def put(self, channels: Sequence[StoredChannel]) -> None:
        """Makes these channels, with their ids, revisions and jobs, the only ones.

        Args:
            channels: All that the owner knows of.
        """
        await self._noting(lambda: self._database.confirm(lambda session: put_channels(session, channels)))

    async def backup(self, keep: int) -> Path:
        """Makes a verified copy of the database while it is in use.

        Args:
            keep: How many copies stay, the newest ones.

        Returns:
            The copy.
        """
        return await self._submit(lambda: self._database.backup(keep))

    async def close(self) -> None:
        """Waits for what was asked for, and closes the file. The store cannot be used afterwards."""
        with suppress(StoreUnavailable):
            await self._submit(self._database.close)
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
            events: History to write along, which is given the moment of the edit. One with the name of a created
                channel and no id gets its id.
            actor: Who does it; kept with the copy of each changed channel.

        Returns:
            The channels as they are now, in the order of the edits and None where deleted; and the written events.

        Raises:
            NoSuchChannel: Where an edit names an unknown id.
            Conflict: Where a channel is not at the expected revision.
            InvalidInput: Where another channel has the name.
        """
        return await self._write(lambda session: apply_edits(session, edits, events, actor))

    async def last_change(self) -> StoredChange | None:
        """The last change of channels that was not undone; None where there is none, or no way back from it."""
        return await self._read(last_change)

    async def save(self, entries: Sequence[Entry]) -> list[Event]:
        """Writes jobs and history, all of them or none; returns the history with its ids.

        Args:
            entries: In their order: the last job of a channel stays. Where a channel was deleted meanwhile, only the
                events are written.
        """
        return await self._write(lambda session: write_entries(session, entries))

    async def events(
        self,
        limit: int,
        channel_id: int | None = None,
        *,
        before: int | None = None,
        kinds: Collection[EventKind] = (),
    ) -> list[Event]:
        """The latest events, oldest first.

        Args:
            limit: How many at most.
            channel_id: Of which channel, which may be deleted; None is all.
            before: Only those before the event with this id, which may be gone; None is all.
            kinds: Of which kinds; none is all.
        """
        return await self._read(lambda session: latest_events(session, limit, channel_id, before, kinds))

    async def trim_events(self, keep: int) -> None:
        """Deletes all events but the latest ones.

        Args:
            keep: How many stay.
        """
        await self._write(lambda session: trim_events(session, keep))

    async def _read(self, work: Callable[[Session], T]) -> T:
        return await self._submit(lambda: self._database.transact(work, reads_only=True))

    async def _write(self, work: Callable[[Session], T]) -> T:
        return await self._noting(lambda: self._database.transact(work, reads_only=False))

    async def _noting(self, work: Callable[[], T]) -> T:
        try:
            result = await self._submit(work)
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
