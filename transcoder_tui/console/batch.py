"""A task for many channels: some calls at a time, counted as they end."""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transcoder_tui.console import format as written
from transcoder_tui.errors import Fault, TranscoderError

if TYPE_CHECKING:
    from transcoder_tui.console.edge import Edge
    from transcoder_tui.console.orders import Task
    from transcoder_tui.models.view import ChannelView

AT_ONCE = 8
"""Calls that are under way at a time. A stop takes up to ten seconds, so that one after the other 137 of them could
take 20 minutes; the worker carries them out side by side. Eight leave it time for other consoles."""
FEWEST = 3
"""Channels that have to be done before their pace says anything about the rest."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A channel for which the task failed."""

    channel: "ChannelView"
    faults: tuple[Fault, ...]


class Batch:
    """One task for some channels.

    Args:
        task: What is done.
        channels: To which.
        clock: Seconds that only grow.
    """

    def __init__(
        self, task: "Task", channels: "Sequence[ChannelView]", clock: Callable[[], float] = time.monotonic
    ) -> None:
        self.task = task
        self.total = len(channels)
        self.done = 0
        self.underway = 0
        """Calls that have not been answered yet."""
        self.failures: list[Failure] = []
        """In the order in which they failed."""
        self.dropped = 0
        """Channels that were left as they were, because the operator cancelled."""
        self._waiting = deque(channels)
        self._clock = clock
        self._begun: float | None = None
        self._ended: float | None = None
        self._before = 0
        self._names = [row.name for row in channels]

    @property
    def waiting(self) -> int:
        """Channels whose turn is still to come."""
        return len(self._waiting)

    @property
    def left(self) -> int:
        """Channels that are not done yet, those under way among them."""
        return self.waiting + self.underway

    @property
    def is_over(self) -> bool:
        """Whether nothing is under way any more."""
        return self._ended is not None

    @property
    def names(self) -> list[str]:
        """Of all its channels."""
        return self._names

    @property
    def elapsed_s(self) -> float:
        """Seconds since it began, or that it took."""
        if self._begun is None:
            return 0.0
        return (self._clock() if self._ended is None else self._ended) - self._begun

    @property
    def pace(self) -> float | None:
        """Channels a second, failed ones among them; None while that cannot be told."""
        answered = self.done + len(self.failures) - self._before
        return answered / self.elapsed_s if answered >= FEWEST and self.elapsed_s > 0 else None

    async def run(self, edge: "Edge") -> None:
        """Does what waits; returns when all of it is done, failed or cancelled."""
        self._begun, self._ended = self._clock(), None
        self._before = self.done + len(self.failures)
        try:
            async with asyncio.TaskGroup() as calls:
                for _ in range(min(AT_ONCE, self.waiting)):
                    calls.create_task(self._some(edge))
        finally:
            self._ended = self._clock()

    async def _some(self, edge: "Edge") -> None:
        while self._waiting:
            row = self._waiting.popleft()
            self.underway += 1
            try:
                await self.task.call(edge, row)
            except TranscoderError as error:
                self.failures.append(Failure(row, error.faults or (Fault(error.title),)))
            else:
                self.done += 1
            finally:
                self.underway -= 1

    def cancel(self) -> None:
        """Drops what is not begun; what is under way ends by itself."""
        self.dropped += len(self._waiting)
        self._waiting.clear()

    def take_up_failed(self) -> None:
        """Has those that failed wait again, for another :meth:`run`."""
        self._waiting.extend(failure.channel for failure in self.failures)
        self.failures.clear()

    def faults(self) -> list[Fault]:
        """What failed, each with its channel in front."""
        return [
            Fault(fault.fault, fault.remedy, f"{name}, {fault.field}" if fault.field else name)
            for name, faults in ((failure.channel.name, failure.faults) for failure in self.failures)
            for fault in faults
        ]

    def summary(self) -> str:
        """How it ended, in a sentence: ``Stopped 134 of 137 channels, 3 failed``."""
        everything = self.done == self.total
        count = written.plural(self.total, "channel") if everything else f"{self.done} of {self.total} channels"
        parts = [f"{self.task.done}: {count}"]
        if self.failures:
            parts.append(f"{len(self.failures)} failed")
        if self.dropped:
            parts.append(f"{self.dropped} left as they were")
        return ", ".join(parts)

    def progress(self) -> str:
        """How far it is, in a few words: ``◍ Stopping: 98 of 137, 3 failed``."""
        if self.is_over:
            return f"{'▲' if self.failures else '✓'} {self.summary()}"
        failed = f", {len(self.failures)} failed" if self.failures else ""
        return f"◍ {self.task.doing}: {self.total - self.left} of {self.total}{failed}"
