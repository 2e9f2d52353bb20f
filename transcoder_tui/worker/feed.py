"""Hands the live state to everybody who watches, without waiting for any of them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

from transcoder_tui.models.view import Delta, Snapshot

QUEUE = 16
"""Messages that a reader may be behind, a second each; one that is further behind is dropped and has to ask anew."""


class Feed:
    """The subscribers of the live stream.

    Args:
        snapshot: Gives the whole state as of now.
    """

    def __init__(self, snapshot: Callable[[], Snapshot]) -> None:
        self._snapshot = snapshot
        self._queues: set[asyncio.Queue[bytes | None]] = set()

    @property
    def is_watched(self) -> bool:
        """Whether anybody is listening."""
        return bool(self._queues)

    def publish(self, message: Delta) -> None:
        """Sends a message to every subscriber, written out once for all of them."""
        text = lines(message)
        for queue in list(self._queues):
            try:
                queue.put_nowait(text)
            except asyncio.QueueFull:
                self._queues.discard(queue)
                queue.get_nowait()
                queue.put_nowait(None)

    def close(self) -> None:
        """Ends every stream."""
        for queue in self._queues:
            with contextlib.suppress(asyncio.QueueFull):
                queue.put_nowait(None)
        self._queues.clear()

    async def subscribe(self) -> AsyncIterator[bytes]:
        """The snapshot, then every message after it, as :func:`lines` writes them.

        Snapshot and subscription are taken in one step of the event loop, so no message is lost between them.
        """
        queue: asyncio.Queue[bytes | None] = asyncio.Queue(QUEUE)
        self._queues.add(queue)
        try:
            yield lines(self._snapshot())
            while (text := await queue.get()) is not None:
                yield text
        finally:
            self._queues.discard(queue)


def lines(message: Snapshot | Delta) -> bytes:
    """A message as it is sent: JSON without what is not known, its parts on a line each, itself on the last."""
    return b"".join(part.model_dump_json(exclude_none=True).encode() + b"\n" for part in message.parted())
