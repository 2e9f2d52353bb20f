"""The keeper: parent of the worker and, as subreaper, of every FFmpeg whose worker died.

It starts the worker and starts it again when it ends; it records how each FFmpeg ended in the exit ledger, so that
a worker that was not there can read it. Standard library only: it must never be the part that fails.

Run as ``python -m transcoder_tui.worker.keeper`` with ``TRANSCODER_RUN_DIR`` in the environment.

Signals: TERM and INT end worker and keeper and leave the channels on air; HUP replaces the worker.
"""

import contextlib
import ctypes
import fcntl
import json
import os
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

PR_SET_CHILD_SUBREAPER = 36
"""prctl(2)."""
EXIT_CONFIG = 78
"""The worker's code for "starting me again will not help": EX_CONFIG of sysexits.h."""
SETTLED_S = 10.0
"""A worker that lived so long has started properly; the next one follows at once."""
MAX_DELAY_S = 30.0
"""Longest wait between two attempts to start a worker."""
REPLACE_S = 15.0
"""A worker that was told to end and has not ended by then is killed; its channels stay on air all the same."""
LEDGER_BYTES = 1_000_000
"""A larger exit ledger is begun anew when the keeper starts: some ten thousand ends, long accounted for."""
SIGNALS = {signal.SIGCHLD, signal.SIGTERM, signal.SIGINT, signal.SIGHUP}


class Keeper:
    """One worker's parent.

    Args:
        run_dir: Where the exit ledger lies.
        argv: The worker's command line.
    """

    def __init__(self, run_dir: Path, argv: list[str]) -> None:
        self.argv = argv
        self.ledger = run_dir / "exits"
        if self.ledger.exists() and self.ledger.stat().st_size > LEDGER_BYTES:
            self.ledger.unlink()
        self.worker = 0
        self.started = 0.0
        self.early_ends = 0
        self.proven = False
        self.stopping = False
        self.start_at = 0.0
        self.kill_at = 0.0
        self.exit_code: int | None = None

    def keep(self) -> int:
        """Keeps a worker running until told to stop.

        Returns:
            The exit code for the keeper itself.
        """
        while self.exit_code is None:
            now = time.monotonic()
            if not self.worker and now >= self.start_at:
                self._start()
            if self.kill_at and now >= self.kill_at and self.worker:
                os.kill(self.worker, signal.SIGKILL)
                self.kill_at = 0.0
            due = [at for at in (self.kill_at, 0.0 if self.worker else self.start_at) if at]
            got = signal.sigtimedwait(SIGNALS, max(0.0, min(due) - now) if due else 3600)
            if got is not None:
                self._handle(got.si_signo)
        return self.exit_code

    def _start(self) -> None:
        environment = {**os.environ, "TRANSCODER_KEEPER_PID": str(os.getpid())}
        self.started = time.monotonic()
        self.kill_at = 0.0
        try:
            self.worker = os.posix_spawn(self.argv[0], self.argv, environment, setsigmask=[])
        except OSError as error:
            say(f"the worker could not be started: {error}")
            self._worker_ended(1)

    def _handle(self, signum: int) -> None:
        if signum in (signal.SIGTERM, signal.SIGINT):
            self.stopping = True
            if not self.worker:
                self.exit_code = 0
        if signum != signal.SIGCHLD and self.worker:
            os.kill(self.worker, signal.SIGTERM)
            self.kill_at = time.monotonic() + REPLACE_S
        self._reap()

    def _reap(self) -> None:
        while True:
            try:
                ended = os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
            except ChildProcessError:
                return
            if ended is None:
                return
            if ended.si_pid != self.worker:
                self._record(ended.si_pid, ended.si_code == os.CLD_EXITED, ended.si_status)
            os.waitpid(ended.si_pid, 0)
            if ended.si_pid == self.worker:
                self._worker_ended(ended.si_status if ended.si_code == os.CLD_EXITED else -ended.si_status)

    def _record(self, pid: int, exited: bool, status: int) -> None:
        entry = {"pid": pid, "start": start_ticks(pid), "code": status if exited else -status, "at": time.time()}
        try:
            with self.ledger.open("a") as file:
                file.write(json.dumps(entry) + "\n")
                file.flush()
                os.fsync(file.fileno())
        except OSError as error:
            say(f"the end of {pid} could not be written down: {error}")

    def _worker_ended(self, code: int) -> None:
        ordered = bool(self.kill_at) or code == 0
        lived = time.monotonic() - self.started
        self.worker = 0
        self.kill_at = 0.0
        self.proven = self.proven or lived >= SETTLED_S
        if self.stopping:
            self.exit_code = 0
        elif code == EXIT_CONFIG and not self.proven:
            self.exit_code = EXIT_CONFIG
        else:
            self.early_ends = 0 if ordered or lived >= SETTLED_S else self.early_ends + 1
            delay = min(MAX_DELAY_S, 2.0**self.early_ends / 2) if self.early_ends else 0.0
            self.start_at = time.monotonic() + delay
            say(f"the worker ended with {code}; next one in {delay:g} s")


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

    Args:
        worker: The worker's command line.

    Returns:
        The exit code: 0 where a keeper is already there, :data:`EXIT_CONFIG` where the worker cannot start.
    """
    named = os.environ.get("TRANSCODER_RUN_DIR")
    if not named:
        say("TRANSCODER_RUN_DIR is not set; use 'transcoder-tui worker run'")
        return EXIT_CONFIG
    run_dir = Path(named)
    try:
        run_dir.mkdir(mode=0o750, parents=True, exist_ok=True)
        lock = os.open(run_dir / "keeper.lock", os.O_RDWR | os.O_CREAT, 0o640)
    except OSError as error:
        say(f"the run directory cannot be used: {error}")
        return EXIT_CONFIG
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        say(f"another keeper already runs in {run_dir}")
        return 0
    ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    signal.pthread_sigmask(signal.SIG_BLOCK, SIGNALS)
    return Keeper(run_dir, list(worker)).keep()


if __name__ == "__main__":
    sys.exit(main())
