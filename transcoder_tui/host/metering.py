"""Runs a program to its end and says what it used of the machine."""

import os
import select
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import Self

MERCY_S = 5.0
"""Seconds from SIGTERM to SIGKILL: FFmpeg flushes its encoders in between."""


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
        argv: Its path and its arguments.
        env: Its environment.
        nice: Added to its scheduling priority: 19 yields to everything else.

    Raises:
        OSError: Where it cannot be started.
    """

    def __init__(self, argv: Sequence[str], env: Mapping[str, str], nice: int = 0) -> None:
        # Files, because a pipe that nobody reads stops FFmpeg; they are closed when the context is left.
        self._output, self._errors = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115
        self._began = time.monotonic()
        # Its own session: Ctrl-C is for us, who end it.
        self._process = subprocess.Popen(
            argv,
            env=dict(env),
            stdin=subprocess.DEVNULL,
            stdout=self._output,
            stderr=self._errors,
            start_new_session=True,
        )
        if nice:
            # Between exec and its first thread there are milliseconds of dynamic linking.
            os.setpriority(os.PRIO_PROCESS, self._process.pid, nice)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._process.returncode is None:
            self._process.kill()
            self._process.wait()
        self._output.close()
        self._errors.close()

    def finish(self, limit_s: float) -> Usage:
        """Waits until it ends, and tells it to after so many seconds."""
        descriptor = os.pidfd_open(self._process.pid)
        try:
            for patience, then in ((limit_s, signal.SIGTERM), (MERCY_S, signal.SIGKILL)):
                if select.select([descriptor], [], [], patience)[0]:
                    break
                self._process.send_signal(then)
        finally:
            os.close(descriptor)
        _, status, used = os.wait4(self._process.pid, 0)
        wall_s = time.monotonic() - self._began
        self._process.returncode = os.waitstatus_to_exitcode(status)
        self._output.seek(0)
        self._errors.seek(0)
        return Usage(
            cpu_s=used.ru_utime + used.ru_stime,
            wall_s=wall_s,
            peak_rss=used.ru_maxrss * 1024,
            exit_code=self._process.returncode,
            output=self._output.read(),
            errors=self._errors.read().decode(errors="replace"),
        )


def run_metered(argv: Sequence[str], env: Mapping[str, str], limit_s: float, nice: int = 0) -> Usage:
    """Runs a program.

    Args:
        argv: Its path and its arguments.
        env: Its environment.
        limit_s: Seconds after which it is told to end.
        nice: Added to its scheduling priority.

    Raises:
        OSError: Where it cannot be started.
    """
    with Metered(argv, env, nice) as program:
        return program.finish(limit_s)
