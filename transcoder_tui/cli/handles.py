"""Handles on keeper and worker: signals go through a pidfd, so that a recycled pid is never hit."""

import os
import select
import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from transcoder_tui.client.background import KEEPER
from transcoder_tui.errors import HostFault, NotPermitted
from transcoder_tui.locks import holder
from transcoder_tui.run_directory import KEEPER_LOCK

WORKER = "transcoder_tui.daemon"
"""The worker's module, which marks its command line."""


@contextmanager
def handle_on(keeper: int | None, worker: int | None = None) -> Iterator[int]:
    """A pidfd of the keeper, or of the worker where there is no keeper.

    Raises:
        HostFault: Where no process of ours has these pids, such as in another container.
    """
    for pid, module in ((keeper, KEEPER), (worker, WORKER)):
        handle = None if pid is None else _open(pid, module)
        if handle is not None:
            try:
                yield handle
            finally:
                os.close(handle)
            return
    pids = " and ".join(str(pid) for pid in (keeper, worker) if pid is not None)
    raise HostFault(
        f"{pids} cannot be seen from here", "run this outside of any container, as the account that runs the worker"
    )


def _open(pid: int, module: str) -> int | None:
    """A pidfd for the process, if it runs the module; the handle comes first, so the pid cannot change hands."""
    try:
        handle = os.pidfd_open(pid)
    except OSError:
        return None
    try:
        if module.encode() in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0"):
            return handle
    except OSError:
        pass
    os.close(handle)
    return None


def send(handle: int, signum: signal.Signals) -> None:
    """Sends a signal; to a process that has ended by now it is none.

    Raises:
        NotPermitted: Where the process belongs to somebody else.
    """
    try:
        signal.pidfd_send_signal(handle, signum)
    except ProcessLookupError:
        return
    except PermissionError:
        raise NotPermitted(
            "the worker belongs to somebody else", "use the account that runs it, or root, or systemctl"
        ) from None


def has_ended(handle: int) -> bool:
    """Whether the process is gone."""
    return bool(select.select([handle], [], [], 0)[0])


def keeper_of(run_dir: Path) -> int | None:
    """The pid of the keeper of a run directory, whether or not a worker answers; None without one."""
    return holder(run_dir / KEEPER_LOCK)
