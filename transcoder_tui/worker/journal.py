"""Writes down what the runs do, and never lets them wait for a database that does not work.

What is submitted while a transaction is under way goes into the next one together: 300 channels that change their
state at once cost one commit. Where the database cannot be written, the last job of each channel and the latest events
are held in memory; they are written as soon as it works again, with the times at which they happened.
"""

import asyncio
import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime

from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.models.event import Event, EventFields, EventKind, Severity
from transcoder_tui.models.job import JobFields
from transcoder_tui.store.store import Entry, Store

MAX_EVENTS = 10_000
"""Events that are held while the database cannot be written; the oldest ones go. About 1 kB each."""
RETRY_S = 3.0
"""Pause before the database is tried again."""
PATIENCE_S = 1.0
"""Longest time for which a run waits for a commit: a disk that hangs keeps no channel off the air."""

log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Submitted:
    """An entry on its way into the database."""

    entry: Entry
    done: asyncio.Future[None]
    is_order: bool
    """Whether somebody must be told that it could not be committed; nothing of it is kept then."""


@dataclass(slots=True)
class _Outage:
    """A time in which the database cannot be written."""

    began: float
    """Monotonic seconds."""
    causes: dict[str, None] = field(default_factory=dict)
    """Each reason once, in the order of their coming; none while the disk just does not answer."""
    lost: int = 0
    """Events that memory did not hold."""


class Journal:
    """The one way by which runs reach the database. Lives on the event loop.

    Args:
        store: Where it writes.
        announce: Called with the events of each transaction once they are stored.
    """

    def __init__(self, store: Store, announce: Callable[[list[Event]], None]) -> None:
        self._store = store
        self._announce = announce
        self._queue: list[_Submitted] = []
        self._flight: list[_Submitted] = []
        self._outage: _Outage | None = None
        self._urgent = False
        self._compact_at = MAX_EVENTS
        self._writer: asyncio.Task[None] | None = None
        self._retry: asyncio.TimerHandle | None = None

    @property
    def waiting(self) -> int:
        """Events that are not stored yet."""
        return sum(len(submitted.entry.events) for submitted in (*self._flight, *self._queue))

    @property
    def lost(self) -> int:
        """Events that were dropped since the database could last be written."""
        return self._outage.lost if self._outage else 0

    @property
    def fault(self) -> str:
        """Why the database cannot be written at present; empty where it can."""
        if self._outage is None:
            return ""
        return next(reversed(self._outage.causes), "the disk of the database does not answer")

    async def order(self, channel_id: int | None, job: JobFields | None, events: Sequence[EventFields]) -> None:
        """Commits what somebody ordered.

        Args:
            channel_id: Whose job it is.
            job: The whole job, as the order makes it.
            events: History to write along.

        Raises:
            StoreUnavailable: Where it could not be committed; then nothing of it is kept.
        """
        # Shielded, because what is on its way to the disk cannot be called back.
        await asyncio.shield(self._submit(Entry(channel_id, job, events), is_order=True))

    def write(
        self, channel_id: int | None, job: JobFields | None, events: Sequence[EventFields]
    ) -> asyncio.Future[None]:
        """Notes down what happened.

        Args:
            channel_id: Whose job it is.
            job: The whole job as it is now.
            events: History to write along.

        Returns:
            Done once it is committed or known not to be for now; never with an error.
        """
        return self._submit(Entry(channel_id, job, events), is_order=False)

    async def close(self) -> None:
        """Writes what is left; where the database still does not work, tries once more and gives up."""
        self._urgent = True
        while self._urgent or self._writer is not None:
            self._wake()
            assert self._writer is not None
            await asyncio.wait({self._writer})
        if self._retry is not None:
            self._retry.cancel()
        if self._queue:
            channels = len({submitted.entry.channel_id for submitted in self._queue if submitted.entry.job})
            log.error("ended with %d events and the jobs of %d channels not stored", self.waiting, channels)

    def _submit(self, entry: Entry, *, is_order: bool) -> asyncio.Future[None]:
        submitted = _Submitted(entry, asyncio.get_running_loop().create_future(), is_order)
        self._queue.append(submitted)
        if self._outage is not None:
            if not is_order:
                submitted.done.set_result(None)
            if len(self._queue) >= self._compact_at:
                self._compact()
        # During an outage each try may hold the store for its busy timeout, so only orders and the timer try.
        self._urgent = self._urgent or is_order
        if self._urgent or self._outage is None:
            self._wake()
        return submitted.done

    def _wake(self) -> None:
        if self._writer is None:
            self._writer = asyncio.get_running_loop().create_task(self._write(), name="journal")

    async def _write(self) -> None:
        try:
            while self._urgent or (self._queue and self._outage is None):
                self._urgent = False
                self._flight, self._queue = self._queue, []
                impatience = asyncio.get_running_loop().call_later(PATIENCE_S, self._lose_patience)
                await self._commit(self._flight)
                impatience.cancel()
                self._flight = []
        finally:
            self._writer = None

    async def _commit(self, flight: list[_Submitted]) -> None:
        outage = self._outage
        entries = [submitted.entry for submitted in flight]
        if outage is not None and (outage.causes or outage.lost):
            entries.append(Entry(events=[_recovery(outage)]))
        try:
            events = await self._store.save(entries) if entries else []
        except StoreUnavailable as error:
            self._failed(flight, error)
            return
        except Exception as error:
            await self._isolate(flight, error)
            return
        if outage is not None:
            self._outage = None
        elif self._outage is not None:
            # Began while this was under way: it is over, and the history does not say so yet.
            self._urgent = True
        self._publish(events)
        for submitted in flight:
            _resolve(submitted.done)

    async def _isolate(self, flight: list[_Submitted], error: Exception) -> None:
        """Finds the one entry that the database does not take, so that it keeps no other one out."""
        if len(flight) > 1:
            half = len(flight) // 2
            await self._commit(flight[:half])
            await self._commit(flight[half:])
            return
        log.error("an entry cannot be stored and is dropped", exc_info=error)
        for submitted in flight:
            if submitted.is_order and not submitted.done.done():
                submitted.done.set_exception(error)
            _resolve(submitted.done)

    def _failed(self, flight: list[_Submitted], error: StoreUnavailable) -> None:
        if self._outage is None:
            self._outage = _Outage(time.monotonic())
        if not self._outage.causes:
            log.error("%s; channels go on, and what happens is held in memory", error)
        self._outage.causes[error.faults[0].fault] = None
        for submitted in flight:
            if submitted.is_order and not submitted.done.done():
                submitted.done.set_exception(error)
        self._queue = [submitted for submitted in flight if not submitted.is_order] + self._queue
        self._release(self._queue)
        self._compact()
        if self._retry is not None:
            self._retry.cancel()
        self._retry = asyncio.get_running_loop().call_later(RETRY_S, self._try_again)

    def _try_again(self) -> None:
        self._urgent = True
        self._wake()

    def _lose_patience(self) -> None:
        if self._outage is None:
            self._outage = _Outage(time.monotonic() - PATIENCE_S)
        self._release([*self._flight, *self._queue])

    def _release(self, submitted: Sequence[_Submitted]) -> None:
        for one in submitted:
            if not one.is_order:
                _resolve(one.done)

    def _compact(self) -> None:
        assert self._outage is not None
        self._queue, lost = _compacted(self._queue)
        self._outage.lost += lost
        self._compact_at = len(self._queue) + MAX_EVENTS // 10

    def _publish(self, events: list[Event]) -> None:
        if not events:
            return
        try:
            self._announce(events)
        except Exception:
            log.exception("what was stored could not be shown")


def _compacted(queue: Sequence[_Submitted]) -> tuple[list[_Submitted], int]:
    """Drops jobs that a later one of their channel replaces, and the oldest events where there are too many.

    An order replaces nothing, because it is forgotten where it fails.
    """
    kept: list[_Submitted] = []
    written: set[int] = set()
    room, lost = MAX_EVENTS, 0
    for submitted in reversed(queue):
        entry = submitted.entry
        if submitted.is_order:
            kept.append(submitted)
            continue
        events = entry.events[max(0, len(entry.events) - room) :]
        room -= len(events)
        lost += len(entry.events) - len(events)
        job = entry.job if entry.channel_id not in written else None
        if entry.channel_id is not None and job is not None:
            written.add(entry.channel_id)
        if events or job is not None:
            kept.append(_Submitted(Entry(entry.channel_id, job, events), submitted.done, is_order=False))
    return kept[::-1], lost


def _recovery(outage: _Outage) -> EventFields:
    causes = ", then ".join(outage.causes) or "the disk did not answer"
    lost = f"; {outage.lost} events were lost" if outage.lost else ""
    return EventFields(
        at=datetime.now(UTC),
        kind=EventKind.WORKER,
        severity=Severity.WARNING,
        message=f"the database could not be written for {time.monotonic() - outage.began:.0f} s: {causes}{lost}",
        actor="worker",
    )


def _resolve(done: asyncio.Future[None]) -> None:
    if not done.done():
        done.set_result(None)
