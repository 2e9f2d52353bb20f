"""How a channel did: seen after seconds, and kept over the life of a worker."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from worker_rig import Wait, channel, is_running

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import InvalidInput, NoSuchChannel
from transcoder_tui.models.history import Series, Span


async def history(client: WorkerClient, channel_id: int, check: Callable[[Series], bool]) -> Series:
    """Asks once a second until it is as a check wants it."""
    async for _ in client.stream():
        if check(series := await client.history(channel_id)):
            return series
    raise AssertionError("the stream ended")


def known(values: list[float | None]) -> list[float]:
    return [value for value in values if value is not None]


async def test_figures_are_seen_soon_and_survive_the_worker(
    client: WorkerClient, wait: Wait, cli: Callable[..., Any]
) -> None:
    on_air = await client.create(channel("On air"))
    stopped = await client.create(channel("Stopped", autostart=False))
    await wait(on_air.id, is_running)

    first = await history(client, on_air.id, lambda series: len(known(series.fps)) >= 2)
    nothing = await client.history(stopped.id)
    day = await client.history(on_air.id, Span.DAY)

    assert (first.step_s, len(first.fps), day.step_s, len(day.fps)) == (5, 120, 300, 288)
    assert {len(values) for values in (first.speed, first.bitrate, first.cpu)} == {120}
    assert first.fps[0] is None
    assert first.fps[-1] is not None and 0 < first.fps[-1] < 200
    assert known(first.speed) and known(first.bitrate) and known(first.cpu)
    assert abs(datetime.now(UTC) - first.end) < timedelta(seconds=30)
    assert known(nothing.fps) == known(nothing.cpu) == []

    reloaded = await asyncio.to_thread(cli, "worker", "reload")
    assert reloaded.returncode == 0, reloaded.stderr
    after = await history(client, on_air.id, lambda series: series.fps[-1] is not None)
    assert known(first.fps)[0] in after.fps, "what was before the reload is still there"


async def test_what_cannot_be_told_is_refused(client: WorkerClient) -> None:
    created = await client.create(channel(autostart=False))

    with pytest.raises(NoSuchChannel):
        await client.history(created.id + 1)
    with pytest.raises(InvalidInput, match="span"):
        await client.history(created.id, "7d")
