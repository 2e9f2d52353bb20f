"""Thousands of starts and stops leave neither descriptors, threads, zombies nor memory behind."""

import asyncio
import os
from collections import Counter
from pathlib import Path

import psutil
import pytest
from fake_ffmpeg import real_ffmpeg
from procfs import children, descriptors, threads
from worker_rig import channel, installation, processes_of, runs_of

from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import WorkerClient

CHANNELS = 20
MEMORY = 20_000_000
"""Bytes by which the worker may have grown: caches fill up in the first thousand starts."""


def asleep(directory: Path) -> Path:
    """The cheapest FFmpeg there is: it sleeps until it is told to end."""
    script = directory / "asleep"
    script.write_text(f'#!/bin/sh\ncase "$*" in *-progress*) exec sleep 1000 ;; esac\nexec {real_ffmpeg()} "$@"\n')
    script.chmod(0o755)
    return script


def held(pid: int) -> tuple[int, int]:
    return descriptors(pid), threads(pid)


@pytest.mark.parametrize(
    "cycles",
    [pytest.param(400, id="400", marks=pytest.mark.quick), pytest.param(10_000, id="10000")],
)
@pytest.mark.timeout(1500)
async def test_thousands_of_starts_and_stops_leave_nothing_behind(tmp_path: Path, cycles: int) -> None:
    settings_ = {"FFMPEG__PATH": str(asleep(tmp_path)), "START__AT_ONCE": "1000", "WATCHDOG__STARTUP_S": "600"}
    with installation(**settings_) as settings:
        ensure_worker(settings)
        async with WorkerClient(settings.socket) as client:
            entries = [channel(f"C{number}", autostart=False) for number in range(CHANNELS)]
            await client.apply({"version": 1, "channels": entries})
            ids = [job.id for job in await client.jobs()]
            started: Counter[int] = Counter()

            async def cycle(channel_id: int, times: int) -> None:
                for _ in range(times):
                    await client.order(channel_id, "start")
                    while (await client.job(channel_id)).pid is None:  # noqa: ASYNC110 - in another process
                        await asyncio.sleep(0.001)
                    started[channel_id] += 1
                    await client.order(channel_id, "stop")

            async def cycle_all(times: int) -> None:
                await asyncio.gather(*(cycle(channel_id, times) for channel_id in ids))

            # What is opened once is opened now.
            await cycle_all(5)
            pids = set(processes_of(settings))
            before = {pid: held(pid) for pid in pids}
            worker = psutil.Process((await client.worker()).pid)
            memory = worker.memory_info().rss

            await cycle_all(cycles // CHANNELS)

            assert sum(started.values()) == cycles + 5 * CHANNELS
            assert set(processes_of(settings)) == pids, "keeper or worker was replaced"
            for pid in pids:
                now = held(pid)
                assert now[0] <= before[pid][0] + 2, f"descriptors of {pid}: {before[pid]} before, {now} after"
                assert now[1] <= before[pid][1], f"threads of {pid}: {before[pid]} before, {now} after"
            assert runs_of(settings) == []
            assert [pid for pid in children(worker.pid) if pid != os.getpid()] == []
            assert worker.memory_info().rss - memory < MEMORY
