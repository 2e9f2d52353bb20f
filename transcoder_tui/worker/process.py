"""One FFmpeg process: started, found again, signalled and waited for. Never through a pipe, always through a pidfd."""

import asyncio
import contextlib
import errno
import os
import signal
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from transcoder_tui.errors import HostFault
from transcoder_tui.failpoints import failpoint
from transcoder_tui.ffmpeg.command import Command
from transcoder_tui.worker.cgroup import Leaf
from transcoder_tui.worker.keeper import start_ticks
from transcoder_tui.worker.ledger import kernel_exit_code
from transcoder_tui.worker.limits import UNLIMITED, InForce, Limits, apply, pinned
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
ENCODERS = "TRANSCODER_ENCODERS"
"""The environment variable that tells what encodes its pictures, in JSON."""
SOURCE = "TRANSCODER_SOURCE"
"""The environment variable that tells the position of the source that it reads."""
_LAUNCHER = 'echo $$ >"$0"; { echo $$ >"$1"; echo 0 >/proc/self/oom_score_adj; } 2>/dev/null; shift; exec "$@"'
"""Writes the pid down before FFmpeg runs, so that a worker that dies in between still leaves a trace of it; enters the
channel's cgroup, so that all of FFmpeg's memory counts there; and gives up the protection from the kernel's OOM killer
that the service manager may have given to keeper and worker."""
_NO_CGROUP = "/dev/null"


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
    limits: InForce = field(default_factory=InForce)
    """What it may take of the host."""

    def limit(self, limits: Limits, leaf: Leaf | None) -> None:
        """Brings it under limits while it runs; where :attr:`limits` are pending, to be called again a second later.

        Args:
            limits: What its document asks for.
            leaf: The channel's cgroup, where it has one.
        """
        # The pidfd tells whether it lives, and so whether the pid is still its own.
        with contextlib.suppress(OSError):
            signal.pidfd_send_signal(self._pidfd, 0)
            self.limits = apply(self.pid, limits, leaf, before=self.limits.asked)

    def watch(self, on_end: Callable[[int | None], None]) -> None:
        """Calls ``on_end`` from the event loop when the process has ended."""
        loop = asyncio.get_running_loop()

        def ended() -> None:
            loop.remove_reader(self._pidfd)
            code = self._reap()
            if code is not None or not self.adopted:
                self.close()
            on_end(code)

        loop.add_reader(self._pidfd, ended)

    def release(self) -> None:
        """Stops watching and leaves the process running."""
        if self._pidfd >= 0:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            self.close()

    def told_by_kernel(self) -> int | None:
        """How an adopted process ended, where the kernel tells others than its parent; to be closed afterwards."""
        return kernel_exit_code(self._pidfd) if self._pidfd >= 0 else None

    def close(self) -> None:
        """Lets go of a process that has ended."""
        if self._pidfd >= 0:
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


def spawn(
    command: Command,
    run_dir: RunDir,
    identity: Mapping[str, str],
    stderr: Path,
    limits: Limits = UNLIMITED,
    leaf: Leaf | None = None,
) -> Process:
    """Starts FFmpeg in a session of its own, its output going to files.

    Args:
        command: What to run.
        run_dir: Where its lock, pid and progress go.
        identity: Goes into its environment, so that it can be recognised: :data:`RUN_ID` and :data:`DIGEST`.
        stderr: The file that its log is appended to.
        limits: What it may take of the host; what cannot be applied does not keep it from starting.
        leaf: The cgroup that holds its memory ceiling; without one, somebody has to watch it.

    Raises:
        HostFault: Where an FFmpeg of this channel is still running, or the system refuses to start one; then
            nothing is left of the attempt.
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
        failpoint("spawn.before")
        with pinned(limits.cpus):
            process = _spawn(command, run_dir, identity, stderr, lock, leaf)
        if limits != UNLIMITED:
            in_force = apply(process.pid, limits, None)
            # Whether it has entered its cgroup by now depends on who of us two is faster.
            process.limits = replace(in_force, by_cgroup=True, pending=True) if leaf else in_force
        return process
    except OSError as error:
        raise _refused(error) from None
    finally:
        if lock is not None:
            os.close(lock)


def _spawn(
    command: Command, run_dir: RunDir, identity: Mapping[str, str], stderr: Path, lock: int, leaf: Leaf | None
) -> Process:
    append = os.O_WRONLY | os.O_CREAT | os.O_APPEND
    pid = os.posix_spawn(
        "/bin/sh",
        ["sh", "-c", _LAUNCHER, str(run_dir.pidfile), str(leaf.procs) if leaf else _NO_CGROUP, *command.argv],
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
        failpoint("spawn.after")
        ticks = start_ticks(pid)
        if ticks is None:
            # It was not waited for, so /proc still has it: what is missing is a descriptor to read it with.
            raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))
        pidfd = os.pidfd_open(pid)
    except OSError:
        # Nobody could ever stop it or see it end.
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        raise
    return Process(pid, ticks, identity, adopted=False, _pidfd=pidfd)


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
        # The pid was not written, or belongs to another process by now.
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
    identity = {name: found.get(name, "") for name in (RUN_ID, DIGEST, SOURCE, ENCODERS)}
    return Process(pid, ticks, identity, adopted=True, _pidfd=pidfd)


def _pids() -> Iterator[int]:
    return (int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit())


def _holds(pid: int, run_dir: RunDir) -> bool:
    """Whether a process holds the run's lock where our FFmpegs hold it: whoever merely opened the file does not."""
    try:
        same = Path(f"/proc/{pid}/fd/{LOCK_FD}").samefile(run_dir.lock_file)
        return same and "FLOCK" in Path(f"/proc/{pid}/fdinfo/{LOCK_FD}").read_text() and RUN_ID in environment(pid)
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


_SYSTEM_REFUSALS = {
    errno.EAGAIN: ("no more processes are allowed", "raise TasksMax in the worker's systemd unit, or ulimit -u"),
    errno.EMFILE: ("the worker has too many open files", "raise LimitNOFILE in its systemd unit, or ulimit -n"),
    errno.ENFILE: ("this host has too many open files", "raise it: sysctl -w fs.file-max=NUMBER"),
    errno.ENOMEM: ("this host is out of memory", "run fewer channels here, or give the greediest a memory limit"),
    errno.ENOSPC: ("no space is left", "free some where the run directory and the logs lie"),
    errno.EDQUOT: ("the disk quota is used up", "free some space where the run directory and the logs lie"),
    errno.EROFS: ("a disk is mounted read-only", "mount that of the run directory and the logs for writing"),
    errno.EACCES: ("a directory is closed to the worker", "let it write to its run directory and its logs"),
}
"""By the system's error number, why FFmpeg could not be started, and the remedy."""


def _refused(error: OSError) -> HostFault:
    unknown = error.strerror or str(error), "look at the worker's log and the kernel's"
    cause, remedy = _SYSTEM_REFUSALS.get(error.errno or 0, unknown)
    return HostFault(f"FFmpeg could not be started: {cause}", remedy)
