"""Faults 27 to 31: starters, sockets, operators, orders and names that come at a bad time or in bad faith."""

import asyncio
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import procfs
import pytest
from fake_ffmpeg import real_ffmpeg
from faults_rig import Faulty, Rig, all_gone, come_true
from worker_rig import channel, is_running, processes_of

from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import Verb, WorkerClient
from transcoder_tui.errors import Conflict, InvalidInput, TranscoderError
from transcoder_tui.models.job import Status

VERBS: tuple[Verb, ...] = ("start", "stop", "restart")


async def _nobody_left(rig: Rig) -> None:
    """Kills keeper and worker, and leaves their socket behind."""
    os.kill(rig.keeper_pid, signal.SIGKILL)
    rig.kill_worker()
    await all_gone(rig.keeper_pid, rig.worker_pid)


@pytest.mark.quick
async def test_27_many_who_start_a_worker_at_once_share_one(fault: Faulty) -> None:
    async with fault(27, "8 starters at once") as rig:
        await rig.on_air()
        rig.strike()
        await _nobody_left(rig)

        started = await asyncio.gather(*(asyncio.to_thread(ensure_worker, rig.settings) for _ in range(8)))

        assert any(started)
        await rig.look()
        await come_true(lambda: set(processes_of(rig.settings)) == {rig.worker_pid, rig.keeper_pid}, "one of each")
        await rig.shown("adopted 3 of 3 channels")


async def test_28_a_stale_socket_and_open_modes_are_put_right(fault: Faulty) -> None:
    async with fault(28, "stale socket, run directory open to read") as rig:
        await rig.on_air()
        rig.strike()
        await _nobody_left(rig)
        assert rig.settings.socket.exists()
        rig.settings.run_path.chmod(0o755)
        rig.settings.socket.chmod(0o777)

        await rig.start_worker()

        assert rig.settings.run_path.stat().st_mode & 0o777 == 0o750
        assert rig.settings.socket.stat().st_mode & 0o777 == 0o660
        await rig.shown("adopted 3 of 3 channels")


@pytest.mark.parametrize("kind", ["a symbolic link", "open to everybody"])
async def test_28_a_run_directory_that_cannot_be_trusted_is_refused(fault: Faulty, kind: str) -> None:
    async with fault(28, f"run directory is {kind}") as rig:
        victim = await rig.on_air()
        run = rig.settings.run_path
        rig.strike()
        await _nobody_left(rig)
        if kind == "a symbolic link":
            run.rename(run.with_name("elsewhere"))
            run.symlink_to(run.with_name("elsewhere"))
        else:
            run.chmod(0o777)

        with pytest.raises(TranscoderError) as refusal:
            await rig.start_worker()

        rig.note(f"start refused: {refusal.value}")
        assert procfs.is_alive(victim.pid)
        if kind == "a symbolic link":
            run.unlink()
            run.with_name("elsewhere").rename(run)
        else:
            run.chmod(0o750)
        await rig.start_worker()
        await rig.shown("(?s)start refused: .*(symbolic link|everybody may write)")
        row = await rig.until(victim.id, is_running)
        assert row.pid == victim.pid


@pytest.mark.quick
async def test_29_many_operators_at_once_contradict_each_other(fault: Faulty) -> None:
    async with fault(29, "10 operators, 200 orders and changes at once") as rig:
        victims = await rig.all_on_air([f"Victim {number}" for number in range(4)])
        rig.strike()
        conflicts = 0

        async def operator(number: int) -> None:
            nonlocal conflicts
            chance = random.Random(number)
            async with WorkerClient(rig.settings.socket) as client:
                for turn in range(20):
                    victim = chance.choice(victims)
                    if turn % 4:
                        answer = await client.order(victim.id, verb := chance.choice(VERBS))
                        if answer.changed:
                            rig.acknowledged(victim.id, verb)
                        continue
                    document = await client.channel(victim.id)
                    try:
                        await client.change(victim.id, channel(victim.name, group=f"By {number}"), document.revision)
                    except Conflict:
                        conflicts += 1

        await asyncio.gather(*map(operator, range(10)))
        for victim in victims:
            await rig.order(victim.id, "start")

        await rig.shown("Victim .: (start|stop|restart) ordered")
        for victim in victims:
            await rig.until(victim.id, is_running)


@pytest.mark.quick
async def test_30_a_stop_during_the_wait_for_an_attempt_wins(fault: Faulty) -> None:
    async with fault(30, "stop while it waits for its next attempt") as rig:
        victim = await rig.on_air()
        rig.strike()
        rig.control("Victim", exit_after_s=0, exit_code=1, stderr=["[error] Conversion failed!"])
        os.kill(victim.pid, signal.SIGKILL)
        row = await rig.until(victim.id, lambda row: row.status == Status.RETRYING and row.attempt >= 2)
        assert row.next_retry_at is not None

        await rig.order(victim.id, "stop")

        await asyncio.sleep(max(0.0, row.next_retry_at.timestamp() - time.time()) + 1.0)
        assert rig.outside.holders().get(victim.id) is None
        await rig.shown("Victim: stopped: as ordered")
        rig.control("Victim")


async def test_30_a_channel_can_be_deleted_while_it_starts(fault: Faulty) -> None:
    async with fault(30, "deleted while it starts") as rig:
        victim = await rig.on_air()
        rig.strike()
        rig.control("Victim", first_block_s=100)
        await rig.order(victim.id, "restart")
        row = await rig.until(victim.id, lambda row: row.status == Status.PENDING and row.pid not in (None, victim.pid))

        await rig.delete(victim)

        assert row.pid is not None
        await all_gone(row.pid)
        await rig.shown("Victim: deleted")


async def test_30_the_last_of_many_orders_in_a_row_counts(fault: Faulty) -> None:
    async with fault(30, "start during a stop, stop during a restart") as rig:
        victim = await rig.on_air()
        rig.control("Victim", terms=2)
        await asyncio.sleep(0.5)
        rig.strike()

        stopping = asyncio.create_task(rig.client.order(victim.id, "stop"))
        await rig.until(victim.id, lambda row: row.status == Status.STOPPING)
        await rig.order(victim.id, "start")
        await stopping
        again = await rig.back(victim)

        await rig.order(victim.id, "restart")
        await rig.order(victim.id, "stop")
        assert again.pid is not None and not procfs.is_alive(again.pid)
        await rig.shown("Victim: stopped: as ordered")


HOSTILE_NAMES = (
    "News|[f=mpegts]file:/tmp/owned.ts",
    "a'b\\'c[d]e;f=g,h%d%v",
    "$(touch /tmp/owned) `id` && :",
    "-report",
    "\x1b]0;owned\x07",
    "\u202eteg",
    "news\nother",
    "=1+1;cmd",
)
HOSTILE_ADDRESSES = (
    {"outputs": [{"url": "hls://../../escape"}]},
    {"outputs": [{"url": "hls://a%d/b"}]},
    {"outputs": [{"url": "file:///etc/owned.ts"}]},
    {"outputs": [{"url": "file://../owned.ts"}]},
    {"outputs": [{"url": "udp://239.1.1.1:5000?localaddr=1.2.3.4&fifo_size=9"}]},
    {"outputs": [{"url": "rtmp://host/live/key|[f=mpegts]file:/tmp/owned.ts"}]},
    {"sources": [{"url": "concat:/etc/passwd"}]},
    {"sources": [{"url": "file:///etc/passwd"}]},
    {"sources": [{"url": "test://bars?size=160x90:rate=25[out];movie=/etc/passwd"}]},
    {"sources": [{"url": "-i"}]},
)


@pytest.mark.quick
async def test_31_hostile_names_reach_nothing_but_the_stream(fault: Faulty) -> None:
    async with fault(31, "hostile names and addresses", real=True, bystanders=1) as rig:
        rig.strike()
        refused = []
        taken: dict[int, str] = {}
        for number, name in enumerate(HOSTILE_NAMES):
            outputs = [{"url": f"hls://hostile-{number}", "segment": "1s"}, {"url": f"file://hostile-{number}.ts"}]
            try:
                taken[await rig.create(name, outputs=outputs)] = name
            except InvalidInput as error:
                refused.append(name)
                rig.note(f"refused: {error}")
            rig.forget_uncertain(name)
        for number, changes in enumerate(HOSTILE_ADDRESSES):
            with pytest.raises(InvalidInput):
                await rig.create(f"Hostile {number}", **changes)
            rig.forget_uncertain(f"Hostile {number}")

        for channel_id in taken:
            await rig.until(channel_id, is_running, timeout_s=60)
        await asyncio.sleep(1.0)
        for number, name in enumerate(HOSTILE_NAMES):
            if name not in refused:
                assert name in await asyncio.to_thread(_service_name, rig.settings.media[0] / f"hostile-{number}.ts")
        assert not Path("/tmp/owned.ts").exists() and not Path("/tmp/owned").exists()
        assert {"-report", "\x1b]0;owned\x07", "\u202eteg", "news\nother"} <= set(refused)
        await rig.shown("refused: .*control characters")
        for channel_id in taken:
            await rig.order(channel_id, "stop")


def _service_name(recording: Path) -> str:
    """What FFmpeg finds in a recording."""
    return subprocess.run(
        [real_ffmpeg(), "-hide_banner", "-i", f"file:{recording}"], capture_output=True, text=True, check=False
    ).stderr


async def test_31_a_hostile_log_reaches_no_terminal(fault: Faulty) -> None:
    lines = [
        "\x1b[2J\x1b]0;owned\x07[error] \x9b31m\u202egnihton",
        "[error] [@click=app.quit]x[/] [/nonsense]",
        "\x00\x7f\x08",
    ]
    async with fault(31, "hostile log lines") as rig:
        victim = await rig.on_air()
        rig.strike()

        rig.control("Victim", stderr=lines)

        def shown() -> "subprocess.CompletedProcess[Any]":
            command = [sys.executable, "-m", "transcoder_tui", "logs", "Victim"]
            return subprocess.run(command, capture_output=True, check=True, timeout=30)

        deadline = time.monotonic() + 20
        while b"nonsense" not in (text := (await asyncio.to_thread(shown)).stdout):
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)
        assert not any(byte in text for byte in (b"\x1b", b"\x07", b"\x08", b"\x7f", b"\x00", b"\xc2\x9b"))
        assert "\u202e".encode() not in text
        row = await rig.until(victim.id, is_running)
        assert row.pid == victim.pid
        rig.nothing_to_show()
