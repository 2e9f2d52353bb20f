"""The keeper: parent of the worker and, as subreaper, of every FFmpeg whose worker died.

It starts the worker and starts it again when it ends or falls silent; it records how each FFmpeg ended in the exit
ledger, so that a worker that was not there can read it. Standard library only: it must never be the part that fails.

Run as ``python -m transcoder_tui.worker.keeper`` with ``TRANSCODER_RUN_DIR`` in the environment.

Signals: TERM and INT end worker and keeper and leave the channels on air; HUP upgrades both to the installed code, the
keeper by exec and the worker by another one, once that code has been tried; CHLD that somebody sends has a worker that
failed started again at once, and means nothing to whatever else may have the keeper's lock.
"""

import contextlib
import ctypes
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

from transcoder_tui import locks
from transcoder_tui.errors import HostFault
from transcoder_tui.failpoints import failpoint
from transcoder_tui.run_directory import KEEPER_LOCK, RELOAD_REFUSED, own_directory
from transcoder_tui.worker import ledger
from transcoder_tui.worker.handover import CHECK, SIGNALS, State, hand_over, take_over
from transcoder_tui.worker.heartbeat import Pulse
from transcoder_tui.worker.service_manager import notify, watchdog_s

SI_USER = 0
"""Code of a signal that a process sent, sigaction(2)."""
PR_SET_CHILD_SUBREAPER = 36
"""prctl(2)."""
EXIT_CONFIG = 78
"""The worker's code for "starting me again will not help": EX_CONFIG of sysexits.h."""
EXIT_ORDERED = 128 + signal.SIGINT
"""The keeper's own code after INT, by which a service manager knows that it is meant to stay ended."""
SETTLED_S = 10.0
"""A worker that lived so long has started properly; the next one follows at once."""
MAX_DELAY_S = 30.0
"""Longest wait between two attempts to start a worker that never gets to work."""
SHORT_DELAY_S = 1.0
"""Longest wait before the next worker where the last one got to work: its channels must not be left alone."""
REPLACE_S = 15.0
"""A worker that was told to end and has not ended by then is killed; its channels stay on air all the same."""
SILENT_S = 30.0
"""A worker that has completed no round for so long hangs and is replaced; a round takes a second."""
START_UP_S = 180.0
"""Longest time from a worker's start to its first round: it may migrate, check and copy a large database before."""
SILENT_KILL_S = 5.0
"""A silent worker that has not ended so long after TERM is killed."""
OVERSLEPT_S = 5.0
"""Where the keeper itself wakes so much too late, the whole machine stood still, and silence is no proof."""
CHECK_S = 60.0
"""Longest time that the trial of the installed code may take; it took 1.2 s on two cores."""
SIGN_OF_LIFE = 3
"""The service manager gets so many signs of life in the time in which it wants one."""


class Keeper:
    """One worker's parent.

    Args:
        run_dir: Where the exit ledger lies.
        argv: The worker's command line.
        state: What the keeper before this one in the same process knew, or a new keeper's state.
        silent_s: See :data:`SILENT_S`.
        start_up_s: See :data:`START_UP_S`.
    """

    def __init__(
        self,
        run_dir: Path,
        argv: list[str],
        state: State,
        *,
        silent_s: float = SILENT_S,
        start_up_s: float = START_UP_S,
    ) -> None:
        self.argv = argv
        self.ledger = run_dir / ledger.FILE
        self.refused = run_dir / RELOAD_REFUSED
        self.state = state
        self.pulse = Pulse(state.pulse)
        self.silent_s, self.start_up_s = silent_s, start_up_s
        self.excused = 0.0
        self.start_at = 0.0
        self.kill_at = 0.0
        self.stopping: int | None = None
        self.exit_code: int | None = None
        self.trial = 0
        self.trial_ends_at = 0.0
        self.trial_says = -1
        watched = watchdog_s()
        self.sign_every_s = watched / SIGN_OF_LIFE if watched else 0.0
        self.sign_at = time.monotonic() if watched else 0.0

    def keep(self) -> int:
        """Keeps a worker running until told to stop.

        Returns:
            The exit code for the keeper itself.
        """
        self._reap()
        if self.state.replace:
            self._replace()
        while self.exit_code is None:
            wake_at = self._do_what_is_due(time.monotonic())
            got = signal.sigtimedwait(SIGNALS, max(0.0, wake_at - time.monotonic()))
            if time.monotonic() > wake_at + OVERSLEPT_S:
                self.excused = time.monotonic()
            if got is not None:
                self._handle(got)
        return self.exit_code

    def _do_what_is_due(self, now: float) -> float:
        """Does what time has come for.

        Returns:
            When to look again, in monotonic seconds.
        """
        if not self.state.worker and now >= self.start_at:
            self._start()
        if self.kill_at and now >= self.kill_at:
            os.kill(self.state.worker, signal.SIGKILL)
            self.kill_at = now + REPLACE_S
        elif self.state.worker and not self.kill_at and now >= self._silent_at():
            say(f"worker {self.state.worker} has fallen silent and is replaced")
            self._end_worker(SILENT_KILL_S)
        if self.trial and now >= self.trial_ends_at:
            os.kill(self.trial, signal.SIGKILL)
            self.trial_ends_at = now + CHECK_S
        if self.sign_at and now >= self.sign_at:
            notify("WATCHDOG=1")
            self.sign_at = now + self.sign_every_s
        # Its first round may come at any moment, and from then on it is expected to go on.
        heard_at = min(self._silent_at(), now + self.silent_s)
        worker_at = (self.kill_at or heard_at) if self.state.worker else self.start_at
        due = [worker_at, self.trial_ends_at if self.trial else 0.0, self.sign_at]
        return min(at for at in due if at)

    def _silent_at(self) -> float:
        """From when on the worker counts as hanging, unless it completes a round before."""
        beaten = self.pulse.last()
        first = self.state.started + self.start_up_s
        return max(beaten + self.silent_s if beaten else first, self.excused + self.silent_s)

    def _start(self) -> None:
        environment, file_actions = self.pulse.for_worker()
        environment = {**os.environ, **environment, "TRANSCODER_KEEPER_PID": str(os.getpid())}
        self.pulse.reset()
        self.state.started = time.monotonic()
        self.kill_at = 0.0
        try:
            self.state.worker = os.posix_spawn(
                self.argv[0], self.argv, environment, file_actions=file_actions, setsigmask=[]
            )
        except OSError as error:
            say(f"the worker could not be started: {error}")
            self._worker_ended(1)
        else:
            _protect_less(self.state.worker)

    def _handle(self, got: signal.struct_siginfo) -> None:
        signum = got.si_signo
        if signum == signal.SIGCHLD and got.si_code == SI_USER:
            self.start_at = 0.0
        elif signum in (signal.SIGTERM, signal.SIGINT):
            self.stopping = EXIT_ORDERED if signum == signal.SIGINT else 0
            if not self.state.worker:
                self.exit_code = self.stopping
            self._end_worker(REPLACE_S)
        elif signum == signal.SIGHUP and self.stopping is None:
            self._try_installed_code()
        self._reap()

    def _end_worker(self, within_s: float) -> None:
        if self.state.worker:
            for number in (signal.SIGTERM, signal.SIGCONT):
                os.kill(self.state.worker, number)
            self.kill_at = time.monotonic() + within_s

    # Upgrade

    def _try_installed_code(self) -> None:
        """Begins the trial whose end decides about the upgrade; nothing waits for it."""
        if self.trial:
            return
        with contextlib.suppress(OSError):
            self.refused.unlink(missing_ok=True)
        self.trial_says = os.memfd_create("trial")
        says = [(os.POSIX_SPAWN_DUP2, self.trial_says, number) for number in (1, 2)]
        try:
            self.trial = os.posix_spawn(CHECK[0], CHECK, os.environ, file_actions=says, setsigmask=[])
        except OSError as error:
            self._tried(error.strerror or str(error))
        self.trial_ends_at = time.monotonic() + CHECK_S

    def _trial_ended(self, code: int) -> None:
        self.trial = 0
        lines = os.pread(self.trial_says, 1 << 20, 0).decode(errors="replace").split("\n")
        last = next((line.strip() for line in reversed(lines) if line.strip()), f"it ended with {code}")
        self._tried(last if code else "")

    def _tried(self, fault: str) -> None:
        """Becomes the keeper of the installed code, unless there is something wrong with that."""
        os.close(self.trial_says)
        if not fault and self.stopping is None:
            self.state.replace, self.state.pulse = True, self.pulse.descriptor
            try:
                hand_over(self.state, sys.orig_argv[1:])
            except OSError as error:
                self.state.replace = False
                fault = error.strerror or str(error)
        if fault:
            say(f"keeper and worker stay as they are, because the installed version cannot be run: {fault}")
            with contextlib.suppress(OSError):
                unfinished = self.refused.with_suffix(".new")
                unfinished.write_text(fault)
                unfinished.replace(self.refused)

    def _replace(self) -> None:
        say("runs the installed version")
        self.state.replace, self.state.early_ends, self.start_at = False, 0, 0.0
        self._end_worker(REPLACE_S)

    # Ends

    def _reap(self) -> None:
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            pid, code = ended.si_pid, ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status
            if pid not in (self.state.worker, self.trial):
                self._record(pid, code)
            os.waitpid(pid, 0)
            if pid == self.state.worker:
                self._worker_ended(code)
            elif pid == self.trial:
                self._trial_ended(code)

    def _record(self, pid: int, code: int) -> None:
        try:
            failpoint("reap.before")
            ledger.record(self.ledger, pid, start_ticks(pid), code)
            failpoint("reap.after")
        except OSError as error:
            say(f"the end of {pid} could not be written down: {error}")

    def _worker_ended(self, code: int) -> None:
        ordered = bool(self.kill_at) or code == 0
        worked = self.pulse.last() > 0.0
        settled = time.monotonic() - self.state.started >= SETTLED_S
        self.state.worker = 0
        self.kill_at = 0.0
        self.state.proven = self.state.proven or settled or worked
        if self.stopping is not None:
            self.exit_code = self.stopping
        elif code == EXIT_CONFIG and not self.state.proven:
            self.exit_code = EXIT_CONFIG
        else:
            self.state.early_ends = 0 if ordered or settled else self.state.early_ends + 1
            delay = min(SHORT_DELAY_S if worked else MAX_DELAY_S, _growing(self.state.early_ends))
            self.start_at = time.monotonic() + delay
            say(f"the worker ended with {code}; next one in {delay:g} s")


def _growing(early_ends: int) -> float:
    """The wait after so many workers that ended soon after their start: 0, 1, 2, 4, 8 … seconds."""
    return 2.0 ** (early_ends - 2) if early_ends > 1 else 0.0


def _protect_less(worker: int) -> None:
    """Gives the worker half of the keeper's own protection from the kernel's OOM killer: proc_pid_oom_score_adj(5)."""
    with contextlib.suppress(OSError, ValueError):
        own = int(Path("/proc/self/oom_score_adj").read_text())
        if own < 0:
            Path(f"/proc/{worker}/oom_score_adj").write_text(str(own // 2))


def say(text: str) -> None:
    """Writes a line to stderr, if that can be written: a full disk must not end the keeper."""
    with contextlib.suppress(OSError):
        print(f"keeper: {text}", file=sys.stderr, flush=True)


def start_ticks(pid: int) -> int | None:
    """Start time of a process in clock ticks since boot (field 22 of /proc/PID/stat, proc(5)); None if it is gone."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return None
    return int(stat.rpartition(")")[2].split()[19])


def main(worker: Sequence[str] = (sys.executable, "-m", "transcoder_tui.daemon")) -> int:
    """Runs the keeper of one run directory.

    ``TRANSCODER_SILENT_S`` and ``TRANSCODER_START_UP_S`` in the environment stand in for :data:`SILENT_S` and
    :data:`START_UP_S` where a test cannot wait so long.

    Args:
        worker: The worker's command line.

    Returns:
        The exit code: 0 where a keeper is already there, :data:`EXIT_CONFIG` where the worker cannot start.
    """
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    named = os.environ.get("TRANSCODER_RUN_DIR")
    if not named:
        say("TRANSCODER_RUN_DIR is not set; use 'transcoder-tui worker run'")
        return EXIT_CONFIG
    run_dir = Path(named)
    state = take_over()
    if state is None:
        try:
            own_directory(run_dir)
            lock = locks.take(run_dir / KEEPER_LOCK)
        except HostFault as error:
            say(str(error))
            return EXIT_CONFIG
        except OSError as error:
            say(f"the run directory cannot be used: {error}")
            return EXIT_CONFIG
        if lock is None:
            say(f"another keeper already runs in {run_dir}")
            return 0
        state = State(lock)
        ledger.trim(run_dir / ledger.FILE)
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    waits = {
        "silent_s": float(os.environ.get("TRANSCODER_SILENT_S", SILENT_S)),
        "start_up_s": float(os.environ.get("TRANSCODER_START_UP_S", START_UP_S)),
    }
    return Keeper(run_dir, list(worker), state, **waits).keep()


if __name__ == "__main__":
    sys.exit(main())
