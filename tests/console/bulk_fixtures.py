"""A worker that takes its time with orders, and refuses some of them."""

import asyncio
from typing import Any

from rack_fixtures import FakeClient, view

from transcoder_tui.client.client import Verb
from transcoder_tui.errors import TranscoderError
from transcoder_tui.models.job import Status
from transcoder_tui.models.view import ChannelDocument, ChannelView, Order

GROUPS = ("News", "Sport", "Regional")


def regional(count: int, *, stopped: int = 0) -> list[ChannelView]:
    """So many channels, the last ``stopped`` of them stopped."""
    return [
        view(
            number,
            f"Regional {number:03}",
            Status.STOPPED if number > count - stopped else Status.RUNNING,
            group=GROUPS[number % 3],
        )
        for number in range(1, count + 1)
    ]


class SlowClient(FakeClient):
    """Answers an order when a test says so.

    Args:
        channels: What is there.
        answers: Orders that are answered at once; :meth:`answer` has it answer more. None answers all.
    """

    def __init__(self, channels: list[ChannelView], answers: int | None = 0) -> None:
        super().__init__(channels)
        self.failing: dict[int, TranscoderError] = {}
        """Channels for which orders are refused, and how."""
        self.underway = 0
        self.most_underway = 0
        self._turns = None if answers is None else asyncio.Semaphore(answers)

    def answer(self, count: int = 1) -> None:
        """Has it answer more orders, the oldest first."""
        assert self._turns is not None
        for _ in range(count):
            self._turns.release()

    async def _take_time(self, channel_id: int) -> None:
        self.underway += 1
        self.most_underway = max(self.most_underway, self.underway)
        try:
            if self._turns is not None:
                await self._turns.acquire()
        finally:
            self.underway -= 1
        if channel_id in self.failing:
            raise self.failing[channel_id]

    async def order(self, channel_id: int, verb: Verb) -> Order:
        answer = await super().order(channel_id, verb)
        await self._take_time(channel_id)
        return answer

    async def delete(self, channel_id: int) -> None:
        await super().delete(channel_id)
        await self._take_time(channel_id)

    async def change(self, channel_id: int, spec: dict[str, Any], revision: int | None = None) -> ChannelDocument:
        answer = await super().change(channel_id, spec, revision)
        await self._take_time(channel_id)
        return answer

    def ordered(self, verb: str) -> list[Any]:
        """What was asked under a verb."""
        return [what for asked, what in self.asked if asked == verb]
