"""Fault 25: every channel of a full rack at once."""

import asyncio
import subprocess
import sys
import time

import pytest
from faults_rig import Faulty, Rig
from worker_rig import channel, is_running

from transcoder_tui.models.job import Status

PING = r"""
import select, socket, sys, time
connection = socket.socket(socket.AF_UNIX)
connection.connect(sys.argv[1])
longest = 0.0
print("ready", flush=True)
until = time.monotonic() + float(sys.argv[2])
while time.monotonic() < until:
    began = time.monotonic()
    connection.sendall(b"GET /api/v1/worker HTTP/1.1\r\nHost: worker\r\n\r\n")
    head, _, body = connection.recv(65536).partition(b"\r\n\r\n")
    longest = max(longest, time.monotonic() - began)
    time.sleep(0.01)
    if select.select([sys.stdin], [], [], 0)[0]:
        break
print(longest * 1000, flush=True)
"""
"""Asks the worker a small thing again and again, from a process that does nothing else: how long the answer takes at
most is the longest time for which the worker, on this machine with all that runs on it, looks after something else."""


def _rack(channels: int, *, autostart: bool = False) -> list[dict[str, object]]:
    outputs = [[{"url": f"udp://239.0.{number // 250}.{number % 250 + 1}:5000"}] for number in range(channels)]
    return [
        channel(f"Victim {number}", outputs=outputs[number], autostart=autostart, priority=number % 100)
        for number in range(channels)
    ]


async def _storm(rig: Rig, channels: int) -> None:
    await rig.client.apply({"version": 1, "channels": [channel("Bystander 1"), *_rack(channels)]})
    victims = [document.id for document in await rig.client.channels() if document.spec["name"] != "Bystander 1"]
    for victim in victims:
        rig.adopt_order(victim, "stop")
    rig.strike()

    ping = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", PING, str(rig.settings.socket), "600"), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert ping.stdout is not None and ping.stdin is not None
    await ping.stdout.readline()
    began = time.monotonic()
    await asyncio.gather(*(rig.order(victim, "start") for victim in victims))
    for victim in victims:
        await rig.until(victim, is_running, timeout_s=240)
    up = time.monotonic() - began
    rows = (await rig.client.metrics()).channels
    assert all(row.restarts == 0 for row in rows), "a watchdog took a slow start for a fault"

    began = time.monotonic()
    await asyncio.gather(*(rig.order(victim, "stop") for victim in victims))
    down = time.monotonic() - began
    jobs = {job.id: job for job in await rig.client.jobs()}
    assert all(jobs[victim].status == Status.STOPPED for victim in victims)
    ping.stdin.close()
    longest = float((await ping.stdout.read()).decode())
    await ping.wait()
    rig.note(f"{channels} on air in {up:.1f} s, off in {down:.1f} s; slowest answer meanwhile {longest:.0f} ms")
    await rig.shown("on air in")


@pytest.mark.timeout(300)
@pytest.mark.quick
async def test_25_forty_starts_and_stops_at_once(fault: Faulty) -> None:
    async with fault(25, "40 starts, 40 stops at once", bystanders=1) as rig:
        rig.control(None, period_s=1.0, look_s=1.0)
        await _storm(rig, 40)


@pytest.mark.timeout(600)
async def test_25_three_hundred_starts_and_stops_at_once(fault: Faulty) -> None:
    async with fault(25, "300 starts, 300 stops at once", bystanders=1) as rig:
        rig.control(None, period_s=1.0, look_s=1.0)
        await _storm(rig, 300)
