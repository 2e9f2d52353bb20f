"""Faults 12 and 13: destinations that are full, removed, read-only or hanging."""

import asyncio
import shutil
import time
from pathlib import Path

import pytest
from faults_rig import Faulty, NotHere, come_true
from loop_disk import loop_disk
from small_disk import SmallDisk, small_disk
from worker_rig import is_running

from transcoder_tui.models.job import Status

NO_DISK = "mounting a small disk is not permitted here"


@pytest.mark.quick
async def test_12_a_full_disk_under_hls_is_told_and_left_alone(
    fault: Faulty, not_here: NotHere, tmp_path: Path
) -> None:
    name = "HLS on a full disk, then free"
    with small_disk(tmp_path / "disk", 3) as disk:
        if disk is None:
            not_here(12, name, NO_DISK)
        async with fault(12, name, real=True, bystanders=0, HLS_ROOT=str(disk.path)) as rig:
            victim = await rig.on_air()
            segments = disk.path / "victim" / "90p"
            rig.strike()

            disk.fill()
            began = time.monotonic()

            await rig.shown("Victim: .*full")
            disk.free()
            await come_true(lambda: max(segments.glob("*.ts")).stat().st_size > 10_000, "segments with content again")
            rig.outage(round(time.monotonic() - began, 1))
            row = await rig.until(victim.id, lambda row: is_running(row) and not row.message, timeout_s=60)
            assert row.pid == victim.pid, "FFmpeg writes on by itself when there is room again"


async def test_12_a_full_disk_under_a_recording_is_told_and_tried_again(
    fault: Faulty, not_here: NotHere, tmp_path: Path
) -> None:
    name = "TS file on a full disk, then free"
    with small_disk(tmp_path / "disk", 3) as disk:
        if disk is None:
            not_here(12, name, NO_DISK)
        roots = f'["{disk.path}"]'
        async with fault(12, name, real=True, bystanders=1, MEDIA_ROOTS=roots) as rig:
            victim = await rig.on_air(outputs=[{"url": "file://news.ts"}])
            rig.strike()

            disk.fill()

            await rig.shown("Victim: .*(full|No space|space)")
            disk.free()
            row = await rig.until(victim.id, lambda row: is_running(row) or row.status == Status.ERROR, timeout_s=60)
            assert row.status == Status.RUNNING
            await rig.back(victim)


@pytest.mark.quick
async def test_13_a_directory_that_was_removed_comes_back(fault: Faulty) -> None:
    async with fault(13, "HLS directory removed", real=True, bystanders=1) as rig:
        victim = await rig.on_air()
        directory = rig.settings.hls / "victim"
        await come_true(lambda: list(directory.rglob("index.m3u8")), "a playlist")
        rig.strike()

        shutil.rmtree(directory)
        began = time.monotonic()

        await come_true(lambda: list(directory.rglob("index.m3u8")), "the playlist, again", timeout_s=60)
        rig.outage(round(time.monotonic() - began, 1))
        await rig.shown("Victim: .*directory is gone", timeout_s=40)
        await rig.until(victim.id, lambda row: is_running(row) and not row.message)


async def test_13_a_disk_that_became_read_only_is_told_and_tried_again(
    fault: Faulty, not_here: NotHere, tmp_path: Path
) -> None:
    name = "HLS disk read-only, then writable"
    with small_disk(tmp_path / "disk", 8) as disk:
        if disk is None:
            not_here(13, name, NO_DISK)
        root = disk.path / "hls"
        # What other channels write there would keep the kernel from mounting it anew.
        async with fault(13, name, real=True, bystanders=0, HLS_ROOT=str(root), RETRY__ATTEMPTS="9") as rig:
            victim = await rig.on_air()
            rig.strike()

            await _mount_again(disk, read_only=True)

            await rig.shown("Victim: .*(read-only|Read-only|cannot be written)", timeout_s=40)
            disk.read_only(now=False)
            await rig.until(victim.id, lambda row: is_running(row) and not row.message, timeout_s=60)


async def _mount_again(disk: SmallDisk, *, read_only: bool) -> None:
    def done() -> bool:
        try:
            disk.read_only(now=read_only)
        except OSError:
            return False
        return True

    await come_true(done, "mounting the disk anew, between two segments")


async def test_13_a_disk_that_hangs_is_told_and_touches_nobody_else(
    fault: Faulty, not_here: NotHere, tmp_path: Path
) -> None:
    name = "disk of a recording hangs, then goes on"
    with loop_disk(tmp_path / "disk") as disk:
        if disk is None:
            not_here(13, name, "a disk that can be frozen cannot be mounted here")
        roots = f'["{disk.path}"]'
        async with fault(13, name, real=True, bystanders=1, MEDIA_ROOTS=roots, WATCHDOG__STALL_S="60") as rig:
            victim = await rig.on_air(outputs=[{"url": "file://news.ts"}])
            rig.strike()

            await asyncio.to_thread(disk.freeze)

            await rig.shown("Victim: .*hangs in the kernel", timeout_s=40)
            await asyncio.to_thread(disk.thaw)
            await rig.until(victim.id, lambda row: is_running(row) and not row.message, timeout_s=60)
