"""Short commands beside the channels: run with low priority, waited for, and read when they have ended."""

import asyncio
import os
import signal
import time
from dataclasses import dataclass

from transcoder_tui.ffmpeg.command import Command

KILL_AFTER_S = 1
"""Seconds from the TERM at the time limit to KILL."""
_MOST_BYTES = 16 << 20
"""What is read of each of its outputs."""


@dataclass(frozen=True, slots=True)
class Said:
    """How a command ended and what it wrote."""

    exit_code: int
    """Negative for a signal, as ``waitpid`` decodes it; 124 at the time limit, as ``timeout`` says it."""
    output: bytes
    """Its standard output."""
    log: str
    """Its standard error."""
    took_s: float


async def run_errand(command: Command, limit_s: float) -> Said:
    """Runs a command to its end; where the caller gives up, it is ended as well.

    ``timeout`` ends it even where this worker dies first. What it writes goes to memory, so it never waits for a
    reader.

    Args:
        command: What to run.
        limit_s: Seconds after which it is ended.

    Raises:
        OSError: Where it cannot be started.
    """
    began = time.monotonic()
    output, log = os.memfd_create("output"), os.memfd_create("log")
    try:
        code = await _ended(_spawn(command, limit_s, output, log))
        took_s = time.monotonic() - began
        said, logged = (os.pread(file, _MOST_BYTES, 0) for file in (output, log))
        return Said(code, said, logged.decode(errors="replace"), took_s)
    finally:
        os.close(output)
        os.close(log)


def _spawn(command: Command, limit_s: float, output: int, log: int) -> int:
    # Both are part of coreutils.
    argv = ["timeout", f"--kill-after={KILL_AFTER_S}", f"{limit_s:.2f}", "nice", "-n", "10", *command.argv]
    return os.posix_spawnp(
        argv[0],
        argv,
        dict(command.env),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_DUP2, log, 2),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP],
    )


async def _ended(pid: int) -> int:
    """Waits through a pidfd: asyncio's own way is a thread for each child."""
    pidfd = os.pidfd_open(pid)
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[int] = loop.create_future()

    def reap() -> None:
        loop.remove_reader(pidfd)
        code = _reaped(pidfd)
        if not ended.done():
            ended.set_result(code)

    loop.add_reader(pidfd, reap)
    try:
        return await ended
    except asyncio.CancelledError:
        # It is reaped as soon as it has ended; where this worker ends before, the keeper reaps it.
        signal.pidfd_send_signal(pidfd, signal.SIGTERM)
        raise


def _reaped(pidfd: int) -> int:
    try:
        told = os.waitid(os.P_PIDFD, pidfd, os.WEXITED)
    except ChildProcessError:
        return 0
    finally:
        os.close(pidfd)
    if told is None:
        return 0
    return told.si_status if told.si_code == os.CLD_EXITED else -told.si_status
