"""Faulty outputs of several: told, tried again, and unnoticed by the others. With the whole worker."""

import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
from udp_receiver import UdpReceiver
from worker_rig import Wait, channel, installation, is_running, row_of

from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.models.event import EventKind
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status
from transcoder_tui.settings import Settings


class Receiver(UdpReceiver):
    """Counts what arrives over UDP, and gaps in it."""

    def __init__(self) -> None:
        self.packets = 0
        self.gaps = 0
        self._counters: dict[int, int] = {}
        taken = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 22)
        taken.bind(("127.0.0.1", 0))
        self.port = int(taken.getsockname()[1])
        super().__init__(taken, self._count_all)

    def _count_all(self, datagram: bytes) -> None:
        for start in range(0, len(datagram), 188):
            self._count(datagram[start : start + 188])

    def _count(self, packet: bytes) -> None:
        """Continuity, ISO/IEC 13818-1 section 2.4.3.3."""
        self.packets += 1
        pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
        if pid == 0x1FFF or not packet[3] & 0x10:
            return
        counter, fresh = packet[3] & 0x0F, packet[3] & 0x20 and packet[4] and packet[5] & 0x80
        if not fresh and self._counters.get(pid, counter - 1 & 0x0F) != counter - 1 & 0x0F:
            self.gaps += 1
        self._counters[pid] = counter


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def rtmp_server() -> Iterator[Callable[[int], "subprocess.Popen[bytes]"]]:
    """Starts servers that take one publisher each."""
    started = []

    def serve(port: int) -> "subprocess.Popen[bytes]":
        listen = ["-listen", "1", "-i", f"rtmp://127.0.0.1:{port}/live/key", "-c", "copy", "-f", "null", "-"]
        argv = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", *listen]
        started.append(subprocess.Popen(argv, stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        return started[-1]

    yield serve
    for process in started:
        process.kill()
        process.wait()


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_a_dead_server_and_a_directory_in_the_way_are_told_and_come_back(
    client: WorkerClient,
    settings: Settings,
    wait: Wait,
    receiver: Receiver,
    rtmp_server: Callable[[int], "subprocess.Popen[bytes]"],
    eventually: Any,
) -> None:
    port = free_port()
    blocked = settings.hls / "news"
    blocked.parent.mkdir(parents=True, exist_ok=True)
    blocked.write_text("in the way")
    outputs = [
        {"url": f"udp://127.0.0.1:{receiver.port}"},
        {"url": f"rtmp://127.0.0.1:{port}/live/verysecretkey"},
        {"url": "hls://news", "segment": "1s"},
        {"url": "file://rec/news.ts", "split": "1h"},
    ]

    created = await client.create(channel(outputs=outputs))
    first = await wait(
        created.id,
        lambda row: (
            row.health == Health.OUTPUT_FAULT and "hls://news" in row.message and f"127.0.0.1:{port}" in row.message
        ),
    )
    assert is_running(first)
    assert "is no directory" in first.message
    assert "verysecretkey" not in first.message
    blocked.unlink()
    server = rtmp_server(port)

    await wait(created.id, lambda row: row.health == Health.OK)
    assert (blocked / "90p" / "index.m3u8").exists()
    assert list((settings.media[0] / "rec").glob("news-*Z.ts"))
    server.kill()

    await wait(created.id, lambda row: row.health == Health.OUTPUT_FAULT and f"127.0.0.1:{port}" in row.message)
    last = await wait(created.id, is_running)
    assert (last.pid, last.restarts) == (first.pid, 0)
    assert receiver.packets > 1000
    assert receiver.gaps == 0
    kinds = [event.kind for event in await client.events(50, created.id) if event.health == Health.OUTPUT_FAULT]
    assert kinds == [EventKind.RAISED, EventKind.CLEARED, EventKind.RAISED]


async def test_a_directory_in_the_way_of_the_only_output_keeps_a_channel_off_the_air(
    client: WorkerClient, settings: Settings, wait: Wait
) -> None:
    (settings.hls / "test").parent.mkdir(parents=True, exist_ok=True)
    (settings.hls / "test").write_text("in the way")

    created = await client.create(channel())

    row = await wait(created.id, lambda row: row.status in (Status.RETRYING, Status.ERROR))
    assert "is no directory" in row.message
    await client.order(created.id, "stop")
    (settings.hls / "test").unlink()


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of two megabytes."""
    mounted = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=2M", "tmpfs", str(tmp_path)], check=False)
    if mounted.returncode:
        pytest.skip("mounting a small disk is not permitted here")
    yield tmp_path
    subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


@pytest.mark.long
async def test_a_recording_on_a_full_disk_is_told_and_goes_on_when_there_is_room(
    small_disk: Path, receiver: Receiver, eventually: Any
) -> None:
    with installation(MEDIA_ROOTS=f'["{small_disk}"]') as settings:
        ensure_worker(settings)
        async with WorkerClient(settings.socket) as client:
            outputs = [
                {"url": f"udp://127.0.0.1:{receiver.port}"},
                {"url": "file://news.ts", "split": "1h", "keep_for": "1d"},
            ]
            created = await client.create(channel(outputs=outputs))
            first = await row_of(client, created.id, is_running)
            with (small_disk / "filler").open("wb", buffering=0) as filler:
                while _written(filler, 4096) or _written(filler, 1):
                    pass

            await row_of(client, created.id, lambda row: row.health == Health.OUTPUT_FAULT)
            (small_disk / "filler").unlink()
            last = await row_of(client, created.id, lambda row: row.health == Health.OK)

            assert (last.pid, last.restarts) == (first.pid, 0)
            assert receiver.gaps == 0


def _written(file: Any, size: int) -> bool:
    try:
        return bool(file.write(b"x" * size))
    except OSError:
        return False
