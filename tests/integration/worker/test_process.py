"""Starting and finding processes when the system refuses, or when pids are not what they seem."""

import os
import resource
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from forked import in_child, run_dirs, stopped

from transcoder_tui import failpoints
from transcoder_tui.errors import HostFault
from transcoder_tui.ffmpeg.command import Command
from transcoder_tui.worker.limits import Limits
from transcoder_tui.worker.process import LOCK_FD, RUN_ID, Process, adopt, spawn
from transcoder_tui.worker.rundir import RunDir

SLEEP = Command(("/bin/sleep", "60"), {}, ())
NOBODY = 54_321
"""A user who has no processes."""


@pytest.fixture
def run_dir() -> Iterator[RunDir]:
    with run_dirs() as found:
        yield found


def start(run_dir: RunDir) -> Process:
    return spawn(SLEEP, run_dir, {RUN_ID: "a"}, run_dir.path / "stderr")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def children() -> list[str]:
    return Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()


def attempt(run_dir: RunDir, **limits: int) -> str:
    """Tries to start something, and looks what is left of it.

    Args:
        run_dir: Where.
        limits: Of the process meanwhile, such as ``NOFILE``.

    Returns:
        The fault, or that it started; with what was left behind, where anything was.
    """
    before = descriptors()
    told = "started"
    kinds = {name: getattr(resource, f"RLIMIT_{name}") for name in limits}
    usual = {name: resource.getrlimit(kind) for name, kind in kinds.items()}
    for name, kind in kinds.items():
        resource.setrlimit(kind, (limits[name], usual[name][1]))
    try:
        stopped(start(run_dir))
    except HostFault as error:
        told = f"{error.faults[0].fault}; {error.faults[0].remedy}"
    for name, kind in kinds.items():
        resource.setrlimit(kind, usual[name])
    left = [f"{descriptors() - before} descriptors"] * (descriptors() != before) + children()
    left += ["the lock"] * run_dir.is_held()
    return told + f"; left: {left}" * bool(left)


def test_nothing_is_left_wherever_descriptors_run_out(run_dir: RunDir) -> None:
    """One more descriptor at each attempt, so that every place that opens one is the first to fail once."""

    def exhausted() -> str:
        # No number is free below the limit, so that it says how many may be opened.
        full = max(int(entry.name) for entry in Path("/proc/self/fd").iterdir()) + 1
        for number in range(full):
            if not Path(f"/proc/self/fd/{number}").exists():
                os.dup2(0, number)
        return "\n".join(attempt(run_dir, NOFILE=limit) for limit in range(full, full + 8))

    told = in_child(exhausted).splitlines()
    refused = [line for line in told if line != "started"]
    assert refused
    assert told[-1] == "started"
    assert set(refused) == {
        "FFmpeg could not be started: the worker has too many open files; "
        "raise LimitNOFILE in its systemd unit, or ulimit -n"
    }


def test_a_limit_on_processes_is_named(run_dir: RunDir) -> None:
    """The limit does not bind root."""
    run_dir.path.mkdir(parents=True)
    for path in (run_dir.path, *run_dir.path.parents[:2]):
        path.chmod(0o777)

    def forbidden() -> str:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresuid(NOBODY, NOBODY, NOBODY)
        return attempt(run_dir, NPROC=1)

    assert in_child(forbidden) == (
        "FFmpeg could not be started: no more processes are allowed; "
        "raise TasksMax in the worker's systemd unit, or ulimit -u"
    )


def test_a_host_without_memory_is_named(run_dir: RunDir) -> None:
    def hungry() -> str:
        pages = int(Path("/proc/self/statm").read_text().split()[0])
        return attempt(run_dir, AS=pages * resource.getpagesize())

    assert in_child(hungry) == (
        "FFmpeg could not be started: this host is out of memory; "
        "run fewer channels here, or give the greediest a memory limit"
    )


@pytest.mark.parametrize("point", ["spawn.before", "spawn.after"])
def test_nothing_is_left_of_a_start_that_fails_around_the_spawn(run_dir: RunDir, point: str) -> None:
    def failing() -> str:
        failpoints._armed.update(failpoints.parse(f"{point}=error:EAGAIN"))
        return attempt(run_dir)

    told = in_child(failing)
    assert told.startswith("FFmpeg could not be started: no more processes are allowed")
    assert "left" not in told


def test_a_second_ffmpeg_of_the_same_channel_is_refused(run_dir: RunDir) -> None:
    first = start(run_dir)
    with pytest.raises(HostFault, match="an earlier FFmpeg of this channel is still running"):
        start(run_dir)
    stopped(first)
    stopped(start(run_dir))


class TestAdoption:
    """Pids are reused: what is written in a file may be another process by now."""

    def test_the_holder_of_the_lock_is_adopted_whatever_pid_is_written(self, run_dir: RunDir) -> None:
        process = start(run_dir)
        with subprocess.Popen(["/bin/sleep", "60"]) as stranger:
            for written in (str(stranger.pid), "1", "4194304", "", "nonsense"):
                run_dir.pidfile.write_text(written)
                found = adopt(run_dir)
                assert found is not None
                assert (found.pid, found.start, found.identity[RUN_ID]) == (process.pid, process.start, "a")
                os.close(found._pidfd)
            stranger.kill()
        stopped(process)

    def test_a_process_that_took_over_the_pid_is_left_alone(self, run_dir: RunDir) -> None:
        stopped(start(run_dir))
        with subprocess.Popen(["/bin/sleep", "60"], env={RUN_ID: "a"}) as stranger:
            run_dir.pidfile.write_text(str(stranger.pid))
            assert adopt(run_dir) is None
            stranger.kill()

    def test_who_merely_opened_the_lock_file_is_not_taken_for_its_holder(self, run_dir: RunDir) -> None:
        process = start(run_dir)
        with opened(run_dir, {RUN_ID: "b"}, lock=False) as stranger:
            run_dir.pidfile.write_text(str(stranger.pid))
            found = adopt(run_dir)
            assert found is not None
            assert found.pid == process.pid
            os.close(found._pidfd)
            stranger.kill()
        stopped(process)

    def test_a_stranger_who_holds_the_lock_is_neither_adopted_nor_joined(self, run_dir: RunDir) -> None:
        run_dir.path.mkdir(parents=True)
        with opened(run_dir, {}, lock=True) as stranger:
            run_dir.pidfile.write_text(str(stranger.pid))
            assert adopt(run_dir) is None
            with pytest.raises(HostFault, match="still running"):
                start(run_dir)
            stranger.kill()

    def test_signals_and_limits_do_not_reach_who_took_over_the_pid(
        self, run_dir: RunDir, eventually: Callable[..., object]
    ) -> None:
        process = start(run_dir)
        os.kill(process.pid, signal.SIGKILL)
        eventually(lambda: os.waitid(os.P_PIDFD, process._pidfd, os.WEXITED | os.WNOHANG))
        process.pid = os.getpid()
        nice = os.getpriority(os.PRIO_PROCESS, 0)
        process.signal(signal.SIGTERM)
        process.limit(Limits(nice=19, cpus=frozenset({0})), None)
        assert os.getpriority(os.PRIO_PROCESS, 0) == nice
        os.close(process._pidfd)


def opened(run_dir: RunDir, environment: dict[str, str], *, lock: bool) -> "subprocess.Popen[str]":
    """A process that is not ours with the lock file open where ours have it."""
    code = (
        f"import fcntl, os, time; os.dup2(os.open({str(run_dir.lock_file)!r}, os.O_RDWR | os.O_CREAT), {LOCK_FD});"
        f"{'fcntl.flock(4, fcntl.LOCK_EX);' if lock else ''} print(1, flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code], env=environment, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    return process
