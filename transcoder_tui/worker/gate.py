"""Bounds how many channels start at the same time, so that no start is slow enough to look like a fault."""

import heapq
import itertools
from collections.abc import Callable


class Gate:
    """A number of places for channels in start-up; those that find none wait in the order of their priority.

    Args:
        places: How many channels start at the same time.
    """

    def __init__(self, places: int) -> None:
        self._places = places
        self._inside: set[int] = set()
        self._queue: list[tuple[int, int, int, Callable[[], None]]] = []
        self._waiting: set[int] = set()
        self._arrivals = itertools.count()

    def enter(self, channel_id: int) -> bool:
        """Takes a place.

        Returns:
            False where there is none left, or others wait for one.
        """
        if channel_id in self._inside:
            return True
        if len(self._inside) >= self._places or self._waiting:
            return False
        self._inside.add(channel_id)
        return True

    def wait(self, channel_id: int, priority: int, admitted: Callable[[], None]) -> None:
        """Waits for a place.

        Args:
            channel_id: Who waits.
            priority: The highest comes first, and among equals the one that waited longest.
            admitted: Called when it has a place.
        """
        self._waiting.add(channel_id)
        heapq.heappush(self._queue, (-priority, next(self._arrivals), channel_id, admitted))

    def leave(self, channel_id: int) -> None:
        """Gives up a place, or the waiting for one; does nothing where there is neither."""
        self._waiting.discard(channel_id)
        self._inside.discard(channel_id)
        while self._queue and len(self._inside) < self._places:
            _, _, following, admitted = heapq.heappop(self._queue)
            if following in self._waiting:
                self._waiting.discard(following)
                self._inside.add(following)
                admitted()

    @property
    def waiting(self) -> int:
        """How many wait."""
        return len(self._waiting)
