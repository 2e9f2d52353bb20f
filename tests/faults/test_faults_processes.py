"""Faults 5 to 8, 23, 24 and 33: FFmpegs that are killed, stopped, deaf or missing; pids and boots that changed."""

import asyncio
import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import procfs
import pytest
from fault_network import Receiver, free_port
from faults_rig import Faulty, NotHere, all_gone, come_true
from worker_rig import is_running

from transcoder_tui.models.job import Status

LAST_PID = Path("/proc/sys/kernel/ns_last_pid")
"""Decides which pid the next process gets: pid_namespaces(7)."""


@pytest.mark.parametrize(("number", "name"), [(signal.SIGKILL, "killed"), (signal.SIGSEGV, "crashes")])
@pytest.mark.quick
async def test_5_a_dead_ffmpeg_is_replaced_at_once(fault: Faulty, number: signal.Signals, name: str) -> None:
    async with fault(5, f"FFmpeg {name}") as rig:
        victim = await rig.on_air()
        rig.strike()

        os.kill(victim.pid, number)

        await rig.back(victim)
        await rig.shown(f"Victim.*{number.name}")


async def test_5_all_ffmpegs_dead_at_once_come_back(fault: Faulty) -> None:
    async with fault(5, "all 8 FFmpegs killed at once", bystanders=0) as rig:
        victims = await rig.all_on_air([f"Victim {number}" for number in range(8)])
        rig.strike()

        for victim in victims:
            os.kill(victim.pid, signal.SIGKILL)

        for victim in victims:
            await rig.back(victim)
        await rig.shown("Victim.*SIGKILL")


async def test_5_the_real_ffmpeg_is_back_on_its_output_after_a_kill(fault: Faulty) -> None:
    async with fault(5, "real FFmpeg killed", real=True, bystanders=1) as rig:
        received = Receiver(free_port())
        victim = await rig.on_air(outputs=[{"url": f"udp://127.0.0.1:{received.port}"}])
        await come_true(lambda: received.packets > 20, "its output")
        rig.strike()
        received.mark()

        os.kill(victim.pid, signal.SIGKILL)

        before = received.packets
        await rig.back(victim)
        await come_true(lambda: received.packets > before + 20, "its output, again")
        rig.outage(received.gap_s)
        received.close()
        await rig.shown("Victim.*SIGKILL")


@pytest.mark.quick
async def test_6_a_stopped_ffmpeg_is_continued(fault: Faulty) -> None:
    async with fault(6, "FFmpeg stopped by SIGSTOP", WATCHDOG__STALL_S="12") as rig:
        victim = await rig.on_air()
        rig.strike()

        os.kill(victim.pid, signal.SIGSTOP)

        await rig.shown("Victim.*(SIGSTOP|stopped by a signal)")
        row = await rig.until(victim.id, lambda row: is_running(row) and not row.message)
        assert row.pid == victim.pid


async def test_6_an_ffmpeg_that_is_stopped_again_and_again_is_replaced(fault: Faulty) -> None:
    async with fault(6, "FFmpeg stopped again and again") as rig:
        victim = await rig.on_air()
        rig.strike()

        async def hold() -> None:
            while procfs.is_alive(victim.pid):
                os.kill(victim.pid, signal.SIGSTOP)
                await asyncio.sleep(0.02)

        holding = asyncio.create_task(hold())

        await rig.back(victim)
        await rig.shown("Victim.*(SIGSTOP|stopped by a signal)")
        holding.cancel()


@pytest.mark.quick
async def test_7_an_ffmpeg_that_ignores_term_is_killed_in_time(fault: Faulty) -> None:
    async with fault(7, "ignores TERM: stop") as rig:
        victim = await rig.on_air()
        rig.control("Victim", ignore_term=True)
        await asyncio.sleep(1.0)
        rig.strike()

        began = time.monotonic()
        await rig.order(victim.id, "stop")

        assert time.monotonic() - began < 6.5, "the deadline of a stop is 5 s"
        assert not procfs.is_alive(victim.pid)
        rig.control("Victim")
        await rig.shown("Victim: stopped")


async def test_7_an_ffmpeg_that_ignores_term_is_restarted_all_the_same(fault: Faulty) -> None:
    async with fault(7, "ignores TERM: restart") as rig:
        victim = await rig.on_air()
        rig.control("Victim", ignore_term=True)
        await asyncio.sleep(1.0)
        rig.strike()

        await rig.order(victim.id, "restart")
        rig.control("Victim")

        await rig.back(victim)
        await rig.shown("Victim: restart ordered")


@pytest.mark.quick
async def test_8_a_missing_binary_is_told_at_once_and_costs_no_channel_that_runs(fault: Faulty) -> None:
    async with fault(8, "FFmpeg's binary missing") as rig:
        victim = await rig.on_air()
        binary = rig.binary
        rig.strike()
        binary.rename(binary.with_suffix(".away"))

        os.kill(victim.pid, signal.SIGKILL)

        row = await rig.until(victim.id, lambda row: row.status == Status.ERROR)
        assert row.remedy
        await rig.shown("Victim.*there is no file")
        binary.with_suffix(".away").rename(binary)
        await rig.order(victim.id, "start")
        await rig.back(victim)


async def test_8_a_binary_that_is_none_any_more_is_told_and_tried_again(fault: Faulty) -> None:
    async with fault(8, "FFmpeg's binary swapped for another program") as rig:
        victim = await rig.on_air()
        binary = rig.binary
        true = shutil.which("true")
        assert true is not None
        rig.strike()
        binary.rename(binary.with_suffix(".away"))
        shutil.copy(true, binary)

        os.kill(victim.pid, signal.SIGKILL)

        await rig.shown("Victim.*is not an FFmpeg")
        binary.unlink()
        binary.with_suffix(".away").rename(binary)
        row = await rig.until(victim.id, lambda row: row.pid != victim.pid)
        if row.status == Status.ERROR:
            await rig.order(victim.id, "start")
        await rig.back(victim)


@pytest.mark.quick
async def test_23_a_pid_that_was_given_to_somebody_else_is_not_taken_for_ffmpeg(
    fault: Faulty, not_here: NotHere
) -> None:
    name = "pid reused while no worker ran"
    if not os.access(LAST_PID, os.W_OK):
        not_here(23, name, "choosing the next pid is not permitted here")
    async with fault(23, name) as rig:
        victim = await rig.on_air()
        rig.strike()
        os.kill(rig.keeper_pid, signal.SIGKILL)
        rig.kill_worker()
        await all_gone(rig.keeper_pid, rig.worker_pid)
        os.kill(victim.pid, signal.SIGKILL)
        await come_true(lambda: not procfs.state(victim.pid), "the end of the old one, reaped")
        stranger = _with_pid(victim.pid)
        if stranger is None:
            not_here(23, name, "another process was faster to take the pid")
        try:
            await rig.start_worker()

            await rig.back(victim)
            await rig.order(victim.id, "restart")
            assert stranger.poll() is None, "a stranger was taken for FFmpeg and ended"
        finally:
            stranger.kill()
            stranger.wait()
        await rig.shown("Victim.*(nobody was there|exit code|unknown)")


def _with_pid(pid: int) -> "subprocess.Popen[bytes] | None":
    """A process with a pid of our choice."""
    for _ in range(50):
        LAST_PID.write_text(str(pid - 1))
        process = subprocess.Popen(["sleep", "300"])
        if process.pid == pid:
            return process
        process.kill()
        process.wait()
    return None


async def test_24_after_a_reboot_what_was_wanted_starts_again(fault: Faulty) -> None:
    async with fault(24, "host rebooted", bystanders=0) as rig:
        victims = await rig.all_on_air([f"Victim {number}" for number in range(3)])
        stopped = await rig.create("Manual", autostart=False)
        rig.strike()
        for pid in (rig.keeper_pid, rig.worker_pid, *(victim.pid for victim in victims)):
            os.kill(pid, signal.SIGKILL)
        await all_gone(*(victim.pid for victim in victims))
        # A run directory on tmpfs is gone, and the kernel has another boot id.
        shutil.rmtree(rig.settings.run_path)
        (rig.settings.data_dir / "boot_id").write_text("another boot\n")

        await rig.start_worker()

        for victim in victims:
            await rig.back(victim)
        view = await rig.view(stopped)
        assert view is not None and view.status == Status.STOPPED
        await rig.shown("adopted 0 of 4|boot|started anew")


async def test_33_term_to_every_process_at_once_ends_cleanly_and_the_next_worker_starts_all(fault: Faulty) -> None:
    async with fault(33, "TERM to the whole cgroup", bystanders=0) as rig:
        victims = await rig.all_on_air([f"Victim {number}" for number in range(3)])
        rig.strike()
        pids = [rig.keeper_pid, rig.worker_pid, *(victim.pid for victim in victims)]

        for pid in pids:
            os.kill(pid, signal.SIGTERM)
        await all_gone(*pids)
        await rig.start_worker()

        for victim in victims:
            await rig.back(victim)
        await rig.shown(r"Victim.*stopped by a signal from outside")
