"""A channel that was given up: tried again at long intervals, or held until an operator starts it."""

import asyncio
import os
import signal
from pathlib import Path

from fake_ffmpeg import control, fake_ffmpeg
from worker_rig import channel, installation, is_running, row_of

from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.models.event import EventKind, Severity
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status
from transcoder_tui.models.view import ChannelView

LIVE = [{"url": "udp://127.0.0.1:5998"}]


def given_up(row: ChannelView) -> bool:
    return row.status == Status.ERROR


async def test_a_live_channel_is_probed_after_it_was_given_up_and_its_alarm_stays_until_it_is_on_air(
    tmp_path: Path,
) -> None:
    path = fake_ffmpeg(tmp_path)
    control(path, "Test", exit_after_s=0, exit_code=1, stderr=["[error] the world is not ready"])
    with installation(FFMPEG__PATH=str(path), RETRY__ATTEMPTS="1", RETRY__PROBE_S="2") as settings:
        ensure_worker(settings)
        async with WorkerClient(settings.socket) as client:
            created = await client.create(channel(sources=LIVE))
            error = await row_of(client, created.id, given_up)
            assert error.next_retry_at is not None
            assert (error.attempt, error.max_attempts) == (1, 1)
            assert error.health == Health.OFF_AIR
            again = await row_of(client, created.id, lambda row: given_up(row) and row.since != error.since)
            assert again.health == Health.OFF_AIR, "one alarm, not one for each probe"

            control(path, "Test")
            view = await row_of(client, created.id, is_running)

            assert (view.health, view.message) == (Health.OK, "")
            events = await client.events(100, created.id)
            alarms = [(event.kind, event.severity) for event in events if event.health == Health.OFF_AIR]
            assert alarms == [(EventKind.RAISED, Severity.ERROR), (EventKind.CLEARED, Severity.INFO)]
            failures = [event for event in events if event.severity != Severity.INFO and event.kind == EventKind.STATE]
            assert all("the world is not ready" in event.log for event in failures)


async def test_a_channel_that_is_held_stays_off_air_even_with_a_new_worker(tmp_path: Path) -> None:
    path = fake_ffmpeg(tmp_path)
    control(path, "Test", exit_after_s=0, exit_code=1)
    held = {"RETRY__ATTEMPTS": "0", "RETRY__AFTER_EXHAUSTED": "hold"}
    with installation(FFMPEG__PATH=str(path), **held) as settings:
        ensure_worker(settings)
        async with WorkerClient(settings.socket) as client:
            created = await client.create(channel(sources=LIVE))
            await row_of(client, created.id, given_up)
            worker = await client.worker()

        os.kill(worker.pid, signal.SIGKILL)

        while True:
            await asyncio.sleep(0.1)
            ensure_worker(settings)
            async with WorkerClient(settings.socket) as client:
                if (await client.worker()).pid == worker.pid:
                    continue
                view = await row_of(client, created.id, lambda _: True)
                assert (view.status, view.next_retry_at, view.health) == (Status.ERROR, None, Health.OFF_AIR)
                starts = [line for line in (await client.log(created.id)).lines if " WORKER  start " in line]
                assert len(starts) == 1
                control(path, "Test")
                await client.order(created.id, "start")
                await row_of(client, created.id, is_running)
                break
