"""Who works in a run directory after whom: a worker that replaces another, and one that loses its keeper.

There is always to be one keeper and one worker. A worker that its keeper started is the rightful one, so an earlier one
has to give way to it. A worker whose keeper is gone becomes the keeper itself, in its own process: so the FFmpegs that
it started remain its children, whose exit codes it collects. Under a service manager it ends instead, because that one
starts the keeper again.
"""

import asyncio
import contextlib
import logging
import os
import signal
import subprocess
import time
from pathlib import Path

from transcoder_tui import locks
from transcoder_tui.run_directory import KEEPER_LOCK
from transcoder_tui.worker.handover import CHECK, State, hand_over
from transcoder_tui.worker.service_manager import is_watched_over

KEEPER_PID = "TRANSCODER_KEEPER_PID"
"""The environment variable by which a worker knows its keeper."""
GIVE_WAY_S = 5.0
"""How long an earlier worker has to end by itself, then after TERM, then after KILL."""
CHECK_S = 60.0
"""Longest time that the trial of the installed code may take."""
REPAIRED_S = 60.0
"""Interval at which a worker without keeper looks whether the installed code can be run by now."""
_POLL_S = 0.02

log = logging.getLogger(__name__)


def keeper_pid() -> int | None:
    """The pid of this worker's keeper, where it has one that lives."""
    named = int(os.environ.get(KEEPER_PID, "0"))
    return named if named and named == os.getppid() else None


def take_place(path: Path) -> int | None:
    """Takes the worker's lock.

    A worker that was started by its keeper waits for an earlier one to give way, and ends it where it does not: it may
    hang, or its keeper may be gone.

    Args:
        path: The lock file.

    Returns:
        The descriptor that holds the lock; None where another worker keeps it.

    Raises:
        OSError: Where the file cannot be opened.
    """
    lock = locks.take(path)
    if lock is not None or keeper_pid() is None:
        return lock
    for signals in ((), (signal.SIGTERM, signal.SIGCONT), (signal.SIGKILL,)):
        _send(path, signals)
        deadline = time.monotonic() + GIVE_WAY_S
        while time.monotonic() < deadline:
            lock = locks.take(path)
            if lock is not None:
                return lock
            time.sleep(_POLL_S)
    return None


def _send(path: Path, signals: tuple[signal.Signals, ...]) -> None:
    earlier = locks.holder(path)
    if earlier is None or not signals:
        return
    with contextlib.suppress(OSError):
        handle = os.pidfd_open(earlier)
        try:
            if locks.holder(path) == earlier:
                log.warning("worker %s has not given way and gets %s", earlier, signals[0].name)
                for number in signals:
                    signal.pidfd_send_signal(handle, number)
        finally:
            os.close(handle)


async def keeper_ended() -> None:
    """Waits until this worker's keeper is gone; for ever where it never had one."""
    named = int(os.environ.get(KEEPER_PID, "0"))
    loop = asyncio.get_running_loop()
    ended: asyncio.Future[None] = loop.create_future()
    if not named:
        await ended
    try:
        handle = os.pidfd_open(named)
    except ProcessLookupError:
        return
    try:
        if os.getppid() != named:
            return
        loop.add_reader(handle, _settle, ended)
        await ended
    finally:
        loop.remove_reader(handle)
        os.close(handle)


def _settle(ended: asyncio.Future[None]) -> None:
    if not ended.done():
        ended.set_result(None)


async def succession(run_dir: Path) -> State | None:
    """Waits until this worker has to leave, because its keeper is gone.

    Args:
        run_dir: Where the keeper's lock lies.

    Returns:
        What :func:`become_keeper` needs; None where somebody else is or will be the keeper.
    """
    await keeper_ended()
    log.error("keeper %s is gone", os.environ[KEEPER_PID])
    if is_watched_over():
        return None
    while True:
        lock = locks.take(run_dir / KEEPER_LOCK)
        if lock is None:
            return None
        fault = await asyncio.to_thread(_fault_of_installed_code)
        if not fault:
            return State(lock, proven=True)
        log.error("this worker goes on without a keeper, because the installed version cannot be run: %s", fault)
        os.close(lock)
        await asyncio.sleep(REPAIRED_S)


def _fault_of_installed_code() -> str:
    try:
        tried = subprocess.run(CHECK, capture_output=True, text=True, errors="replace", timeout=CHECK_S, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        return str(error)
    said = [line.strip() for line in tried.stderr.splitlines() if line.strip()]
    return (said or [f"it ended with {tried.returncode}"])[-1] if tried.returncode else ""


def become_keeper(state: State) -> None:
    """Becomes the keeper, in this very process; returns only where that failed."""
    try:
        hand_over(state)
    except OSError as error:
        log.critical("this worker could not become the keeper: %s", error)
