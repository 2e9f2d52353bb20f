"""Faults 1 to 4 and 32: worker and keeper killed, at any moment, and replaced; clients killed and stopped."""

import asyncio
import os
import pty
import random
import signal
import sys
import time
from collections.abc import Awaitable, Callable
from contextlib import suppress

import pytest
from faults_rig import Faulty, OnAir, Rig, all_gone
from worker_rig import is_running

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import TranscoderError
from transcoder_tui.models.job import Status


async def start(rig: Rig, victim: OnAir) -> None:
    await rig.create("Another")


async def stop(rig: Rig, victim: OnAir) -> None:
    await rig.order(victim.id, "stop")


async def restart(rig: Rig, victim: OnAir) -> None:
    await rig.order(victim.id, "restart")


async def kill_ffmpeg(rig: Rig, victim: OnAir) -> None:
    os.kill(victim.pid, signal.SIGKILL)


async def fill_log(rig: Rig, victim: OnAir) -> None:
    rig.control(victim.name, flood_lines_per_s=3000)


async def wait(rig: Rig, victim: OnAir) -> None:
    await asyncio.sleep(0)


MOMENTS: dict[str, Callable[[Rig, OnAir], Awaitable[None]]] = {
    "order.before": restart,
    "order.committed": restart,
    "launch.committed": restart,
    "spawn.before": start,
    "spawn.after": start,
    "pid.committed": kill_ffmpeg,
    "signal.before": stop,
    "signal.after": stop,
    "log.trim": fill_log,
    "backup.before": wait,
    "backup.middle": wait,
    "backup.after": wait,
}
"""What is done so that the worker passes a failpoint."""
QUICK = dict.fromkeys(("spawn.after", "signal.after"), pytest.mark.quick)


@pytest.mark.parametrize("moment", ["reap.before", "reap.after"])
async def test_1_a_keeper_that_dies_at_the_end_of_an_ffmpeg_leaves_every_channel_on_air(
    fault: Faulty, moment: str
) -> None:
    async with fault(1, f"keeper killed at {moment}") as rig:
        victim = await rig.on_air()
        # What a dead worker left behind is the keeper's to reap.
        rig.kill_worker()
        await rig.another_worker()
        keeper = rig.keeper_pid
        rig.strike()
        rig.arm(f"{moment}=kill")

        os.kill(victim.pid, signal.SIGKILL)

        await rig.back(victim)
        assert not rig.is_armed, f"the keeper never passed {moment}"
        await rig.until_worker(lambda view: view.keeper_pid not in (None, keeper), timeout_s=60)
        await rig.shown("Victim: .*(SIGKILL|nobody was there)")


@pytest.mark.parametrize("moment", [pytest.param(name, marks=QUICK.get(name, ())) for name in MOMENTS])
async def test_1_a_worker_that_dies_at_any_moment_leaves_every_channel_on_air(fault: Faulty, moment: str) -> None:
    settings = {"BACKUP__EVERY_S": "1"} if moment.startswith("backup") else {}
    async with fault(1, f"worker killed at {moment}", LOG__MAX_BYTES="65536", **settings) as rig:
        victim = await rig.on_air()
        rig.strike()
        rig.arm(f"{moment}=kill")

        with suppress(TranscoderError):
            await MOMENTS[moment](rig, victim)
        await rig.another_worker()
        rig.control("Victim")

        assert not rig.is_armed, f"the worker never passed {moment}"
        await rig.shown(r"^worker .* adopted \d of \d channels")
        # Stopped channels and new pids are as ordered: only what ought to be on air counts as an outage.
        if moment in ("log.trim", "backup.before", "backup.middle", "backup.after"):
            view = await rig.until(victim.id, is_running)
            assert view.pid == victim.pid


async def test_1_a_killed_worker_is_followed_by_one_that_adopts_all(fault: Faulty) -> None:
    async with fault(1, "worker killed, 10 channels", bystanders=10) as rig:
        victim = await rig.on_air()
        rig.strike()

        began = time.monotonic()
        rig.kill_worker()
        await rig.another_worker()
        jobs = await rig.client.jobs()

        took = time.monotonic() - began
        assert {job.status for job in jobs} == {Status.RUNNING}
        assert next(job for job in jobs if job.id == victim.id).pid == victim.pid
        rig.note(f"{await rig.shown('adopted 11 of 11 channels')}, {took:.1f} s after the kill")
        rig.reason = "s after the kill"


async def test_1_a_worker_that_hangs_is_replaced(fault: Faulty) -> None:
    async with fault(1, "worker hangs (SIGSTOP)", SILENT_S="3") as rig:
        await rig.on_air()
        rig.strike()

        os.kill(rig.worker_pid, signal.SIGSTOP)

        await rig.another_worker(timeout_s=60)
        await rig.shown("adopted 3 of 3 channels")


async def _random_kills(rig: Rig, channels: int, kills: int) -> None:
    """Kills worker and FFmpegs at random moments, while channels are ordered about."""
    chance = random.Random(3)
    victims = await rig.all_on_air([f"Victim {number}" for number in range(channels)])
    rig.strike()
    for _ in range(kills):
        await asyncio.sleep(chance.uniform(0.0, 1.0))
        what = chance.random()
        with suppress(ProcessLookupError):
            if what < 0.5:
                os.kill(rig.worker_pid, signal.SIGKILL)
                with suppress(AssertionError):
                    await rig.another_worker(timeout_s=chance.uniform(0.0, 4.0))
            elif what < 0.9:
                pids = [pid for held in rig.outside.holders().values() for pid in held]
                if pids:
                    os.kill(chance.choice(pids), signal.SIGKILL)
            else:
                channel_id = chance.choice(victims).id
                with suppress(TranscoderError):
                    await rig.order(channel_id, "restart")
    with suppress(AssertionError):
        await rig.another_worker(timeout_s=1.0)
    await rig.until_worker(lambda view: True)


async def test_2_ten_random_kills_of_ten_channels(fault: Faulty) -> None:
    async with fault(2, "10 random kills, 10 channels", bystanders=0, RETRY__ATTEMPTS="100") as rig:
        await _random_kills(rig, channels=10, kills=10)
        await rig.shown(r"adopted \d+ of \d+ channels")


@pytest.mark.timeout(480)
async def test_2_a_hundred_random_kills_of_fifty_channels(fault: Faulty) -> None:
    async with fault(2, "100 random kills, 50 channels", bystanders=0, RETRY__ATTEMPTS="100") as rig:
        await _random_kills(rig, channels=50, kills=100)
        await rig.shown(r"adopted \d+ of \d+ channels")


@pytest.mark.quick
async def test_3_a_killed_keeper_is_replaced_without_an_operator(fault: Faulty) -> None:
    async with fault(3, "keeper killed") as rig:
        await rig.on_air()
        rig.strike()
        keeper = rig.keeper_pid

        os.kill(keeper, signal.SIGKILL)

        await rig.until_worker(lambda view: view.keeper_pid not in (None, keeper), timeout_s=60)
        await rig.shown("keeper|adopted 3 of 3 channels")


async def test_3_keeper_and_worker_killed_together_cost_no_channel(fault: Faulty) -> None:
    async with fault(3, "keeper and worker killed") as rig:
        await rig.on_air()
        rig.strike()

        os.kill(rig.keeper_pid, signal.SIGKILL)
        rig.kill_worker()
        await all_gone(rig.keeper_pid, rig.worker_pid)
        await rig.start_worker()

        await rig.shown("adopted 3 of 3 channels")


async def _console(rig: Rig) -> tuple[int, int]:
    """A console in a terminal of its own: its pid and the terminal."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.environ["TERM"] = "xterm-256color"
        os.execv(sys.executable, [sys.executable, "-m", "transcoder_tui"])
    os.set_blocking(terminal, False)
    seen = b""
    deadline = time.monotonic() + 30
    while b"Victim" not in seen and time.monotonic() < deadline:
        with suppress(BlockingIOError):
            seen += os.read(terminal, 65536)
        await asyncio.sleep(0.05)
    assert b"Victim" in seen, "the console does not show the channel"
    return pid, terminal


@pytest.mark.parametrize(
    ("number", "name"),
    [(signal.SIGKILL, "killed"), pytest.param(signal.SIGHUP, "loses its terminal (HUP)", marks=pytest.mark.quick)],
)
async def test_4_a_console_that_goes_away_touches_nothing(fault: Faulty, number: signal.Signals, name: str) -> None:
    async with fault(4, f"console {name}", bystanders=1) as rig:
        await rig.on_air()
        pid, terminal = await _console(rig)
        rig.strike()

        os.kill(pid, number)

        await asyncio.to_thread(os.waitpid, pid, 0)
        os.close(terminal)
        await asyncio.sleep(2.0)
        rig.nothing_to_show()


async def test_4_a_console_that_is_stopped_touches_nothing(fault: Faulty) -> None:
    async with fault(4, "console stopped (SIGSTOP), terminal unread", bystanders=1) as rig:
        victim = await rig.on_air()
        pid, terminal = await _console(rig)
        rig.strike()
        try:
            os.kill(pid, signal.SIGSTOP)
            await asyncio.sleep(6.0)

            async with asyncio.timeout(5), WorkerClient(rig.settings.socket) as other:
                assert (await other.job(victim.id)).status == Status.RUNNING
            rig.nothing_to_show()
        finally:
            os.kill(pid, signal.SIGKILL)
            await asyncio.to_thread(os.waitpid, pid, 0)
            os.close(terminal)


async def test_32_a_worker_is_upgraded_under_channels_on_air(fault: Faulty) -> None:
    async with fault(32, "upgrade: worker replaced (reload)") as rig:
        await rig.on_air()
        rig.strike()

        os.kill(rig.keeper_pid, signal.SIGHUP)

        await rig.another_worker()
        await rig.shown("adopted 3 of 3 channels")


async def test_32_runs_of_an_older_version_are_adopted(fault: Faulty) -> None:
    async with fault(32, "runs whose files are older than the worker") as rig:
        victim = await rig.on_air()
        rig.strike()
        keeper, worker = rig.keeper_pid, rig.worker_pid
        os.kill(keeper, signal.SIGTERM)
        await all_gone(keeper, worker)
        # An older version left less behind: nothing but the lock and the progress is needed to adopt a run.
        directory = rig.settings.run_path / "channels" / str(victim.id)
        for entry in directory.iterdir():
            if entry.name not in ("lock", "progress"):
                entry.unlink()

        await rig.start_worker()

        await rig.shown("adopted 3 of 3 channels")
