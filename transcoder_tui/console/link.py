"""Stays connected to the worker: one stream of what it says and of when it could not be heard."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from transcoder_tui.console.edge import Edge
from transcoder_tui.console.sanitise import sanitised_error
from transcoder_tui.errors import Fault, TranscoderError

if TYPE_CHECKING:
    from transcoder_tui.client.client import WorkerClient
    from transcoder_tui.models.view import Delta, Snapshot

WAITS_S = (0.5, 1.0, 2.0, 4.0, 5.0)
"""Seconds before each further attempt, the last one for good: a worker that restarts is back within a second, and one
that is gone for longer is not worth a busy console."""


@dataclass(frozen=True, slots=True)
class Lost:
    """The worker cannot be heard."""

    fault: Fault
    """Why, and what would help."""


class Link:
    """The connection of one console, made anew as often as needed.

    Args:
        connect: Makes the client. Called in a thread, because it may import the HTTP library (100 ms).
        waits: Seconds before each further attempt.
    """

    def __init__(self, connect: "Callable[[], WorkerClient]", waits: Sequence[float] = WAITS_S) -> None:
        self._connect = connect
        self._waits = waits
        self.edge: Edge | None = None
        """The worker, once a client could be made."""

    async def follow(self) -> "AsyncIterator[Snapshot | Delta | Lost]":
        """What the worker says, for ever; each time that it falls silent, once, why."""
        failures = 0
        while True:
            try:
                if self.edge is None:
                    self.edge = Edge(await asyncio.to_thread(self._connect))
                async for message in self.edge.stream():
                    failures = 0
                    yield message
                lost = Fault("the worker closed the connection")
            except TranscoderError as error:
                lost = next(iter(sanitised_error(error).faults), Fault(error.title))
            except ValueError:
                lost = Fault("the worker speaks another version than this console", "upgrade the older of the two")
            yield Lost(lost)
            await asyncio.sleep(self._waits[min(failures, len(self._waits) - 1)])
            failures += 1

    async def close(self) -> None:
        """Ends the connection."""
        if self.edge is not None:
            await self.edge.close()
