"""Several sources: hand-over, return, manual choice, and what is told of it. Real FFmpeg sends and receives."""

import asyncio
import os
import signal
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fake_ffmpeg import real_ffmpeg
from worker_rig import channel, installation, is_running, row_of

from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.event import EventKind
from transcoder_tui.models.health import Health
from transcoder_tui.models.view import ChannelView
from transcoder_tui.settings import Settings

BACKUP = "test://bars?size=160x90"


@pytest.fixture
def settings() -> Iterator[Settings]:
    with installation(
        SOURCES__RETURN_AFTER_S="2", SOURCES__PROBE_EVERY_S="1", WATCHDOG__STALL_S="4", RETRY__MAX_DELAY_S="2"
    ) as settings:
        ensure_worker(settings)
        yield settings


@pytest.fixture
def port() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


@contextmanager
def sender(port: int) -> Iterator["subprocess.Popen[bytes]"]:
    """A transport stream to a local port."""
    argv = [
        *(real_ffmpeg(), "-loglevel", "error", "-nostdin", "-re"),
        *("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25", "-f", "lavfi", "-i", "sine=frequency=440"),
        *("-c:v", "mpeg2video", "-g", "10", "-b:v", "300k", "-c:a", "mp2", "-f", "mpegts"),
        f"udp://127.0.0.1:{port}?pkt_size=1316",
    ]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def on_source(number: int) -> "object":
    return lambda row: is_running(row) and row.source_index == number - 1


async def test_a_lost_source_hands_over_and_the_channel_returns_when_it_is_good_again(
    settings: Settings, port: int
) -> None:
    async with WorkerClient(settings.socket) as client:
        with sender(port):
            sources = [{"url": f"udp://127.0.0.1:{port}"}, {"url": BACKUP}]
            created = await client.create(channel(sources=sources))
            await row_of(client, created.id, on_source(1))

        backup = await row_of(client, created.id, on_source(2))
        assert backup.gap_s is not None and backup.gap_s < 15
        told = await row_of(client, created.id, lambda row: row.health == Health.ON_BACKUP)
        assert "on source 2 of 2" in told.message

        with sender(port):
            back = await row_of(client, created.id, on_source(1))
            assert back.gap_s is not None
            await row_of(client, created.id, lambda row: row.health == Health.OK)

        events = await client.events(100, created.id)
        assert any("returns to source 1, which has been good for" in event.message for event in events)
        raised = [event.health for event in events if event.kind == EventKind.RAISED]
        cleared = [event.health for event in events if event.kind == EventKind.CLEARED]
        assert Health.ON_BACKUP in raised
        assert sorted(raised) == sorted(cleared)


async def test_an_operator_chooses_the_source_and_nothing_leads_away_from_it(settings: Settings, port: int) -> None:
    async with WorkerClient(settings.socket) as client:
        sources = [{"url": "test://bars?size=320x180"}, {"url": BACKUP}, {"url": f"udp://127.0.0.1:{port}"}]
        created = await client.create(channel(sources=sources))
        await row_of(client, created.id, on_source(1))

        order = await client.switch(created.id, 1)

        assert order.changed
        view = await row_of(client, created.id, on_source(2))
        assert view.pinned and view.gap_s is not None
        assert not (await client.switch(created.id, 1)).changed
        # Longer than the time after which it would return by itself.
        await asyncio.sleep(4)
        assert (await row_of(client, created.id, is_running)).source_index == 1
        # A failure that is the source's own leads away.
        await client.switch(created.id, 2)
        view = await row_of(client, created.id, lambda row: is_running(row) and row.source_index != 1)
        assert (view.source_index, view.pinned) == (0, False)
        with pytest.raises(InvalidInput, match="no source 9"):
            await client.switch(created.id, 8)
        await client.order(created.id, "stop")
        with pytest.raises(InvalidInput, match="is stopped"):
            await client.switch(created.id, 1)


@pytest.mark.long
async def test_an_ffmpeg_that_is_killed_comes_back_on_the_same_source(settings: Settings) -> None:
    async with WorkerClient(settings.socket) as client:
        created = await client.create(channel(sources=[{"url": "test://bars?size=320x180"}, {"url": BACKUP}]))
        first = await row_of(client, created.id, on_source(1))
        assert first.pid is not None

        os.kill(first.pid, signal.SIGKILL)

        def came_back(row: ChannelView) -> bool:
            return is_running(row) and row.pid != first.pid

        assert (await row_of(client, created.id, came_back)).source_index == 0
