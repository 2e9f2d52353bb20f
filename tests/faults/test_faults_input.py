"""Faults 17 to 20: sources that fall silent, peers that reset, interfaces that lose carrier, link or address."""

import asyncio
import os
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import m3u8
import procfs
import pytest
from fault_network import Listener, Namespace, Receiver, Sender, cable, free_port, namespace, plug, sample
from faults_rig import Faulty, NotHere, come_true
from worker_rig import is_running

from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status

DEVICE = "tt0"


@pytest.fixture(scope="session")
def stream(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A transport stream to send."""
    return sample(tmp_path_factory.getbasetemp())


@pytest.fixture
def port() -> int:
    return free_port()


@pytest.fixture
def sender(stream: Path, port: int) -> Iterator[Sender]:
    """Sends the stream to ``udp://127.0.0.1:PORT``."""
    made = Sender(stream, f"udp://127.0.0.1:{port}?pkt_size=1316")
    yield made
    made.stop()


@pytest.fixture
def received(port: int) -> Iterator[Receiver]:
    """Receives what the victim sends."""
    made = Receiver(free_port())
    yield made
    made.close()


def by_udp(port: int, received: Receiver) -> dict[str, object]:
    """A channel from one UDP port to another, and HLS beside it."""
    return {
        "sources": [{"url": f"udp://127.0.0.1:{port}"}],
        "outputs": [{"url": f"udp://127.0.0.1:{received.port}"}, {"url": "hls://victim", "segment": "1s"}],
    }


@pytest.mark.quick
async def test_17_a_source_silent_for_three_seconds_keeps_its_ffmpeg(
    fault: Faulty, sender: Sender, port: int, received: Receiver
) -> None:
    async with fault(17, "UDP input lost for 3 s", real=True, bystanders=1, WATCHDOG__QUIET_S="1") as rig:
        victim = await rig.on_air(**by_udp(port, received))
        rig.strike()
        received.mark()

        sender.stop()
        await asyncio.sleep(3.0)
        sender.start()

        await rig.shown("Victim: nothing usable has arrived from udp://127.0.0.1")
        row = await rig.until(victim.id, lambda row: is_running(row) and not row.message)
        assert row.pid == victim.pid
        rig.outage(received.gap_s)


@pytest.mark.parametrize("silence_s", [12, pytest.param(60, marks=pytest.mark.timeout(240))], ids=lambda s: f"{s}s")
async def test_17_a_source_that_comes_back_is_back_on_air_at_once(
    fault: Faulty, sender: Sender, port: int, received: Receiver, silence_s: int
) -> None:
    async with fault(17, f"UDP input lost for {silence_s} s", real=True, bystanders=1) as rig:
        victim = await rig.on_air(**by_udp(port, received))
        rig.strike()
        received.mark()

        sender.stop()
        await asyncio.sleep(silence_s)
        sender.start()

        await rig.back(victim, timeout_s=90)
        await rig.shown("Victim: (nothing usable has arrived|no packets) from udp://127.0.0.1")
        rig.outage(received.gap_s)


@pytest.mark.timeout(240)
async def test_17_a_source_that_never_comes_back_is_given_up_and_probed_until_it_does(
    fault: Faulty, sender: Sender, port: int, received: Receiver
) -> None:
    settings = {"RETRY__ATTEMPTS": "1", "RETRY__PROBE_S": "3", "RETRY__PROBE_MAX_S": "3"}
    async with fault(17, "UDP input lost for good, then back", real=True, bystanders=1, **settings) as rig:
        victim = await rig.on_air(**by_udp(port, received))
        rig.strike()
        received.mark()

        sender.stop()
        row = await rig.until(victim.id, lambda row: row.status == Status.ERROR, timeout_s=90)
        assert row.next_retry_at is not None, "a live channel goes on trying"
        assert row.health == Health.OFF_AIR
        sender.start()

        await rig.back(victim, timeout_s=60)
        await rig.shown("Victim: .*udp://127.0.0.1")
        rig.outage(received.gap_s)


async def test_17_a_lost_source_hands_over_to_the_next_and_back(
    fault: Faulty, sender: Sender, port: int, received: Receiver
) -> None:
    settings = {"SOURCES__RETURN_AFTER_S": "4", "SOURCES__PROBE_EVERY_S": "2"}
    async with fault(17, "UDP input lost, backup source", real=True, bystanders=1, **settings) as rig:
        changes = by_udp(port, received)
        changes["sources"] = [{"url": f"udp://127.0.0.1:{port}"}, {"url": "test://bars?size=160x90&fps=25"}]
        victim = await rig.on_air(**changes)
        rig.strike()
        received.mark()

        sender.stop()

        await rig.until(victim.id, lambda row: is_running(row) and row.source_index == 1)
        rig.outage(received.gap_s)
        await rig.shown("Victim: (nothing usable has arrived|no packets) from udp://127.0.0.1")
        sender.start()
        row = await rig.until(victim.id, lambda row: is_running(row) and row.source_index == 0, timeout_s=60)
        assert row.pid != victim.pid


async def test_18_a_receiver_that_resets_is_told_and_sent_to_again(fault: Faulty) -> None:
    port = free_port()
    listener = Listener(port)
    try:
        async with fault(18, "RTMP receiver reset, then back", real=True, bystanders=1) as rig:
            outputs = [{"url": f"rtmp://127.0.0.1:{port}/live/key"}]
            victim = await rig.on_air(outputs=outputs)
            rig.strike()

            listener.again()

            await rig.back(victim, timeout_s=60)
            await rig.shown("Victim: .*(remote end of .* closed|reset|does not speak RTMP)")
    finally:
        listener.stop()


async def test_18_a_receiver_that_takes_nothing_is_told(fault: Faulty) -> None:
    port = free_port()
    listener = Listener(port)
    try:
        async with fault(18, "RTMP receiver takes nothing", real=True, bystanders=1, WATCHDOG__STALL_S="6") as rig:
            outputs = [{"url": f"rtmp://127.0.0.1:{port}/live/key"}]
            changes = {"sources": [{"url": "test://bars?size=640x360&fps=25"}], "outputs": outputs}
            video = {"size": "640x360", "fps": 25, "bitrate": "8M", "preset": "ultrafast", "gop": "1s"}
            victim = await rig.on_air(renditions=[{"name": "hd", "video": video}], **changes)
            rig.strike()

            os.kill(listener.process.pid, signal.SIGSTOP)

            await rig.shown("Victim: .*(takes nothing|timed out|receiver)", timeout_s=60)
            listener.again()
            await rig.back(victim, timeout_s=60)
    finally:
        listener.stop()


async def test_18_a_name_that_does_not_resolve_is_told(fault: Faulty, not_here: NotHere) -> None:
    name = "source's name does not resolve"
    with namespace() as network:
        if network is None:
            not_here(18, name, "network namespaces are not permitted here")
        async with fault(18, name, real=True, bystanders=1, under=network.command, RETRY__ATTEMPTS="1") as rig:
            rig.strike()
            sources = [{"url": "http://nowhere.invalid/live.m3u8"}]
            channel_id = await rig.create("Victim", sources=sources)
            await rig.until(channel_id, lambda row: row.status == Status.ERROR, timeout_s=60)
            await rig.shown("Victim: .*(nowhere.invalid|name|resol)")
            await rig.order(channel_id, "stop")


@pytest.fixture
def networks(not_here: NotHere, request: pytest.FixtureRequest) -> Iterator[tuple[Namespace, Namespace]]:
    """The host's network, in which the worker runs, and one at the other end of its cable."""
    with namespace() as near, namespace() as far:
        if near is None or far is None:
            not_here(19, request.node.name, "network namespaces are not permitted here")
        try:
            with cable(near, far, DEVICE):
                yield near, far
        except subprocess.CalledProcessError as error:
            not_here(19, request.node.name, f"virtual cables are not permitted here: {error.stderr.strip()}")


GROUP, GROUP_PORT = "239.9.9.9", 5000
MULTICAST = {"outputs": [{"url": f"udp://{GROUP}:{GROUP_PORT}", "interface": DEVICE}]}


@pytest.mark.quick
async def test_19_a_multicast_that_leaves_by_no_carrier_is_told_and_goes_on(
    fault: Faulty, networks: tuple[Namespace, Namespace]
) -> None:
    near, far = networks
    received = Receiver(GROUP_PORT, GROUP, "10.9.0.2", far)
    async with fault(19, "carrier lost under a multicast output", real=True, bystanders=1, under=near.command) as rig:
        victim = await rig.on_air(**MULTICAST)
        await come_true(lambda: received.packets > 20, "the multicast at the far end")
        rig.strike()
        received.mark()

        far.ip("link", "set", DEVICE, "down")

        await rig.shown(f"Victim: .*({DEVICE}|carrier|link)")
        plug(far, DEVICE, "10.9.0.2")
        row = await rig.until(victim.id, lambda row: is_running(row) and not row.message)
        assert row.pid == victim.pid
        before = received.packets
        await come_true(lambda: received.packets > before + 20, "the multicast at the far end, again")
        rig.outage(received.gap_s)
    received.close()


async def test_19_an_interface_that_is_taken_down_and_up_again(
    fault: Faulty, networks: tuple[Namespace, Namespace]
) -> None:
    near, far = networks
    received = Receiver(GROUP_PORT, GROUP, "10.9.0.2", far)
    async with fault(19, "interface down, then up", real=True, bystanders=1, under=near.command) as rig:
        victim = await rig.on_air(**MULTICAST)
        await come_true(lambda: received.packets > 20, "the multicast at the far end")
        rig.strike()
        received.mark()

        near.ip("link", "set", DEVICE, "down")

        await rig.shown(f"Victim: .*({DEVICE}|unreachable|interface|network)")
        plug(near, DEVICE, "10.9.0.1")
        before = received.packets
        await rig.until(victim.id, lambda row: is_running(row) and not row.message, timeout_s=60)
        await come_true(lambda: received.packets > before + 20, "the multicast at the far end, again")
        rig.outage(received.gap_s)
    received.close()


async def test_19_an_interface_without_its_address_is_told_at_the_next_start(
    fault: Faulty, networks: tuple[Namespace, Namespace]
) -> None:
    near, far = networks
    received = Receiver(GROUP_PORT, GROUP, "10.9.0.2", far)
    async with fault(19, "address removed, FFmpeg killed", real=True, bystanders=1, under=near.command) as rig:
        victim = await rig.on_air(**MULTICAST)
        await come_true(lambda: received.packets > 20, "the multicast at the far end")
        rig.strike()
        received.mark()
        near.ip("address", "flush", "dev", DEVICE)

        os.kill(victim.pid, signal.SIGKILL)

        await rig.shown(f"Victim: .*no interface {DEVICE}")
        plug(near, DEVICE, "10.9.0.1")
        await rig.back(victim, timeout_s=60)
        await come_true(lambda: received.gap_s > 0 and received.packets > 40, "the multicast at the far end, again")
        rig.outage(received.gap_s)
    received.close()


async def test_20_a_stop_while_the_input_is_lost_ends_in_time_and_finishes_the_playlist(
    fault: Faulty, sender: Sender, port: int, received: Receiver
) -> None:
    async with fault(20, "stop while the input is lost", real=True, bystanders=1, WATCHDOG__STALL_S="30") as rig:
        victim = await rig.on_air(**by_udp(port, received))
        playlist = rig.settings.hls / "victim" / "90p" / "index.m3u8"
        await come_true(playlist.exists, "a playlist")
        rig.strike()
        sender.stop()
        await asyncio.sleep(2.5)

        began = time.monotonic()
        await rig.order(victim.id, "stop")

        assert time.monotonic() - began < 6.5, "the deadline of a stop is 5 s"
        assert not procfs.is_alive(victim.pid)
        assert m3u8.load(str(playlist)).is_endlist
        await rig.shown("Victim: stopped: as ordered")
