"""Sources from which packets arrive that no picture can be made of."""

import socket
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from fake_ffmpeg import real_ffmpeg
from worker_rig import channel, installation, is_running, row_of

from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status
from transcoder_tui.models.view import ChannelView

pytestmark = pytest.mark.long

PICTURE, SOUND = 0x100, 0x101
"""PIDs that FFmpeg gives to a picture and a sound."""
RATE = 600_000
"""Bits per second that are sent."""
DATAGRAM = 7 * 188


@pytest.fixture(scope="module")
def programme(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Eight seconds of a transport stream at the rate at which it is sent."""
    file = tmp_path_factory.mktemp("programme") / "programme.ts"
    argv = [
        *(real_ffmpeg(), "-loglevel", "error", "-nostdin"),
        *("-f", "lavfi", "-i", "testsrc2=size=160x90:rate=25", "-f", "lavfi", "-i", "sine=frequency=440", "-t", "8"),
        *("-c:v", "libx264", "-preset", "ultrafast", "-g", "10", "-b:v", "200k", "-c:a", "mp2", "-b:a", "64k"),
        *("-f", "mpegts", "-muxrate", str(RATE), str(file)),
    ]
    subprocess.run(argv, check=True)
    return file.read_bytes()


def scrambled(stream: bytes) -> bytes:
    """The same with picture and sound made unreadable, as conditional access does."""
    packets = bytearray(stream)
    for start in range(0, len(packets), 188):
        if (packets[start + 1] & 0x1F) << 8 | packets[start + 2] in (PICTURE, SOUND):
            field = 1 + packets[start + 4] if packets[start + 3] & 0x20 else 0
            packets[start + 3] |= 0x80
            payload = packets[start + 4 + field : start + 188]
            packets[start + 4 + field : start + 188] = bytes((byte * 167 + 91) % 256 for byte in payload)
    return bytes(packets)


@contextmanager
def sent(stream: bytes, *, rtp: bool = False) -> Iterator[str]:
    """Sends a transport stream again and again, its timestamps as they are; gives where to."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = int(free.getsockname()[1]) & ~1
    done = threading.Event()

    def send() -> None:
        number = 0
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while True:
                for start in range(0, len(stream) - DATAGRAM + 1, DATAGRAM):
                    head = struct.pack(">BBHII", 0x80, 33, number & 0xFFFF, number * 1000 & 0xFFFFFFFF, 7)
                    sender.sendto((head if rtp else b"") + stream[start : start + DATAGRAM], ("127.0.0.1", port))
                    number += 1
                    if done.wait(DATAGRAM * 8 / RATE):
                        return

    thread = threading.Thread(target=send)
    thread.start()
    try:
        yield f"{'rtp' if rtp else 'udp'}://127.0.0.1:{port}"
    finally:
        done.set()
        thread.join()


async def test_a_scrambled_source_is_not_called_silent(programme: bytes) -> None:
    with (
        sent(scrambled(programme)) as url,
        installation(WATCHDOG__STARTUP_S="8", RETRY__ATTEMPTS="0") as settings,
    ):
        ensure_worker(settings)
        async with WorkerClient(settings.socket) as client:
            created = await client.create(channel(sources=[{"url": url}]))

            given_up = await row_of(client, created.id, lambda row: row.status == Status.ERROR)

    assert given_up.message.endswith(f"nothing of {url} could be decoded")
    assert "scrambled" in given_up.remedy


async def test_a_sender_of_rtp_that_starts_again_is_taken_up_within_seconds(programme: bytes) -> None:
    def fell_silent(row: ChannelView) -> bool:
        return any(alarm.health == Health.INPUT_LOST for alarm in row.alarms)

    with sent(programme, rtp=True) as url, installation(WATCHDOG__STALL_S="60") as settings:
        ensure_worker(settings)
        async with WorkerClient(settings.socket) as client:
            created = await client.create(channel(sources=[{"url": url}]))
            first = await row_of(client, created.id, is_running)

            lost = await row_of(client, created.id, fell_silent)
            again = await row_of(client, created.id, lambda row: is_running(row) and row.pid != first.pid)

    [alarm] = lost.alarms
    assert alarm.message.startswith(f"nothing usable has arrived from {url}")
    assert "a jump of its timestamps" in alarm.remedy
    assert again.gap_s is not None
    assert again.gap_s < 30
