"""What a case needs from this machine: ports, directories, the channel on air, and programs of other makers."""

import asyncio
import os
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest
from real_ffmpeg import Run, put_on_air

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.worker.masters import Masters
from transcoder_tui.worker.outputs import finalise, prepare, tend, tend_subtitles
from transcoder_tui.worker.resolution import resolved

PACKAGES = {
    "ffmpeg": "ffmpeg",
    "ffprobe": "ffmpeg",
    "tsreport": "tstools",
    "tsinfo": "tstools",
    "dvbinfo": "dvbpsi-utils",
    "multicat": "multicat",
    "ingests": "multicat",
    "srt-live-transmit": "srt-tools",
    "nginx": "nginx-light libnginx-mod-rtmp",
    "chromium": "chromium",
    "npm": "npm",
    "openssl": "openssl",
}
"""Each program that the suite runs, and what to install on Debian for it."""
PATH = f"/usr/local/bin:{os.defpath}:/usr/local/sbin:/usr/sbin:/sbin"
"""Where the programs are looked for: nginx is where only root looks."""
TENDED_S = 1.0
"""Seconds between two looks at the files of a channel."""
PATIENCE_S = 60.0


def tool_found(name: str) -> str | None:
    """Where a program is; None where it is missing."""
    return shutil.which(name, path=PATH)


def tool_path(name: str) -> str:
    """Where a program is; skips the test where it is missing."""
    found = tool_found(name)
    if found is None:
        pytest.skip(f"there is no {name}: apt install {PACKAGES[name]}")
    return found


def tool(name: str, *arguments: str) -> str:
    """Runs a program of another maker to its end; gives what it said on both its outputs."""
    done = subprocess.run(
        [tool_path(name), *arguments],
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=PATIENCE_S,
        check=False,
    )
    return (done.stdout + done.stderr).decode(errors="replace")


def until(check: Callable[[], object], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Waits until something holds."""
    deadline = time.monotonic() + timeout_s
    while not check():
        assert time.monotonic() < deadline, f"not within {timeout_s:g} s: {what}"
        time.sleep(0.05)


@dataclass
class Rig:
    """One case with one FFmpeg."""

    binary: Binary
    host: HostFacts
    directory: Path
    clip: Path
    """Ends after some seconds; it can be looped without a seam."""
    programme: Path
    """The same content without an end, as far as a case is concerned; a transport stream at a constant rate."""
    on_air: list[Callable[[], object]] = field(default_factory=list)
    """What peers do once the channel runs."""
    _processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def port(self) -> int:
        """A port on 127.0.0.1 that nobody uses right now, neither over TCP nor over UDP."""
        while True:
            with socket.socket() as stream, socket.socket(type=socket.SOCK_DGRAM) as datagram:
                stream.bind(("127.0.0.1", 0))
                port = int(stream.getsockname()[1])
                try:
                    datagram.bind(("127.0.0.1", port))
                except OSError:
                    continue
                return port

    def group(self) -> str:
        """A multicast group of this process's own."""
        number = os.getpid()
        return f"239.255.{number >> 8 & 0xFF}.{number & 0xFF}"

    def run(self, name: str, *arguments: str, output: Path | None = None) -> subprocess.Popen[bytes]:
        """Starts a program of another maker; it is ended with the case, if not before."""
        path = tool_path(name)
        log = self.directory / f"{len(self._processes)}-{Path(name).name}.log"
        with log.open("wb") as said, (output or log).open("ab") as written:
            process = subprocess.Popen(
                [path, *arguments],
                cwd=self.directory,
                stdin=subprocess.DEVNULL,
                stdout=written,
                stderr=said,
                start_new_session=True,
            )
        self._processes.append(process)
        return process

    def end(self, process: subprocess.Popen[bytes]) -> None:
        """Ends a program with all its children."""
        for number in (signal.SIGTERM, signal.SIGKILL):
            if process.poll() is None:
                os.killpg(process.pid, number)
            try:
                process.wait(3)
            except subprocess.TimeoutExpired:
                continue

    def close(self) -> None:
        """Ends all programs."""
        for process in reversed(self._processes):
            self.end(process)

    @contextmanager
    def channel(self, spec: ChannelSpec) -> Iterator[Run]:
        """Puts a channel on air as the worker does, tends its files, and ends its playlists when the block ends."""
        found = asyncio.run(resolved(spec, 0, self.binary, self.host))
        chosen = found.spec
        prepare(chosen, self.host, found.texts)
        run = put_on_air(chosen, self.binary, self.host, self.directory, "channel", found.codecs, found.texts)
        with ThreadPoolExecutor(1) as worker:
            over = threading.Event()
            tended = worker.submit(self._tend, chosen, over)
            try:
                for peer in self.on_air:
                    peer()
                yield run
            finally:
                run.stop()
                over.set()
        tended.result()
        finalise(chosen, self.host)

    def _tend(self, spec: ChannelSpec, over: threading.Event) -> None:
        masters = Masters()
        ended = False
        while not ended:
            # Once more behind the end, for the segments that came last.
            ended = over.wait(TENDED_S)
            tend_subtitles(spec, self.host)
            faults = tend(spec, self.host, masters, time.time()).faults
            assert faults == (), faults


def media_time(run: Run, seconds: float) -> None:
    """Waits until a channel has sent so many seconds of media."""

    def there() -> bool:
        assert run.process.poll() is None, f"FFmpeg ended:\n{run.log[-3000:]}"
        return run.media_time >= seconds

    until(there, f"{seconds:g} s of media", PATIENCE_S + 2 * seconds)


def listening(port: int) -> bool:
    """Whether somebody takes connections on a TCP port of this machine; a look at it, for some take one only."""
    sockets = psutil.net_connections("tcp")
    return any(one.status == psutil.CONN_LISTEN and one.laddr and one.laddr.port == port for one in sockets)
