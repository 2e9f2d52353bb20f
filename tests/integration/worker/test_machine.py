"""The machine in depth, as a real worker with real multicast sees it."""

import asyncio
import os
from collections.abc import Callable

import psutil
from worker_rig import Wait, channel, is_running

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.models.job import Status
from transcoder_tui.models.machine import Machine, MulticastGroup, NicUse
from transcoder_tui.settings import Settings

READ, SENT = "239.255.77.1", "239.255.77.2"


def loopback(machine: Machine) -> NicUse:
    return next(nic for nic in machine.nics if nic.name == "lo")


def groups(machine: Machine) -> dict[str, MulticastGroup]:
    return {group.address: group for group in loopback(machine).groups}


async def look(client: WorkerClient, check: Callable[[Machine], bool]) -> Machine:
    """Asks once a second until it is as a check wants it."""
    async for _ in client.stream():
        if check(machine := await client.machine()):
            return machine
    raise AssertionError("the stream ended")


async def test_cores_memory_and_disks_are_those_of_this_machine(client: WorkerClient, settings: Settings) -> None:
    machine = await client.machine()

    assert len(machine.cores) == psutil.cpu_count()
    assert all(0 <= percent <= 100 for percent in machine.cores)
    assert machine.memory.total == psutil.virtual_memory().total
    assert 0 < machine.memory.available < machine.memory.total
    holds = [words for disk in machine.disks for words in disk.holds]
    assert sorted(holds) == ["HLS", "database", "logs", "media", "run directory"]
    for disk in machine.disks:
        assert disk.answers
        assert (disk.total, disk.free > 0) == (psutil.disk_usage(disk.mount).total, True)
        assert os.path.ismount(disk.mount)
        assert settings.data_dir.is_relative_to(disk.mount)


async def test_a_multicast_is_shown_with_those_who_read_and_send_it(client: WorkerClient, wait: Wait) -> None:
    reads = await client.create(
        channel("Reads", sources=[{"url": f"udp://{READ}:45000", "interface": "lo"}, {"url": f"udp://{SENT}:45001"}])
    )
    sends = await client.create(channel("Sends", outputs=[{"url": f"udp://{SENT}:45002", "interface": "lo"}]))
    await wait(sends.id, is_running)
    await wait(reads.id, lambda row: row.status == Status.PENDING and row.pid is not None)

    joined = await look(client, lambda machine: READ in groups(machine) and groups(machine)[READ].users > 0)
    busy = await look(client, lambda machine: loopback(machine).tx_bps > 10_000 and loopback(machine).tx_pps > 1)

    assert groups(joined)[READ].readers == ["Reads"]
    assert (groups(joined)[SENT].senders, groups(joined)[SENT].readers) == (["Sends"], [])
    assert loopback(busy).rx_bps > 10_000
    assert loopback(busy).rx_drops_per_min is not None
    assert "127.0.0.1" in loopback(busy).addresses


async def test_many_who_ask_at_once_get_one_answer(client: WorkerClient) -> None:
    await client.machine()

    answers = await asyncio.gather(*(client.machine() for _ in range(8)))

    assert len({answer.at for answer in answers}) < 8
