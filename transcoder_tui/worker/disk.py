"""Does what a hanging disk would hold up, so that it holds up nobody but the channel that needs it."""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

ANSWER_S = 5.0
"""Time in which a disk that works has answered, however busy it is."""

T = TypeVar("T")


class Disk:
    """One thread beside the event loop. Where it hangs, another takes its place, and it ends when its disk answers."""

    def __init__(self) -> None:
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="disk")

    async def ask(self, work: Callable[[], T]) -> T:
        """Does some work that reads or writes files.

        Raises:
            TimeoutError: Where it did not come to its end within :data:`ANSWER_S`.
        """
        thread = self._thread
        try:
            async with asyncio.timeout(ANSWER_S):
                return await asyncio.get_running_loop().run_in_executor(thread, work)
        except TimeoutError:
            if thread is self._thread:
                self._thread = ThreadPoolExecutor(1, thread_name_prefix="disk")
            thread.shutdown(wait=False, cancel_futures=True)
            raise

    def close(self) -> None:
        """Waits for nothing."""
        self._thread.shutdown(wait=False, cancel_futures=True)
