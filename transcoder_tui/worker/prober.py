"""Tests the better sources of channels that are on a backup, beside the channel and not through it."""

import asyncio
import logging
import os
import signal
from collections.abc import Callable, Iterable
from contextlib import suppress

from transcoder_tui.errors import TranscoderError
from transcoder_tui.ffmpeg.command import Command
from transcoder_tui.ffmpeg.probe import build_probe, is_there
from transcoder_tui.worker.context import Context
from transcoder_tui.worker.run import ChannelRun

AT_ONCE = 4
"""Tests at the same time, so that a lost uplink of a full rack is no storm of them."""
TIMEOUT_S = 15
"""Seconds after which a test has failed; FFmpeg itself gives up after some 6 s of silence."""
_OUTPUT_BYTES = 1 << 16

log = logging.getLogger(__name__)


class Prober:
    """Tests sources.

    Args:
        runs: Gives every channel's run.
        context: The worker.
    """

    def __init__(self, runs: Callable[[], Iterable[ChannelRun]], context: Context) -> None:
        self._runs = runs
        self._context = context
        self._free = asyncio.Semaphore(AT_ONCE)

    async def keep(self) -> None:
        """Tests at the interval that is set, for ever."""
        while True:
            await asyncio.sleep(self._context.settings.sources.probe_every_s)
            due = [(run, source) for run in self._runs() for source in run.sources_to_test()]
            await asyncio.gather(*(self._test(run, source) for run, source in due))

    async def _test(self, run: ChannelRun, source: int) -> None:
        async with self._free:
            if source not in run.sources_to_test():
                return
            run.failover.testing(source)
            try:
                command = build_probe(
                    run.spec.sources[source], f"sources[{source}]", self._context.binary(), self._context.host()
                )
                good = is_there(await output_of(command))
            except (TranscoderError, OSError) as error:
                log.debug("%s: source %s could not be tested: %s", run.spec.name, source + 1, error)
                good = False
            run.failover.tested(source, asyncio.get_running_loop().time(), good=good)


async def output_of(command: Command) -> bytes:
    """Runs a short command with low priority, waits for its end and gives what it wrote to standard output.

    ``timeout`` ends it even where this worker dies first. Its output goes to memory, so it never waits for a reader.

    Raises:
        OSError: Where it cannot be started.
    """
    output = os.memfd_create("probe")
    try:
        await _ended(_spawn(command, output))
        return os.pread(output, _OUTPUT_BYTES, max(0, os.fstat(output).st_size - _OUTPUT_BYTES))
    finally:
        os.close(output)


def _spawn(command: Command, output: int) -> int:
    # Both are part of coreutils.
    argv = ["timeout", "--kill-after=1", str(TIMEOUT_S), "nice", "-n", "10", *command.argv]
    return os.posix_spawnp(
        argv[0],
        argv,
        dict(command.env),
        file_actions=[
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_DUP2, output, 1),
            (os.POSIX_SPAWN_OPEN, 2, "/dev/null", os.O_WRONLY, 0),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP],
    )


async def _ended(pid: int) -> None:
    """Waits through a pidfd: asyncio's own way is a thread for each child."""
    pidfd = os.pidfd_open(pid)
    loop, ended = asyncio.get_running_loop(), asyncio.Event()
    loop.add_reader(pidfd, ended.set)
    try:
        await ended.wait()
    finally:
        loop.remove_reader(pidfd)
        _reap(pidfd)


def _reap(pidfd: int) -> None:
    # It still runs only where the wait was cancelled: then this worker ends, and the keeper reaps it.
    signal.pidfd_send_signal(pidfd, signal.SIGTERM)
    with suppress(ChildProcessError):
        os.waitid(os.P_PIDFD, pidfd, os.WEXITED | os.WNOHANG)
    os.close(pidfd)
