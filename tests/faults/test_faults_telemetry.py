"""Faults 9 to 11 and 34: progress that is garbage or lost, logs that are flooded or deleted, media that is too slow."""

import asyncio
import re
import tempfile
from pathlib import Path

import pytest
from faults_rig import Faulty, NotHere, come_true
from small_disk import small_disk
from worker_rig import is_running

GARBAGE = {
    "malformed": "frame=\nout_time_us=abc\n=\n===\nprogress\nprogress=\x00\n",
    "NUL bytes": "\x00" * 4096 + "\n",
    "a huge line": "x" * 300_000 + "\n",
    "half a block": "frame=7\nfps=25.0\nout_time_us=28",
    "control characters": "\x1b[2J\x9b31m frame=1\r\n\xff\xfe\n",
}


@pytest.mark.parametrize(
    "kind", [pytest.param(k, marks=pytest.mark.quick if k == "a huge line" else ()) for k in GARBAGE]
)
async def test_9_garbage_between_blocks_is_skipped(fault: Faulty, kind: str) -> None:
    async with fault(9, f"progress with {kind}", bystanders=1) as rig:
        victim = await rig.on_air()
        rig.strike()

        rig.control("Victim", garbage=GARBAGE[kind], garbage_and_blocks=True)

        await asyncio.sleep(4.0)
        row = await rig.until(victim.id, lambda row: is_running(row) and row.telemetry.speed is not None)
        assert row.pid == victim.pid
        rig.nothing_to_show()


async def test_9_progress_that_is_nothing_but_garbage_is_told_and_restarted(fault: Faulty) -> None:
    async with fault(9, "progress is nothing but garbage", bystanders=1) as rig:
        victim = await rig.on_air()
        rig.strike()

        rig.control("Victim", garbage="\x00garbage\n", garbage_times=1000, once=True)

        await rig.shown("Victim: (FFmpeg's figures|no media progress)")
        await rig.back(victim)


@pytest.mark.quick
async def test_10_a_flood_of_log_lines_touches_nobody_else(fault: Faulty) -> None:
    async with fault(10, "150,000 log lines a second", LOG__MAX_BYTES="1000000") as rig:
        victim = await rig.on_air()
        rig.strike()

        rig.control("Victim", flood_lines_per_s=150_000)
        await asyncio.sleep(8.0)
        rig.control("Victim")

        row = await rig.until(victim.id, is_running)
        assert row.pid == victim.pid
        await come_true(lambda: "flood line" in _log(rig.settings.channel_logs, victim.id), "the flood in the log")
        rig.note(re.findall(".*skipped.*", _log(rig.settings.channel_logs, victim.id))[-1])
        await rig.shown("skipped")


async def test_10_a_deleted_log_comes_back(fault: Faulty) -> None:
    async with fault(10, "log deleted while it is written", bystanders=1) as rig:
        victim = await rig.on_air()
        rig.strike()
        for path in rig.settings.channel_logs.iterdir():
            path.unlink()

        rig.control("Victim", stderr=["[info] after the deletion"])

        await come_true(lambda: "after the deletion" in _log(rig.settings.channel_logs, victim.id), "the log's return")
        rig.nothing_to_show()


def _log(directory: Path, channel_id: int) -> str:
    return "".join(path.read_text(errors="replace") for path in directory.glob(f"{channel_id}-*.log"))


@pytest.mark.quick
async def test_11_a_full_run_directory_costs_figures_and_not_the_air(fault: Faulty, not_here: NotHere) -> None:
    name = "progress disk full, then free"
    # Not pytest's own directory: the path of a Unix socket holds 107 bytes.
    with tempfile.TemporaryDirectory(prefix="tt-run-", dir="/tmp") as directory, small_disk(Path(directory), 2) as disk:
        if disk is None:
            not_here(11, name, "mounting a small disk is not permitted here")
        async with fault(11, name, bystanders=0, RUN_DIR=str(disk.path)) as rig:
            victim = await rig.on_air()
            rig.strike()
            disk.fill()

            await rig.shown("Victim: FFmpeg's figures")
            playlist = rig.settings.hls / "victim" / "90p" / "index.m3u8"
            before = playlist.read_text()
            await come_true(lambda: playlist.read_text() != before, "growth of the output without figures")
            row = await rig.view(victim.id)
            assert row is not None and row.pid == victim.pid, "a new FFmpeg could not give figures either"
            disk.free()

            await rig.back(victim)


async def test_34_an_encoder_that_is_too_slow_is_told_and_left_alone(fault: Faulty) -> None:
    async with fault(34, "encoder at 0.8 of real time", WATCHDOG__SLOW_S="5") as rig:
        victim = await rig.on_air()
        rig.strike()

        rig.control("Victim", speed=0.8)

        await rig.shown(r"Victim: too slow: 0\.[78]")
        rig.control("Victim")
        row = await rig.until(victim.id, lambda row: is_running(row) and not row.message)
        assert row.pid == victim.pid
