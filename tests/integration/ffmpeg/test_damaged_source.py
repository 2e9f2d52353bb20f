"""A source that loses packets: a real FFmpeg reads it, and its counters and alarm follow."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.health import Health
from transcoder_tui.models.view import Telemetry
from transcoder_tui.worker.logfile import ChannelLog
from transcoder_tui.worker.monitor import Monitor, Observed
from transcoder_tui.worker.rundir import RunDir

HASTE = 20
"""So many times faster runs the clock of the monitor: its windows of 10 s are half a second."""
VIDEO_PID = 0x100
EVERY = 8
"""Datagrams of which one loses a packet."""


class Relay:
    """Passes a transport stream on over UDP, and loses a packet of its picture now and then while it is told to."""

    def __init__(self, target: int) -> None:
        self.loses = False
        self.lost = 0
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.settimeout(0.1)
        self.port = self._socket.getsockname()[1]
        self._target = ("127.0.0.1", target)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._pass_on)
        self._thread.start()

    def close(self) -> None:
        self._ended.set()
        self._thread.join()
        self._socket.close()

    def _pass_on(self) -> None:
        number = 0
        while not self._ended.is_set():
            try:
                data = self._socket.recv(2048)
            except TimeoutError:
                continue
            number += 1
            if self.loses and number % EVERY == 0:
                data = self._robbed(data)
            self._socket.sendto(data, self._target)

    def _robbed(self, data: bytes) -> bytes:
        for start in range(0, len(data), 188):
            if int.from_bytes(data[start + 1 : start + 3], "big") & 0x1FFF == VIDEO_PID:
                self.lost += 1
                return data[:start] + data[start + 188 :]
        return data


@pytest.fixture
def relay(free_port: Any) -> Iterator[tuple[Relay, int]]:
    """The relay, and the port on which its target listens."""
    target = free_port()
    with closing(Relay(target)) as running:
        yield running, target


@pytest.mark.long
def test_damage_of_a_source_is_counted_and_raises_an_alarm_until_it_is_clean(
    start: Any, helper: Any, relay: tuple[Relay, int], eventually: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    way, port = relay
    bars = ("-re", "-f", "lavfi", "-i", "testsrc2=size=320x180:rate=25", "-re", "-f", "lavfi", "-i", "sine=r=48000")
    coded = ("-c:v", "libx264", "-preset", "ultrafast", "-g", "12", "-b:v", "900k", "-c:a", "mp2")
    helper(*bars, *coded, "-f", "mpegts", f"udp://127.0.0.1:{way.port}?pkt_size=1316")
    rendition = {"name": "a", "video": {"size": "160x90", "bitrate": "100k", "preset": "ultrafast"}, "audio": None}
    spec = {
        "name": "Damaged",
        "sources": [{"url": f"udp://127.0.0.1:{port}"}],
        "renditions": [rendition],
        "outputs": [{"url": "file://a.ts"}],
    }
    run = start(ChannelSpec.model_validate(spec))
    run_dir = RunDir(tmp_path / "run")
    run_dir.path.mkdir()
    run_dir.progress.symlink_to(run.progress_file)
    real = time.monotonic
    monkeypatch.setattr("transcoder_tui.worker.monitor.time.monotonic", lambda: real() * HASTE)
    observed = Observed(run_dir, None, run.log_file, run.source, (), 0, 60)
    monitor = Monitor(observed, ChannelLog(tmp_path / "log", 1_000_000))

    def read() -> Monitor:
        monitor.read()
        return monitor

    def figures() -> Telemetry | None:
        """Known for a while after each of FFmpeg's reports, of which there is one a second."""
        found = read().figures(time.monotonic())
        return found if found.corrupt is not None else None

    patience = 60 * HASTE
    eventually(lambda: read().on_air, patience)
    clean = eventually(figures, patience)
    assert (clean.corrupt, clean.corrupt_per_min) == (0, 0)
    assert monitor.damage(time.monotonic()) is None

    way.loses = True
    trouble = eventually(lambda: read().damage(time.monotonic()), patience)
    way.loses = False
    assert trouble.health is Health.SOURCE_DAMAGED
    assert trouble.message.startswith(f"udp://127.0.0.1:{port} arrives damaged")
    assert monitor.complaint(time.monotonic()) is None

    eventually(lambda: read().damage(time.monotonic()) is None, patience)
    after = eventually(figures, patience)
    # Several packets lost of one picture are one damaged picture.
    assert 3 <= after.corrupt <= way.lost
    assert run.process.poll() is None
    assert (tmp_path / "roots" / "media" / "a.ts").stat().st_size > 0
