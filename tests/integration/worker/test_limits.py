"""Limits on real processes: nice, CPUs, and memory held by real cgroups where this host has them to give."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from pathlib import Path

import imageio_ffmpeg
import pytest
from fake_ffmpeg import control, fake_ffmpeg
from forked import ended, in_child, run_dirs, stopped
from worker_rig import channel, installation, is_running, row_of

from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import InvalidInput
from transcoder_tui.ffmpeg.command import Command
from transcoder_tui.host.cgroups import cgroup2_mount, words
from transcoder_tui.host.cpus import online_cpus
from transcoder_tui.host.sampling import ProcessSampler
from transcoder_tui.models.view import ChannelView
from transcoder_tui.worker.cgroup import Ceilings, Leaf
from transcoder_tui.worker.limits import Limits, limits_text, over_memory, shortfalls
from transcoder_tui.worker.oom import OomWatch
from transcoder_tui.worker.process import RUN_ID, Process, spawn
from transcoder_tui.worker.rundir import RunDir

FFMPEG = shutil.which("ffmpeg") or imageio_ffmpeg.get_ffmpeg_exe()
ENCODE = Command(
    (FFMPEG, "-re", "-f", "lavfi", "-i", "testsrc=size=320x180", "-c:v", "libx264", "-f", "null", "-"),
    {"PATH": "/usr/bin:/bin"},
    (),
)
MIB = 1 << 20
NOBODY = 54_321
"""A user who has no rights."""
CPU = min(online_cpus())
NO_CPU = max(online_cpus()) + 1

several_cpus = pytest.mark.skipif(len(online_cpus()) < 2, reason="this host has one CPU")
autogroup = pytest.mark.skipif(
    not Path("/proc/self/autogroup").exists(), reason="this kernel does not group the tasks of a session"
)
Eventually = Callable[..., object]


@pytest.fixture
def run_dir() -> Iterator[RunDir]:
    with run_dirs() as found:
        yield found


@pytest.fixture
def ceilings(run_dir: RunDir) -> Iterator[Ceilings]:
    """Cgroups of our own."""
    taken = Ceilings.take(run_dir.path)
    if taken.ground is None:
        pytest.skip(f"no cgroups: {taken.why}")
    yield taken
    for leaf in [*taken.ground.glob("*/"), taken.ground]:
        leaf.rmdir()


def start(run_dir: RunDir, command: Command, limits: Limits, leaf: Leaf | None = None) -> Process:
    return spawn(command, run_dir, {RUN_ID: "a"}, run_dir.path / "stderr", limits, leaf)


def greedy(mebibytes: int) -> Command:
    """Takes so much memory and keeps it."""
    code = f"import time\nkept = []\nfor _ in range({mebibytes}): kept.append(bytearray({MIB}))\ntime.sleep(60)"
    return Command((sys.executable, "-c", code), {}, ())


def threads(process: Process) -> list[int]:
    return [int(entry.name) for entry in Path(f"/proc/{process.pid}/task").iterdir()]


def said(run_dir: RunDir) -> str:
    return (run_dir.path / "stderr").read_text()


def as_nobody(run_dir: RunDir, work: Callable[[], str]) -> str:
    """What ``work`` returns where it has no rights."""

    def humble() -> str:
        if os.geteuid() == 0:
            os.setgroups([])
            os.setresuid(NOBODY, NOBODY, NOBODY)
        return work()

    run_dir.path.mkdir(parents=True)
    for path in (run_dir.path, *run_dir.path.parents[:2]):
        path.chmod(0o777)
    return in_child(humble)


class TestScheduling:
    def test_every_thread_of_ffmpeg_gets_its_nice_value_and_its_cpus(
        self, run_dir: RunDir, eventually: Eventually
    ) -> None:
        process = start(run_dir, ENCODE, Limits(nice=7, cpus=frozenset({CPU})))
        eventually(lambda: "frame=" in said(run_dir))
        assert {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads(process)} == {7}
        assert {frozenset(os.sched_getaffinity(thread)) for thread in threads(process)} == {frozenset({CPU})}
        assert limits_text(process.limits) == f"nice 7, CPUs {CPU}"
        assert shortfalls(process.limits) == []
        stopped(process)

    @autogroup
    def test_the_nice_value_weighs_against_other_sessions_too(self, run_dir: RunDir) -> None:
        process = start(run_dir, ENCODE, Limits(nice=7))
        assert Path(f"/proc/{process.pid}/autogroup").read_text().split()[-1] == "7"
        stopped(process)

    @several_cpus
    def test_the_cpus_are_in_force_before_ffmpeg_counts_them(self, run_dir: RunDir) -> None:
        counting = Command(("/bin/sh", "-c", "nproc >&2"), {"PATH": "/usr/bin:/bin"}, ())
        before = os.sched_getaffinity(0)
        ended(start(run_dir, counting, Limits(cpus=frozenset({CPU}))))
        assert said(run_dir) == "1\n"
        assert os.sched_getaffinity(0) == before

    def test_the_worker_keeps_its_cpus_where_a_start_is_refused(self, run_dir: RunDir) -> None:
        before = os.sched_getaffinity(0)
        process = start(run_dir, ENCODE, Limits())
        with pytest.raises(Exception, match="still running"):
            start(run_dir, ENCODE, Limits(cpus=frozenset({CPU})))
        assert os.sched_getaffinity(0) == before
        stopped(process)

    @pytest.mark.parametrize("cpus", [{CPU, NO_CPU}, {NO_CPU}])
    def test_cpus_that_are_gone_keep_no_channel_off_the_air(self, run_dir: RunDir, cpus: set[int]) -> None:
        process = start(run_dir, ENCODE, Limits(cpus=frozenset(cpus)))
        assert process.limits.cpus
        assert [fault.field for fault in shortfalls(process.limits)] == ["cpus"]
        stopped(process)

    def test_limits_are_changed_and_lifted_while_it_runs(self, run_dir: RunDir, eventually: Eventually) -> None:
        before = frozenset(os.sched_getaffinity(0)), os.getpriority(os.PRIO_PROCESS, 0)
        process = start(run_dir, ENCODE, Limits(nice=3))
        eventually(lambda: "frame=" in said(run_dir))
        process.limit(Limits(nice=9, cpus=frozenset({CPU})), None)
        assert {os.getpriority(os.PRIO_PROCESS, thread) for thread in threads(process)} == {9}
        assert {frozenset(os.sched_getaffinity(thread)) for thread in threads(process)} == {frozenset({CPU})}
        assert limits_text(process.limits) == f"nice 9, CPUs {CPU}"
        process.limit(Limits(), None)
        assert frozenset(os.sched_getaffinity(process.pid)) == before[0]
        assert limits_text(process.limits) == ""
        if os.geteuid() == 0:
            assert os.getpriority(os.PRIO_PROCESS, process.pid) == before[1]
        stopped(process)

    def test_what_is_not_limited_is_left_as_somebody_set_it_by_hand(self, run_dir: RunDir) -> None:
        process = start(run_dir, ENCODE, Limits())
        os.setpriority(os.PRIO_PROCESS, process.pid, 4)
        process.limit(Limits(memory=999 * MIB), None)
        assert os.getpriority(os.PRIO_PROCESS, process.pid) == 4
        stopped(process)

    def test_a_priority_that_the_worker_has_no_right_to_keeps_no_channel_off_the_air(self, run_dir: RunDir) -> None:
        def start_and_tell() -> str:
            process = start(run_dir, ENCODE, Limits(nice=-5))
            told = f"{limits_text(process.limits)}; {shortfalls(process.limits)[0].remedy}"
            stopped(process)
            return told

        assert as_nobody(run_dir, start_and_tell) == (
            "nice 0 instead of -5; restart the channel, or give the worker the right to it: "
            "LimitNICE=-5 in its systemd unit"
        )

    @autogroup
    def test_what_the_kernel_puts_off_is_caught_up_on(self, run_dir: RunDir) -> None:
        """It lets the unprivileged renice one session in 0.1 s."""

        def start_and_tell() -> str:
            limits = Limits(nice=6)
            others = [RunDir(run_dir.path / str(number)) for number in range(3)]
            processes = [start(other, ENCODE, limits) for other in others]
            deadline = time.monotonic() + 20
            while any(process.limits.pending for process in processes) and time.monotonic() < deadline:
                time.sleep(0.05)
                for process in processes:
                    if process.limits.pending:
                        process.limit(limits, None)
            told = [Path(f"/proc/{process.pid}/autogroup").read_text().split()[-1] for process in processes]
            for process in processes:
                stopped(process)
            return str(told)

        assert as_nobody(run_dir, start_and_tell) == "['6', '6', '6']"


class TestWatchedMemory:
    """Where no cgroup holds the ceiling."""

    def test_a_process_over_its_ceiling_is_seen(self, run_dir: RunDir, eventually: Eventually) -> None:
        process = start(run_dir, greedy(90), Limits(memory=64 * MIB))
        assert limits_text(process.limits) == "memory 64M (watched)"
        sampler = ProcessSampler()

        def over() -> object:
            sample = sampler.sample([process.pid]).get(process.pid)
            return sample and over_memory(process.limits, sample.rss_bytes)

        assert "took more than 64M of memory" in str(eventually(over))
        process.limit(Limits(memory=500 * MIB), None)
        assert over() is None
        stopped(process)

    def test_a_kill_by_hand_is_not_put_down_to_memory(self, run_dir: RunDir) -> None:
        watch = OomWatch()
        process = start(run_dir, ENCODE, Limits(memory=500 * MIB))
        stopped(process)
        assert watch.cause(process.pid, process.start, 500 * MIB, None, time.monotonic()) is None


class TestMemoryInCgroups:
    def test_a_process_that_wants_more_is_ended_and_the_limit_is_named(
        self, run_dir: RunDir, ceilings: Ceilings
    ) -> None:
        watch = OomWatch()
        leaf = ceilings.prepare(7, 64 * MIB)
        process = start(run_dir, greedy(200), Limits(memory=64 * MIB), leaf)
        assert limits_text(process.limits) == "memory 64M (cgroup)"
        assert ended(process) == -9
        cause = watch.cause(process.pid, process.start, 64 * MIB, leaf, time.monotonic())
        assert cause is not None
        assert cause.cause == "FFmpeg ran out of its memory limit of 64M"
        assert leaf is not None
        leaf.remove()
        assert ceilings.leaf(7) is None

    def test_ffmpeg_is_in_its_cgroup_from_the_first_byte_on(
        self, run_dir: RunDir, ceilings: Ceilings, eventually: Eventually
    ) -> None:
        leaf = ceilings.prepare(7, 500 * MIB)
        assert leaf is not None
        process = start(run_dir, ENCODE, Limits(memory=500 * MIB), leaf)
        eventually(lambda: "frame=" in said(run_dir))
        process.limit(Limits(memory=500 * MIB), leaf)
        assert limits_text(process.limits) == "memory 500M (cgroup)"
        assert not process.limits.pending
        assert words(leaf.procs) == [str(process.pid)]
        assert Path(f"/proc/{process.pid}/oom_score_adj").read_text() == "0\n"
        stopped(process)

    def test_a_ceiling_is_changed_while_it_runs(
        self, run_dir: RunDir, ceilings: Ceilings, eventually: Eventually
    ) -> None:
        leaf = ceilings.prepare(7, 500 * MIB)
        assert leaf is not None
        process = start(run_dir, ENCODE, Limits(memory=500 * MIB), leaf)
        eventually(lambda: leaf.holds(process.pid))
        process.limit(Limits(memory=600 * MIB), leaf)
        assert (leaf.ceiling(), process.limits.by_cgroup) == (600 * MIB, True)
        process.limit(Limits(), leaf)
        assert leaf.ceiling() is None
        process.limit(Limits(memory=700 * MIB), leaf)
        assert leaf.ceiling() == 700 * MIB
        assert limits_text(process.limits) == "memory 700M (watched)"
        stopped(process)

    def test_a_ceiling_for_one_that_runs_without_a_cgroup_is_watched(self, run_dir: RunDir, ceilings: Ceilings) -> None:
        process = start(run_dir, ENCODE, Limits())
        process.limit(Limits(memory=500 * MIB), ceilings.leaf(7))
        assert limits_text(process.limits) == "memory 500M (watched)"
        stopped(process)

    def test_one_that_did_not_enter_its_cgroup_is_watched(self, run_dir: RunDir, ceilings: Ceilings) -> None:
        leaf = ceilings.prepare(7, 500 * MIB)
        process = start(run_dir, ENCODE, Limits(memory=500 * MIB), Leaf(Path("/nonexistent")))
        process.limit(Limits(memory=500 * MIB), leaf)
        assert limits_text(process.limits) == "memory 500M (watched)"
        stopped(process)

    def test_what_an_earlier_run_left_is_forgotten(self, run_dir: RunDir, ceilings: Ceilings) -> None:
        leaf = ceilings.prepare(7, 64 * MIB)
        ended(start(run_dir, greedy(200), Limits(memory=64 * MIB), leaf))
        assert leaf is not None
        assert leaf.events().killed
        again = ceilings.prepare(7, 64 * MIB)
        assert again is not None
        assert not again.events().killed
        assert ceilings.prepare(7, None) is None
        assert ceilings.leaf(7) is None

    def test_the_next_worker_finds_what_runs_and_what_ended_meanwhile(
        self, run_dir: RunDir, ceilings: Ceilings, eventually: Eventually
    ) -> None:
        leaf, other = ceilings.prepare(7, 500 * MIB), ceilings.prepare(8, 64 * MIB)
        process = start(run_dir, ENCODE, Limits(memory=500 * MIB), leaf)
        killed = start(RunDir(run_dir.path / "8"), greedy(200), Limits(memory=64 * MIB), other)
        assert ended(killed) == -9
        eventually(lambda: leaf is not None and leaf.holds(process.pid))
        later = Ceilings.take(run_dir.path)
        assert later.ground == ceilings.ground
        assert (later.leaf(7), later.leaf(8)) == (leaf, other)
        cause = OomWatch().cause(killed.pid, killed.start, 64 * MIB, later.leaf(8), time.monotonic())
        assert cause is not None
        assert cause.cause == "FFmpeg ran out of its memory limit of 64M"
        stopped(process)

    def test_a_limit_on_processes_of_a_cgroup_is_named(self, run_dir: RunDir, ceilings: Ceilings) -> None:
        assert ceilings.ground is not None
        if "pids" not in words(ceilings.ground / "cgroup.controllers"):
            with suppress(OSError):
                (ceilings.ground.parent / "cgroup.subtree_control").write_text("+pids")
        full = ceilings.ground / "full"
        full.mkdir()
        (ceilings.ground / "cgroup.subtree_control").write_text("+pids")
        (full / "pids.max").write_text("1")

        def crowded() -> str:
            (full / "cgroup.procs").write_text(str(os.getpid()))
            with pytest.raises(Exception, match="no more processes are allowed"):
                start(run_dir, ENCODE, Limits())
            return "refused"

        assert in_child(crowded) == "refused"

    def test_in_a_cgroup_that_is_ours_keeper_and_worker_move_aside(self, run_dir: RunDir, ceilings: Ceilings) -> None:
        """As under systemd with ``Delegate=``: a cgroup whose children are limited may hold no process."""
        assert ceilings.ground is not None
        unit = ceilings.ground / "unit"
        unit.mkdir()
        code = (
            "import os, pathlib; from transcoder_tui.worker.cgroup import Ceilings\n"
            f"pathlib.Path({str(unit / 'cgroup.procs')!r}).write_text(str(os.getpid()))\n"
            "for _ in range(2):\n"
            f"    taken = Ceilings.take(pathlib.Path({str(run_dir.path)!r}))\n"
            "    print(taken.ground, pathlib.Path('/proc/self/cgroup').read_text().split('0::')[1].strip())\n"
            "leaf = taken.prepare(1, 1 << 30)\n"
            "print(leaf.ceiling())\n"
            "leaf.remove()\n"
        )
        told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
        mount = cgroup2_mount(Path("/proc/self/mounts").read_text())
        place = f"/{(unit / 'worker').relative_to(str(mount))}"
        assert told.splitlines() == [f"{unit} {place}", f"{unit} {place}", str(1 << 30)]
        (unit / "worker").rmdir()


class TestChannels:
    """The same through the whole worker."""

    @pytest.fixture
    def fake(self, tmp_path: Path) -> Path:
        return fake_ffmpeg(tmp_path)

    @pytest.fixture
    async def client(self, fake: Path) -> AsyncIterator[WorkerClient]:
        with installation(FFMPEG__PATH=str(fake)) as settings:
            ensure_worker(settings)
            async with WorkerClient(settings.socket) as client:
                yield client

    @pytest.mark.long
    async def test_limits_are_applied_at_the_start_and_changed_without_a_restart(self, client: WorkerClient) -> None:
        created = await client.create(channel(nice=5, cpus=str(CPU), memory="2G"))
        before = await row_of(client, created.id, is_running)
        assert before.pid is not None
        assert before.limits.startswith(f"nice 5, CPUs {CPU}, memory 2G (")
        assert os.getpriority(os.PRIO_PROCESS, before.pid) == 5

        await client.change(created.id, channel(nice=8, memory="3G"))

        after = await row_of(client, created.id, lambda row: row.limits.startswith("nice 8, memory 3G ("))
        assert (after.pid, after.restarts) == (before.pid, 0)
        assert os.getpriority(os.PRIO_PROCESS, before.pid) == 8
        assert os.sched_getaffinity(before.pid) == os.sched_getaffinity(0)

    @pytest.mark.long
    async def test_a_channel_that_takes_too_much_memory_starts_again_and_says_why(
        self, client: WorkerClient, fake: Path
    ) -> None:
        control(fake, "Greedy", allocate_mb=120, once=True)
        created = await client.create(channel("Greedy", memory="64M"))

        def again(row: ChannelView) -> bool:
            return is_running(row) and row.restarts == 1

        await row_of(client, created.id, again)
        told = [event.message for event in await client.events(channel_id=created.id)]
        assert any("took more than 64M" in line or "memory limit of 64M" in line for line in told), told

    async def test_cpus_that_this_host_does_not_have_are_refused(self, client: WorkerClient) -> None:
        with pytest.raises(InvalidInput) as refusal:
            await client.create(channel(cpus=f"{CPU},{NO_CPU}"))
        assert [fault.field for fault in refusal.value.faults] == ["cpus"]
        assert f"this host has no CPU {NO_CPU}" in str(refusal.value)
