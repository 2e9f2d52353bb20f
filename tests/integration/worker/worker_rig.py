"""Small things for the tests of the whole worker."""

import os
import shutil
import signal
import sys
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest

from transcoder_tui.client import background
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.models.job import Status
from transcoder_tui.models.view import ChannelView
from transcoder_tui.settings import Settings, load_settings
from transcoder_tui.store.migrate import migrate
from transcoder_tui.worker.process import environment
from transcoder_tui.worker.rundir import RunDir

Wait = Callable[[int, Callable[[ChannelView], bool]], Awaitable[ChannelView]]
"""Waits until a channel is as a check wants it."""
START_S = 60.0
"""Longest wait for a new worker, on a machine that has its hands full."""


def channel(name: str = "Test", **changes: Any) -> dict[str, Any]:
    """A channel that costs little: a small test picture as HLS."""
    document: dict[str, Any] = {
        "name": name,
        "sources": [{"url": "test://bars?size=160x90&fps=25"}],
        "renditions": [
            {
                "name": "90p",
                "video": {"size": "160x90", "fps": 25, "bitrate": "100k", "preset": "ultrafast", "gop": "1s"},
                "audio": {"bitrate": "32k"},
            }
        ],
        "outputs": [{"url": f"hls://{name.lower().replace(' ', '-')}", "segment": "1s"}],
    }
    return {**document, **changes}


def is_running(view: ChannelView) -> bool:
    """Whether a channel is on air."""
    return view.status == Status.RUNNING


async def row_of(client: WorkerClient, channel_id: int, check: Callable[[ChannelView], bool]) -> ChannelView:
    """Follows the live stream until a channel is as a check wants it."""
    view: ChannelView | None = None
    async for view in rows_told(client, channel_id):
        if check(view):
            return view
    raise AssertionError(f"the stream ended; last seen: {view}")


async def rows_told(client: WorkerClient, channel_id: int) -> AsyncIterator[ChannelView]:
    """A channel's row, each time that the live stream tells of it or of its figures."""
    view: ChannelView | None = None
    async for message in client.stream():
        rows = message.channels if message.type == "snapshot" else message.changed
        told = next((row for row in rows if row.id == channel_id), None)
        if view is not None and message.type == "delta" and channel_id in message.figures:
            told = view.model_copy(update={"telemetry": message.figures[channel_id]})
        if told is not None:
            view = told
            yield view


def alive(pid: int) -> bool:
    """Whether a process runs, and is no zombie."""
    try:
        return "\nState:\tZ" not in Path(f"/proc/{pid}/status").read_text()
    except OSError:
        return False


def runs_of(settings: Settings) -> list[int]:
    """The pids of every FFmpeg that holds a run's lock."""
    held = [directory.pid() for directory in RunDir.all(settings.run_path).values() if directory.is_held()]
    return [pid for pid in held if pid is not None]


def deaf_ffmpeg(directory: Path) -> str:
    """An FFmpeg that ignores TERM and shows media progress for ever; asked for anything else, it is the real one."""
    real = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
    script = directory / "deaf-ffmpeg"
    script.write_text(
        f"""#!{sys.executable}
import os, signal, sys, time
if "-progress" not in sys.argv:
    os.execv({real!r}, sys.argv)
signal.signal(signal.SIGTERM, signal.SIG_IGN)
for second in range(1, 100000):
    os.write(3, b"frame=%d\\nout_time_us=%d\\nprogress=continue\\n" % (second * 25, second * 1000000))
    time.sleep(1)
"""
    )
    script.chmod(0o755)
    return str(script)


@contextmanager
def installation(**environment: str) -> Iterator[Settings]:
    """A data directory with settings for tests and an empty database; whatever runs in it is ended with it.

    Args:
        environment: More settings, by their environment variables without the prefix.
    """
    # Not pytest's own directory: the path of a Unix socket holds 107 bytes.
    home = Path(tempfile.mkdtemp(prefix="tt-", dir="/tmp"))
    defaults = {"DATA_DIR": str(home), "RUN_DIR": str(home / "run"), "WATCHDOG__STARTUP_S": "10"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**defaults, "WATCHDOG__STALL_S": "4", **environment}.items():
            patch.setenv(f"TRANSCODER_{name}", value)
        patch.delenv("TRANSCODER_CONFIG", raising=False)
        patch.setenv("XDG_CONFIG_HOME", str(home / "config"))
        patch.setattr(background, "START_S", START_S)
        settings = load_settings()
        settings.database.write_bytes(_empty_database())
        try:
            yield settings
        finally:
            _end_everything(settings)
            shutil.rmtree(home, ignore_errors=True)


@cache
def _empty_database() -> bytes:
    """As a first worker makes it, with Alembic, which takes a fifth of that worker's start."""
    with tempfile.TemporaryDirectory() as directory:
        database = Path(directory) / "transcoder.db"
        migrate(database)
        return database.read_bytes()


def processes_of(settings: Settings) -> dict[int, str]:
    """Keeper and worker of an installation: their pids and command lines."""
    found = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and environment(int(entry.name)).get("TRANSCODER_DATA_DIR") == str(settings.data_dir):
            with suppress(OSError):
                command = (entry / "cmdline").read_text().replace("\0", " ")
                if "transcoder_tui.worker.keeper" in command or "transcoder_tui.daemon" in command:
                    found[int(entry.name)] = command
    return found


def _end_everything(settings: Settings) -> None:
    # A keeper starts workers and a worker becomes a keeper while they are looked for.
    while left := {pid for pid in processes_of(settings) if alive(pid)}:
        for pid in left:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
    for pid in runs_of(settings):
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
