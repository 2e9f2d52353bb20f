"""One FFmpeg process: started, found again, signalled and waited for. Never through a pipe, always through a pidfd."""

import asyncio
import contextlib
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from transcoder_tui.errors import HostFault
from transcoder_tui.ffmpeg.command import Command
from transcoder_tui.worker.keeper import start_ticks
from transcoder_tui.worker.rundir import RunDir

PROGRESS_FD = 3
"""The descriptor on which FFmpeg is told to write its progress."""
LOCK_FD = 4
"""The descriptor by which FFmpeg holds the run's lock; it never uses it."""
SECOND_TERM_S = 2.5
"""From the first TERM to the second: FFmpeg needs two where it waits for its input."""
KILL_S = 5.0
"""From the first TERM to KILL."""
RUN_ID = "TRANSCODER_RUN_ID"
"""The environment variable by which a run can be recognised in a list of processes."""
DIGEST = "TRANSCODER_DIGEST"
"""The environment variable that tells which document the process was started from."""
_LAUNCHER = 'echo $$ >"$0" && { echo 0 >/proc/self/oom_score_adj; } 2>/dev/null; exec "$@"'
"""Writes the pid down before FFmpeg runs, so that a worker that dies in between still leaves a trace of it, and gives
up the protection from the kernel's OOM killer that the service manager may have given to keeper and worker."""


@dataclass(slots=True)
class Process:
    """A running FFmpeg.

    Its end is told once, to ``on_end``, with its exit code: the negated signal number where a signal ended it,
    None where it is not a child of this worker and its end has to be asked of the exit ledger.
    """

    pid: int
    start: int | None
    """Start time in clock ticks since boot."""
    identity: Mapping[str, str]
    """Its :data:`RUN_ID` and :data:`DIGEST`."""
    adopted: bool
    _pidfd: int

    def watch(self, on_end: Callable[[int | None], None]) -> None:
        """Calls ``on_end`` from the event loop when the process has ended."""
        loop = asyncio.get_running_loop()

        def ended() -> None:
            loop.remove_reader(self._pidfd)
            code = self._reap()
            os.close(self._pidfd)
            self._pidfd = -1
            on_end(code)

        loop.add_reader(self._pidfd, ended)

    def release(self) -> None:
        """Stops watching and leaves the process running."""
        if self._pidfd >= 0:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = -1

    def signal(self, *signals: signal.Signals) -> None:
        """Sends signals; one that has ended already does not mind."""
        for number in signals:
            if self._pidfd >= 0:
                with contextlib.suppress(ProcessLookupError):
                    signal.pidfd_send_signal(self._pidfd, number)

    def _reap(self) -> int | None:
        try:
            ended = os.waitid(os.P_PIDFD, self._pidfd, os.WEXITED | os.WNOHANG)
        except ChildProcessError:
            return None
        if ended is None:
            return None
        return ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status


def spawn(command: Command, run_dir: RunDir, identity: Mapping[str, str], stderr: Path) -> Process:
    """Starts FFmpeg in a session of its own, its output going to files.

    Args:
        command: What to run.
        run_dir: Where its lock, pid and progress go.
        identity: Goes into its environment, so that it can be recognised: :data:`RUN_ID` and :data:`DIGEST`.
        stderr: The file that its log is appended to.

    Raises:
        HostFault: Where an FFmpeg of this channel is still running, or the system refuses to start one.
    """
    lock = None
    try:
        lock = run_dir.lock()
        if lock is None:
            raise HostFault(
                "an earlier FFmpeg of this channel is still running", "stop the channel, then start it again"
            )
        for leftover in (run_dir.pidfile, run_dir.stderr_offset, run_dir.progress, stderr):
            leftover.unlink(missing_ok=True)
        return _spawn(command, run_dir, identity, stderr, lock)
    except OSError as error:
        raise HostFault(f"FFmpeg could not be started: {error.strerror or error}", _spawn_remedy(error)) from None
    finally:
        if lock is not None:
            os.close(lock)


def _spawn(command: Command, run_dir: RunDir, identity: Mapping[str, str], stderr: Path, lock: int) -> Process:
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", _LAUNCHER, str(run_dir.pidfile), *command.argv],
        {**command.env, **identity},
        file_actions=[
            (os.POSIX_SPAWN_DUP2, lock, LOCK_FD),
            (os.POSIX_SPAWN_OPEN, 0, "/dev/null", os.O_RDONLY, 0),
            (os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0),
            (os.POSIX_SPAWN_OPEN, 2, str(stderr), append, 0o640),
            (os.POSIX_SPAWN_OPEN, PROGRESS_FD, str(run_dir.progress), append, 0o640),
        ],
        setsid=True,
        setsigmask=[],
        setsigdef=[signal.SIGPIPE, signal.SIGINT, signal.SIGTERM, signal.SIGHUP],
    )
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        # Nobody could ever stop it or see it end.
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    return Process(pid, start_ticks(pid), identity, adopted=False, _pidfd=pidfd)


def adopt(run_dir: RunDir) -> Process | None:
    """Finds the FFmpeg again that holds a run's lock.

    The lock decides, not the database: a worker that could not write to its disk may have died since.

    Args:
        run_dir: The channel's run directory.

    Returns:
        The process, or None where none is running.
    """
    if not run_dir.is_held():
        return None
    pid = run_dir.pid()
    if pid is None or not _holds(pid, run_dir):
        pid = next((other for other in _pids() if _holds(other, run_dir)), None)
    if pid is None:
        return None
    try:
        pidfd = os.pidfd_open(pid)
    except OSError:
        return None
    ticks = start_ticks(pid)
    if ticks is None or not _holds(pid, run_dir):
        os.close(pidfd)
        return None
    found = environment(pid)
    identity = {name: found.get(name, "") for name in (RUN_ID, DIGEST)}
    return Process(pid, ticks, identity, adopted=True, _pidfd=pidfd)


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _holds(pid: int, run_dir: RunDir) -> bool:
    """Whether a process has the run's lock open where our FFmpegs have it."""
    try:
        return Path(f"/proc/{pid}/fd/{LOCK_FD}").samefile(run_dir.lock_file)
    except OSError:
        return False


def environment(pid: int) -> dict[str, str]:
    """The environment that a process was started with; empty where it is gone or not ours to read."""
    try:
        raw = Path(f"/proc/{pid}/environ").read_bytes()
    except OSError:
        return {}
    pairs = (entry.partition(b"=") for entry in raw.split(b"\0") if b"=" in entry)
    return {os.fsdecode(name): os.fsdecode(value) for name, _, value in pairs}


def boot_id() -> str:
    """Tells one boot of this host from another: random(4)."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def _spawn_remedy(error: OSError) -> str:
    if isinstance(error, BlockingIOError):
        return "raise the limit on processes (ulimit -u, TasksMax)"
    return "free memory, disk space or file descriptors, then start the channel again"
