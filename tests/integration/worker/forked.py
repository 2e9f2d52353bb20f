"""Small things for tests of single processes: run directories, and code that needs a process of its own."""

import os
import shutil
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from transcoder_tui.worker.process import Process
from transcoder_tui.worker.rundir import RunDir


@contextmanager
def run_dirs() -> Iterator[RunDir]:
    """A run directory that every user can reach."""
    home = Path(tempfile.mkdtemp(prefix="tt-", dir="/tmp"))
    home.chmod(0o777)
    try:
        yield RunDir.of(home, 1)
    finally:
        shutil.rmtree(home, ignore_errors=True)


def stopped(process: Process) -> int:
    """Kills a process and waits for its end.

    Returns:
        Its exit code, negated for a signal.
    """
    process.signal(signal.SIGKILL)
    return ended(process)


def ended(process: Process) -> int:
    """Waits for the end of a process.

    Returns:
        Its exit code, negated for a signal.
    """
    _, status = os.waitpid(process.pid, 0)
    os.close(process._pidfd)
    return os.waitstatus_to_exitcode(status)


def in_child(work: Callable[[], str]) -> str:
    """What ``work`` returns in a forked process, whose rights and limits it may give up."""
    receive, send = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(receive)
        try:
            told = work()
        except BaseException:
            told = traceback.format_exc()
        os.write(send, told.encode())
        os._exit(0)
    os.close(send)
    with os.fdopen(receive) as pipe:
        told = pipe.read()
    os.waitpid(child, 0)
    return told
