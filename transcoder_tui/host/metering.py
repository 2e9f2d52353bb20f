"""Runs a program to its end and says what it used of the machine."""

import os
import select
import signal
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

MERCY_S = 5.0
"""Seconds from SIGTERM to SIGKILL: FFmpeg flushes its encoders in between."""
INTERRUPTIONS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
"""What may interrupt whoever waits for a program."""


@dataclass(frozen=True, slots=True)
class Usage:
    """What a program used, and what it wrote."""

    cpu_s: float
    """User and system time of all its threads, wait4(2). Other programs make a run longer, but hardly dearer."""
    wall_s: float
    """From its start to its end."""
    peak_rss: int
    """Most bytes of memory that were resident at a time."""
    exit_code: int
    output: bytes
    """Its standard output."""
    errors: str
    """Its standard error."""


class Metered:
    """A program that runs; leaving the context ends it, whatever happens.

    Args:
        argv: Its absolute path and its arguments.
        env: Its environment.
        nice: Added to its scheduling priority: 19 yields to everything else.

    Raises:
        OSError: From entering the context, where it cannot be started.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], nice: int = 0) -> None:
        self._argv, self._env, self._nice = argv, env, nice
        self._pid = 0
        self._began = 0.0

    def __enter__(self) -> Self:
        # Files, because a pipe that nobody reads stops FFmpeg; they are closed when the context is left.
        self._output, self._errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()
        # An interruption waits until it is known what is to be ended.
        before = signal.pthread_sigmask(signal.SIG_BLOCK, INTERRUPTIONS)
        try:
            self._start()
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
        except BaseException:
            signal.pthread_sigmask(signal.SIG_SETMASK, before)
            self._end()
            raise
        return self

    def _start(self) -> None:
        self._began = time.monotonic()
        self._pid = os.posix_spawn(
            self._argv[0],
            list(self._argv),
            self._env,
            file_actions=[
                (os.POSIX_SPAWN_OPEN, 0, os.devnull, os.O_RDONLY, 0),
                (os.POSIX_SPAWN_DUP2, self._output.fileno(), 1),
                (os.POSIX_SPAWN_DUP2, self._errors.fileno(), 2),
            ],
            # Ctrl-C is for us, who end it.
            setsid=True,
            setsigmask=(),
        )
        if self._nice:
            # Between exec and its first thread there are milliseconds of dynamic linking.
            os.setpriority(os.PRIO_PROCESS, self._pid, self._nice)

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._end()

    def _end(self) -> None:
        if self._pid:
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
            self._pid = 0
        self._output.close()
        self._errors.close()

    def finish(self, limit_s: float) -> Usage:
        """Waits until it ends, and tells it to after so many seconds."""
        descriptor = os.pidfd_open(self._pid)
        try:
            for patience, then in ((limit_s, signal.SIGTERM), (MERCY_S, signal.SIGKILL)):
                if select.select([descriptor], [], [], patience)[0]:
                    break
                os.kill(self._pid, then)
        finally:
            os.close(descriptor)
        pid, self._pid = self._pid, 0
        _, status, used = os.wait4(pid, 0)
        wall_s = time.monotonic() - self._began
        self._output.seek(0)
        self._errors.seek(0)
        return Usage(
            cpu_s=used.ru_utime + used.ru_stime,
            wall_s=wall_s,
            peak_rss=used.ru_maxrss * 1024,
            exit_code=os.waitstatus_to_exitcode(status),
            output=self._output.read(),
            errors=self._errors.read().decode(errors="replace"),
        )


def run_metered(argv: Sequence[str], env: Mapping[str, str], limit_s: float, nice: int = 0) -> Usage:
    """Runs a program.

    Args:
        argv: Its absolute path and its arguments.
        env: Its environment.
        limit_s: Seconds after which it is told to end.
        nice: Added to its scheduling priority.

    Raises:
        OSError: Where it cannot be started.
    """
    with Metered(argv, env, nice) as program:
        return program.finish(limit_s)
