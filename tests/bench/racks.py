"""The two sides that the bench of the worker compares: this program and supervisord, with the same children.

A child is a fake FFmpeg with the command line that the worker would start, its progress going to a file of its own,
behind the same ``sh`` that the worker starts it by.
"""

import asyncio
import http.client
import os
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import xmlrpc.client
from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import measuring
import probed_worker

from transcoder_tui.client.background import keeper_environment
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import NoWorker
from transcoder_tui.ffmpeg.binary import inspect_binary
from transcoder_tui.ffmpeg.command import HostFacts, build_command
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.job import Status
from transcoder_tui.settings import Settings, load_settings
from transcoder_tui.worker import outputs

PATIENCE_S = 300.0
"""After so many seconds without what a measurement waits for, the bench gives up."""
START_S = 30.0
"""A worker that does not answer by then does not start."""
APPLIED_AT_ONCE = 100
"""Channels of one line-up."""
ORDERS_AT_ONCE = 8
"""Start orders that are on their way at the same time."""
CHILD_FILES = 3
"""Descriptors that supervisord holds for each child."""
KEEPER = "import sys; from transcoder_tui.worker.keeper import main; sys.exit(main(sys.argv[1:]))"


def channel(number: int, *, silent: bool = False) -> dict[str, Any]:
    """A channel of the rack.

    Args:
        number: Which one. Those with even numbers write UDP, the others HLS, since racks have both.
        silent: All write UDP, of which FFmpeg logs nothing; it logs two lines for each segment of HLS.
    """
    udp = silent or number % 2 == 0
    return {
        "name": f"Channel {number:04d}",
        "sources": [{"url": "test://bars?size=640x360&fps=25"}],
        "renditions": [
            {
                "name": "360p",
                "video": {"size": "640x360", "fps": 25, "bitrate": "800k", "preset": "superfast", "gop": "2s"},
                "audio": {"bitrate": "96k"},
            }
        ],
        "outputs": [{"url": f"udp://127.0.0.1:{20000 + number}" if udp else f"hls://channel-{number}"}],
        "autostart": False,
    }


class Rack(ABC):
    """One supervisor with its children.

    Args:
        count: Children.
        fake: The fake FFmpeg.
        silent: Whether the children have nothing to log.
    """

    def __init__(self, count: int, fake: Path, *, silent: bool) -> None:
        self.count = count
        self.fake = fake
        self.silent = silent
        self.home = Path(tempfile.mkdtemp(prefix="tt-bench-", dir="/tmp"))
        shm = Path("/dev/shm")
        self.tmpfs = Path(tempfile.mkdtemp(prefix="tt-bench-", dir=shm if os.access(shm, os.W_OK) else self.home))

    @abstractmethod
    def open(self) -> None:
        """Brings the supervisor up; no child runs yet."""

    @abstractmethod
    def order_all(self) -> None:
        """Orders every child to start; returns when the orders are accepted."""

    @abstractmethod
    def running(self) -> int:
        """How many children the supervisor says are running."""

    @abstractmethod
    def overseers(self) -> list[int]:
        """The pids of the supervisor itself."""

    def parent(self) -> int:
        """The pid whose children the FFmpegs are."""
        return self.overseers()[-1]

    def fakes(self) -> set[int]:
        """The pids of the fake FFmpegs that run."""
        return {pid for pid in measuring.children(self.parent()) if self.is_fake(pid)}

    def is_fake(self, pid: int) -> bool:
        """Whether a process is a fake FFmpeg of ours, and no longer the shell that becomes it."""
        with suppress(OSError):
            return str(self.fake).encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0")[:3]
        return False

    def await_fakes(self) -> float:
        """Waits until every child was executed; returns when, in seconds of the monotonic clock."""
        seen: set[int] = set()

        def all_there() -> bool:
            seen.update(pid for pid in measuring.children(self.parent()) - seen if self.is_fake(pid))
            return len(seen) >= self.count

        return until(all_there, 0.01)

    def close(self) -> None:
        """Kills the supervisor, then its children, and removes what they wrote."""
        overseers = self.overseers()
        # Without its keeper a worker is not started again, and without a worker no child.
        for pid in overseers:
            kill(pid)
        for pid in self._everybody():
            kill(pid)
        shutil.rmtree(self.home, ignore_errors=True)
        shutil.rmtree(self.tmpfs, ignore_errors=True)

    def _everybody(self) -> list[int]:
        """All processes with our directory or our fake on their command line, other than this one."""
        marks = (bytes(self.home), bytes(self.fake))
        found = []
        for entry in Path("/proc").iterdir():
            if entry.name.isdigit() and int(entry.name) != os.getpid():
                with suppress(OSError):
                    command = (entry / "cmdline").read_bytes()
                    if any(mark in command for mark in marks):
                        found.append(int(entry.name))
        return found


def until(check: Callable[[], bool], interval_s: float) -> float:
    """Looks until something holds; returns when, in seconds of the monotonic clock."""
    deadline = time.monotonic() + PATIENCE_S
    while not check():
        if time.monotonic() > deadline:
            raise TimeoutError(f"waited {PATIENCE_S:g} s in vain")
        time.sleep(interval_s)
    return time.monotonic()


def kill(pid: int) -> None:
    """Ends a process that we started."""
    with suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


class OurRack(Rack):
    """Keeper and worker of this program.

    Args:
        count: Channels.
        fake: The fake FFmpeg.
        at_once: Channels in start-up at the same time; None leaves it to the program.
        silent: Whether the channels have nothing to log.
    """

    name = "transcoder-tui"

    def __init__(self, count: int, fake: Path, at_once: int | None, *, silent: bool = False) -> None:
        super().__init__(count, fake, silent=silent)
        self.probe = self.home / "probe"
        self.probe.write_bytes(bytes(probed_worker.FIGURES.size))
        self.settings = self._settings(at_once)
        self._keeper: subprocess.Popen[bytes] | None = None
        self._worker = 0
        self._ids: list[int] = []

    def _settings(self, at_once: int | None) -> Settings:
        # Failures are forgotten early, because the same channel may be killed again.
        chosen: dict[str, Any] = {"retry": {"healthy_after_s": 1}, "ffmpeg": {"path": self.fake}}
        if at_once is not None:
            chosen["start"] = {"at_once": at_once}
        return load_settings(data_dir=self.home, run_dir=self.tmpfs, **chosen)

    def open(self) -> None:
        environment = {
            **keeper_environment(self.settings),
            "TRANSCODER_FFMPEG__PATH": str(self.fake),
            "TRANSCODER_RETRY__HEALTHY_AFTER_S": "1",
            "BENCH_PROBE": str(self.probe),
        }
        if self.settings.start.at_once is not None:
            environment["TRANSCODER_START__AT_ONCE"] = str(self.settings.start.at_once)
        with (self.home / "keeper.log").open("wb") as log:
            argv = [sys.executable, "-c", KEEPER, sys.executable, probed_worker.__file__]
            self._keeper = subprocess.Popen(
                argv, env=environment, cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True
            )
        self._worker = asyncio.run(self._answering())
        self._ids = asyncio.run(self._create())

    async def _answering(self) -> int:
        deadline = time.monotonic() + START_S
        async with WorkerClient(self.settings.socket) as client:
            while time.monotonic() < deadline:
                try:
                    return (await client.worker()).pid
                except NoWorker:
                    if self._keeper is not None and self._keeper.poll() is not None:
                        break
                    await asyncio.sleep(0.02)
        raise RuntimeError((self.home / "keeper.log").read_text())

    async def _create(self) -> list[int]:
        channels = [channel(number, silent=self.silent) for number in range(self.count)]
        async with WorkerClient(self.settings.socket) as client:
            for first in range(0, self.count, APPLIED_AT_ONCE):
                await client.apply({"version": 1, "channels": channels[first : first + APPLIED_AT_ONCE]})
            return [document.id for document in await client.channels()]

    def order_all(self) -> None:
        asyncio.run(self._order_all())

    async def _order_all(self) -> None:
        waiting = iter(self._ids)
        async with WorkerClient(self.settings.socket) as client:

            async def some(ids: Iterator[int]) -> None:
                for channel_id in ids:
                    await client.order(channel_id, "start")

            await asyncio.gather(*(some(waiting) for _ in range(ORDERS_AT_ONCE)))

    def running(self) -> int:
        return asyncio.run(self._statuses())[Status.RUNNING]

    async def _statuses(self) -> Counter[Status]:
        async with WorkerClient(self.settings.socket) as client:
            return Counter(job.status for job in await client.jobs())

    def overseers(self) -> list[int]:
        return [pid for pid in (self._keeper.pid if self._keeper else 0, self._worker) if pid]

    def answer_times(self, count: int) -> list[float]:
        """How long it takes until the worker says how it is, asked ``count`` times in a row."""
        return asyncio.run(self._answer_times(count))

    async def _answer_times(self, count: int) -> list[float]:
        found = []
        async with WorkerClient(self.settings.socket) as client:
            await client.worker()
            for _ in range(count):
                begun = time.perf_counter()
                await client.worker()
                found.append(time.perf_counter() - begun)
                await asyncio.sleep(0.02)
        return found

    def watch(self) -> subprocess.Popen[bytes]:
        """Somebody who follows the live stream, as a console does; end it with ``kill``."""
        program = (
            "import socket, sys\n"
            "stream = socket.socket(socket.AF_UNIX)\n"
            "stream.connect(sys.argv[1])\n"
            "stream.sendall(b'GET /api/v1/stream HTTP/1.1\\r\\nHost: worker\\r\\n\\r\\n')\n"
            "while stream.recv(1 << 20): pass\n"
        )
        return subprocess.Popen([sys.executable, "-ISc", program, str(self.settings.socket)])

    def close(self) -> None:
        super().close()
        if self._keeper is not None:
            self._keeper.wait()


class SupervisordRack(Rack):
    """supervisord.

    Args:
        count: Children.
        fake: The fake FFmpeg.
        supervisord: The program.
        silent: Whether the children have nothing to log.
        takes_progress: Whether the children write their progress to supervisord, which puts it into a log, instead of
            to a file that nobody reads.
    """

    name = "supervisord"

    def __init__(
        self, count: int, fake: Path, supervisord: Path, *, silent: bool = False, takes_progress: bool = False
    ) -> None:
        super().__init__(count, fake, silent=silent)
        self.supervisord = supervisord
        self.takes_progress = takes_progress
        self._process: subprocess.Popen[bytes] | None = None
        self._socket = self.tmpfs / "supervisor.sock"

    def open(self) -> None:
        config = self.home / "supervisord.conf"
        config.write_text(self._config())
        with (self.home / "output").open("wb") as log:
            argv = [str(self.supervisord), "--nodaemon", "--configuration", str(config)]
            self._process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
        until(self._answers, 0.02)

    def _config(self) -> str:
        # Each start closes every descriptor up to minfds, so no more than needed.
        parts = [
            "[supervisord]",
            f"logfile={self.home}/supervisord.log",
            f"pidfile={self.home}/supervisord.pid",
            f"childlogdir={self.home}",
            f"minfds={max(1024, self.count * CHILD_FILES + 200)}",
            "[unix_http_server]",
            f"file={self._socket}",
            "[rpcinterface:supervisor]",
            "supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface",
        ]
        host = HostFacts({}, [self.home / "media"], self.home / "hls", 1 if self.takes_progress else 3)
        binary = inspect_binary(self.fake, "settings")
        for number in range(self.count):
            spec = ChannelSpec.model_validate(channel(number, silent=self.silent))
            outputs.prepare(spec, host)
            argv = build_command(spec, binary, host).argv
            redirect = "" if self.takes_progress else f" 3>>{self.tmpfs}/{number}.progress"
            command = shlex.join(["/bin/sh", "-c", f'exec "$0" "$@"{redirect}', *argv])
            parts += [
                f"[program:channel{number}]",
                f"command={command.replace('%', '%%')}",
                "autostart=false",
                "autorestart=true",
                "startsecs=1",
                f"stdout_logfile={f'{self.home}/{number}.progress' if self.takes_progress else 'NONE'}",
                f"stderr_logfile={self.home}/{number}.log",
                "stderr_logfile_maxbytes=10MB",
                "stderr_logfile_backups=1",
            ]
        return "\n".join(parts) + "\n"

    def _answers(self) -> bool:
        assert self._process is not None
        if self._process.poll() is not None:
            raise RuntimeError((self.home / "output").read_text())
        try:
            return bool(self._call().supervisor.getState())
        except (OSError, http.client.HTTPException):
            return False

    def _call(self) -> Any:
        return xmlrpc.client.ServerProxy("http://supervisord", transport=_UnixTransport(self._socket))

    def order_all(self) -> None:
        self._call().supervisor.startAllProcesses(False)

    def running(self) -> int:
        return sum(info["statename"] == "RUNNING" for info in self._call().supervisor.getAllProcessInfo())

    def overseers(self) -> list[int]:
        return [self._process.pid] if self._process else []

    def close(self) -> None:
        super().close()
        if self._process is not None:
            self._process.wait()


class _UnixTransport(xmlrpc.client.Transport):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self._path = path

    def make_connection(self, host: Any) -> http.client.HTTPConnection:
        connection = http.client.HTTPConnection("localhost")
        connection.sock = socket.socket(socket.AF_UNIX)
        connection.sock.connect(str(self._path))
        return connection
