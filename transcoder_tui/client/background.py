"""Starts a worker in the background where there is none, as tmux starts its server.

What is started is the keeper, in a session of its own: it outlives the terminal and starts the worker. Two starters at
once are harmless, because the second keeper finds the first one's lock and ends with 0.
"""

import errno
import json
import os
import pwd
import signal
import socket as sockets
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from transcoder_tui.client.sanitise import sanitise
from transcoder_tui.errors import Fault, HostFault, NotPermitted, NoWorker
from transcoder_tui.locks import holder
from transcoder_tui.run_directory import KEEPER_LOCK, own_directory
from transcoder_tui.settings import Settings

KEEPER = "transcoder_tui.worker.keeper"
"""The keeper's module, which also marks its command line."""
KEEPER_ARGV = (sys.executable, "-m", KEEPER)
"""The keeper's command line."""
START_S = 15.0
"""Longest wait for a new worker; one with 300 channels to adopt answered within a second."""
AGAIN_S = 1.0
"""Wait before the next keeper is started where one was there, and still no worker answers."""
POLL_S = 0.05
"""Wait between two looks at the socket."""
LATELY = 2000
"""Bytes at the end of a log that tell what happened just before, where a keeper was there already."""
TAIL_LINES = 5
"""Lines of a log that are shown as the reason why a worker did not start."""

_PEER = struct.Struct("3i")
"""struct ucred: pid, uid and gid of the process that listens, unix(7)."""


def answers(settings: Settings) -> bool:
    """Whether somebody whom we trust listens on the worker's socket.

    Raises:
        NotPermitted: Where the socket is closed to us, or belongs to a stranger.
    """
    path = settings.socket
    try:
        with sockets.socket(sockets.AF_UNIX) as probe:
            probe.connect(str(path))
            listener = _PEER.unpack(probe.getsockopt(sockets.SOL_SOCKET, sockets.SO_PEERCRED, _PEER.size))[1]
    except (FileNotFoundError, ConnectionRefusedError):
        return False
    except PermissionError:
        raise NotPermitted(
            f"the worker's socket {path} is closed to you", "join its group, or use the account that runs the worker"
        ) from None
    except OSError as error:
        if error.errno in (errno.ENOTSOCK, errno.ENOTDIR):
            raise NoWorker(f"{path} is not a worker's socket", "remove it, or set TRANSCODER_API__SOCKET") from None
        raise NoWorker(f"the worker's socket {path} cannot be used: {error.strerror}") from None
    if listener not in _trusted(settings):
        raise NotPermitted(
            f"{_account(listener)} listens on {path}, who does not own {settings.data_dir}",
            "set TRANSCODER_RUN_DIR to a directory that only you can write to",
        )
    return True


def ensure_worker(settings: Settings) -> bool:
    """Starts keeper and worker unless they run already, and waits until they answer.

    Returns:
        True where it started them.

    Raises:
        NoWorker: Where no worker answers in the end, with what its log says about it.
        NotPermitted: Where a worker runs but is closed to us.
        HostFault: Where the data directory cannot be used, or the run directory is not ours alone.
    """
    if answers(settings):
        return False
    logs = [_keeper_log(settings), settings.worker_log]
    there = _hurry(settings)
    sizes = [max(0, _size(log) - (LATELY if there else 0)) for log in logs]
    keeper = None if there else _spawn(settings)
    deadline = time.monotonic() + START_S
    look_again = time.monotonic() + AGAIN_S
    while time.monotonic() < deadline:
        if answers(settings):
            return True
        ended = keeper.poll() if keeper else 0
        if ended == 0 and time.monotonic() >= look_again:
            # Another keeper was there; it may have been on its way out.
            there = holder(settings.run_path / KEEPER_LOCK)
            keeper = None if there else _spawn(settings)
            look_again = time.monotonic() + AGAIN_S
        elif ended:
            raise NoWorker(_why(f"the keeper ended with {ended} before a worker answered", logs, sizes))
        time.sleep(POLL_S)
    late = f"the worker did not answer within {START_S:g} s"
    if there:
        late += f"; its keeper {there} runs, and goes on trying to start it"
    raise NoWorker(_why(late, logs, sizes))


def _hurry(settings: Settings) -> int | None:
    """Has a keeper that waits before it starts its worker again start it at once.

    Returns:
        The keeper's pid; None where there is none, or none that can be seen from here.
    """
    lock = settings.run_path / KEEPER_LOCK
    keeper = holder(lock)
    if keeper is None:
        return None
    with suppress(OSError):
        handle = os.pidfd_open(keeper)
        try:
            if holder(lock) == keeper:
                signal.pidfd_send_signal(handle, signal.SIGCHLD)
        finally:
            os.close(handle)
    return keeper


def _size(log: Path) -> int:
    return log.stat().st_size if log.exists() else 0


def keeper_environment(settings: Settings) -> dict[str, str]:
    """The environment for a keeper: ours, with every path that it names made absolute, because it runs in ``/``."""
    environment = dict(os.environ)
    named: dict[str, Path | None] = {
        "TRANSCODER_HLS_ROOT": settings.hls_root,
        "TRANSCODER_API__SOCKET": settings.api.socket,
        "TRANSCODER_FFMPEG__PATH": settings.ffmpeg.path,
    }
    environment.update({name: str(path) for name, path in named.items() if path and name in environment})
    if settings.media_roots and "TRANSCODER_MEDIA_ROOTS" in environment:
        environment["TRANSCODER_MEDIA_ROOTS"] = json.dumps([str(root) for root in settings.media_roots])
    if environment.get("TRANSCODER_CONFIG"):
        environment["TRANSCODER_CONFIG"] = str(Path(environment["TRANSCODER_CONFIG"]).resolve())
    environment["TRANSCODER_DATA_DIR"] = str(settings.data_dir)
    environment["TRANSCODER_RUN_DIR"] = str(settings.run_path)
    return environment


def _spawn(settings: Settings) -> subprocess.Popen[bytes]:
    log = _keeper_log(settings)
    try:
        settings.data_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        own_directory(settings.run_path)
        log.parent.mkdir(mode=0o750, exist_ok=True)
        written = os.open(log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o640)
    except OSError as error:
        raise HostFault(
            f"{error.filename} cannot be written: {error.strerror}",
            f"make it writable for {_account(os.geteuid())}, or choose another data directory",
            "data_dir",
        ) from None
    try:
        return subprocess.Popen(
            KEEPER_ARGV,
            cwd="/",
            env=keeper_environment(settings),
            stdin=subprocess.DEVNULL,
            stdout=written,
            stderr=written,
            start_new_session=True,
        )
    finally:
        os.close(written)


def _keeper_log(settings: Settings) -> Path:
    return settings.data_dir / "logs" / "keeper.log"


def _trusted(settings: Settings) -> Iterator[int]:
    """Ourselves, root, and the account to which the data directory that we were told to use belongs."""
    yield from (os.geteuid(), 0)
    try:
        yield settings.data_dir.stat().st_uid
    except OSError:
        return


def _account(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid {uid}"


def _why(reason: str, logs: list[Path], sizes: list[int]) -> list[Fault]:
    """The reason, followed by the last lines that were logged since we began."""
    lines: list[str] = []
    for log, size in zip(logs, sizes, strict=True):
        try:
            with log.open("rb") as file:
                file.seek(size)
                lines += file.read().decode(errors="replace").splitlines()
        except OSError:
            continue
    said = [Fault(sanitise(line.strip())) for line in lines if line.strip()]
    return [Fault(reason, f"read {' and '.join(map(str, logs))}"), *said[-TAIL_LINES:]]
