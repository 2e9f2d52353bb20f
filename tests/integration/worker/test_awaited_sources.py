"""Sources that the worker has to wait for or to look into: publishers, and services by their name."""

import socket
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from fake_ffmpeg import real_ffmpeg
from worker_rig import channel, installation, is_running, row_of

from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status
from transcoder_tui.models.view import ChannelView
from transcoder_tui.settings import Settings


@pytest.fixture
def settings() -> Iterator[Settings]:
    with installation(WATCHDOG__STARTUP_S="3", RETRY__MAX_DELAY_S="2") as settings:
        ensure_worker(settings)
        yield settings


@contextmanager
def sender(muxer: str, url: str, *options: str) -> Iterator[None]:
    """Sends a small programme."""
    argv = [
        *(real_ffmpeg(), "-loglevel", "error", "-re"),
        *("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25", "-f", "lavfi", "-i", "sine=frequency=440"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-b:v", "300k", "-c:a", "aac"),
        *(*options, "-f", muxer, url),
    ]
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL)
    try:
        yield
    finally:
        process.kill()
        process.wait()


def free_port(kind: socket.SocketKind) -> int:
    with socket.socket(socket.AF_INET, kind) as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def with_message(words: str) -> Callable[[ChannelView], bool]:
    return lambda row: words in row.message


@pytest.mark.long
async def test_a_channel_waits_for_its_publisher_beyond_the_time_of_a_start(settings: Settings) -> None:
    port = free_port(socket.SOCK_STREAM)
    url = f"rtmp://127.0.0.1:{port}/live/key"
    async with WorkerClient(settings.socket) as client:
        created = await client.create(channel(sources=[{"url": url, "listen": True}]))

        waiting = await row_of(client, created.id, with_message(f"waits for a publisher on port {port}"))
        assert (waiting.status, waiting.health) == (Status.PENDING, Health.NO_PEER)
        with sender("flv", url):
            view = await row_of(client, created.id, is_running)

        assert (view.pid, view.restarts) == (waiting.pid, 0)


@pytest.mark.long
async def test_a_service_that_is_not_there_is_a_failed_start_and_is_looked_for_again(settings: Settings) -> None:
    port = free_port(socket.SOCK_DGRAM)
    async with WorkerClient(settings.socket) as client:
        target = f"udp://127.0.0.1:{port}?pkt_size=1316"
        with sender("mpegts", target, "-metadata", "service_name=SPORT"):
            source = {"url": f"udp://127.0.0.1:{port}", "program": "NEWS"}
            created = await client.create(channel(sources=[source]))
            failed = await row_of(client, created.id, with_message("no program 'NEWS'"))
            assert failed.remedy == "there are: 1 SPORT"

        with sender("mpegts", target, "-metadata", "service_name=NEWS"):
            view = await row_of(client, created.id, is_running)
            assert view.restarts > 0


@pytest.mark.long
async def test_a_stop_does_not_wait_for_a_look_into_a_silent_source(settings: Settings) -> None:
    port = free_port(socket.SOCK_DGRAM)
    async with WorkerClient(settings.socket) as client:
        created = await client.create(channel(sources=[{"url": f"udp://127.0.0.1:{port}", "program": "NEWS"}]))
        await row_of(client, created.id, lambda row: row.status == Status.PENDING)

        await client.order(created.id, "stop")

        stopped = await row_of(client, created.id, lambda row: row.status == Status.STOPPED)
        assert stopped.message == "", "the look, which ends with a fault, did not come to its end"
        await client.order(created.id, "start")
        await row_of(client, created.id, with_message("no packets"))
