"""What survives what: worker killed, stopped, replaced; host started anew; two starters at once."""

import asyncio
import os
import signal
import socket
import sqlite3
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import m3u8
import pytest
from worker_rig import Wait, alive, channel, deaf_ffmpeg, installation, is_running, processes_of, row_of, runs_of

from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import NoWorker
from transcoder_tui.models.job import Status, Wanted
from transcoder_tui.models.view import ChannelView, WorkerView
from transcoder_tui.settings import Settings


@pytest.fixture
def settings() -> Iterator[Settings]:
    """A data directory for each test, because these end workers."""
    with installation() as settings:
        yield settings


async def reached(client: WorkerClient) -> AsyncIterator[WorkerView]:
    while True:
        try:
            yield await client.worker()
        except NoWorker:
            await asyncio.sleep(0.02)


async def another_worker(client: WorkerClient, old: int) -> WorkerView:
    async with asyncio.timeout(30):
        async for view in reached(client):
            if view.pid != old:
                return view
    raise AssertionError("unreachable")


async def on_air(client: WorkerClient, wait: Wait, *names: str) -> dict[int, ChannelView]:
    created = [await client.create(channel(name)) for name in names]
    return {document.id: await wait(document.id, measured) for document in created}


def measured(view: ChannelView) -> bool:
    """Whether a channel has been on air for some moments, so that the worker has it in its database."""
    return is_running(view) and view.telemetry.fps is not None


async def test_a_killed_worker_comes_back_and_adopts_every_channel(
    client: WorkerClient, settings: Settings, wait: Wait
) -> None:
    before = await on_air(client, wait, "One", "Two")
    worker = await client.worker()
    playlist = settings.hls / "one" / "90p" / "index.m3u8"

    os.kill(worker.pid, signal.SIGKILL)
    fresh = await another_worker(client, worker.pid)

    assert fresh.keeper_pid == worker.keeper_pid
    jobs = {job.id: job for job in await client.jobs()}
    for channel_id, view in before.items():
        assert jobs[channel_id].pid == view.pid
        assert jobs[channel_id].status == Status.RUNNING
        adopted = await wait(channel_id, measured)
        assert adopted.pid == view.pid
        assert adopted.on_air_since == view.on_air_since
        assert adopted.restarts == 0
    segments = m3u8.load(str(playlist)).segments
    assert [segment.uri for segment in segments if segment.discontinuity] in ([], ["s_00000000.ts"])
    assert sorted(runs_of(settings)) == sorted(view.pid for view in before.values() if view.pid)


@pytest.mark.long
async def test_how_ffmpeg_ended_is_known_although_no_worker_was_there(
    client: WorkerClient, settings: Settings, wait: Wait, eventually: Any
) -> None:
    [(channel_id, view)] = (await on_air(client, wait, "One")).items()
    worker = await client.worker()
    assert view.pid is not None

    os.kill(worker.pid, signal.SIGSTOP)
    os.kill(view.pid, signal.SIGKILL)
    os.kill(worker.pid, signal.SIGKILL)
    await another_worker(client, worker.pid)

    again = await wait(channel_id, lambda row: is_running(row) and row.pid != view.pid)
    assert again.restarts == 1
    events = [event.message for event in await client.events(channel_id=channel_id)]
    assert any("SIGKILL" in message for message in events), events


@pytest.mark.long
async def test_an_adopted_ffmpeg_that_ends_is_started_again(client: WorkerClient, wait: Wait) -> None:
    [(channel_id, view)] = (await on_air(client, wait, "One")).items()
    worker = await client.worker()
    os.kill(worker.pid, signal.SIGKILL)
    await another_worker(client, worker.pid)
    assert view.pid is not None

    os.kill(view.pid, signal.SIGTERM)

    again = await wait(channel_id, lambda row: is_running(row) and row.pid != view.pid)
    assert again.restarts == 1
    assert (await client.job(channel_id)).exit_code is not None, "the keeper wrote it down"


@pytest.mark.long
async def test_an_adopted_channel_can_be_stopped(client: WorkerClient, wait: Wait) -> None:
    [(channel_id, view)] = (await on_air(client, wait, "One")).items()
    worker = await client.worker()
    os.kill(worker.pid, signal.SIGKILL)
    await another_worker(client, worker.pid)

    order = await client.order(channel_id, "stop")

    assert order.job.status == Status.STOPPED
    assert view.pid is not None and not alive(view.pid)


@pytest.mark.long
async def test_a_stop_that_the_worker_did_not_live_to_finish_is_finished(tmp_path: Path) -> None:
    with installation(FFMPEG__PATH=deaf_ffmpeg(tmp_path)) as settings:
        ensure_worker(settings)
        async with WorkerClient(settings.socket) as client:
            created = await client.create(channel())
            view = await row_of(client, created.id, is_running)
            worker = await client.worker()
            stopping = asyncio.create_task(client.order(created.id, "stop"))
            await row_of(client, created.id, lambda row: row.wanted == Wanted.STOPPED)

            os.kill(worker.pid, signal.SIGKILL)
            with pytest.raises(NoWorker):
                await stopping
            await another_worker(client, worker.pid)

            await row_of(client, created.id, lambda row: row.status == Status.STOPPED)
            assert view.pid is not None and not alive(view.pid)


async def test_stopping_the_worker_leaves_channels_on_air_and_the_next_one_takes_them_up(
    client: WorkerClient, settings: Settings, wait: Wait, cli: Any
) -> None:
    [(channel_id, view)] = (await on_air(client, wait, "One")).items()
    await client.close()

    stopped = cli("worker", "stop")

    assert stopped.returncode == 0, stopped.stderr
    assert "stays on air" in stopped.stdout or "stay on air" in stopped.stdout
    assert view.pid is not None and alive(view.pid)
    assert not settings.socket.exists()
    assert ensure_worker(settings)
    async with WorkerClient(settings.socket) as again:
        job = await again.job(channel_id)
        assert (job.pid, job.status) == (view.pid, Status.RUNNING)


@pytest.mark.long
async def test_reload_replaces_the_worker_and_touches_no_channel(client: WorkerClient, wait: Wait, cli: Any) -> None:
    [(channel_id, view)] = (await on_air(client, wait, "One")).items()
    worker = await client.worker()

    reloaded = await asyncio.to_thread(cli, "worker", "reload")

    assert reloaded.returncode == 0, reloaded.stderr
    fresh = await client.worker()
    assert (fresh.pid == worker.pid, fresh.keeper_pid == worker.keeper_pid) == (False, True)
    assert (await client.job(channel_id)).pid == view.pid


@pytest.mark.long
async def test_an_ffmpeg_whose_channel_is_gone_is_ended(
    client: WorkerClient, settings: Settings, wait: Wait, cli: Any, eventually: Any
) -> None:
    [(channel_id, view)] = (await on_air(client, wait, "One")).items()
    assert cli("worker", "stop").returncode == 0
    with sqlite3.connect(settings.database) as database:
        database.execute("PRAGMA foreign_keys=ON")
        database.execute("DELETE FROM channel WHERE id = ?", (channel_id,))
    database.close()

    ensure_worker(settings)

    assert view.pid is not None
    eventually(lambda: not alive(view.pid or 0))
    assert runs_of(settings) == []


@pytest.mark.long
async def test_a_change_that_the_worker_did_not_live_to_act_upon_is_acted_upon(
    client: WorkerClient, settings: Settings, wait: Wait, cli: Any
) -> None:
    [(channel_id, view)] = (await on_air(client, wait, "One")).items()
    assert cli("worker", "stop").returncode == 0
    with sqlite3.connect(settings.database) as database:
        database.execute("UPDATE output SET url = 'hls://elsewhere'")
    database.close()

    ensure_worker(settings)

    again = await wait(channel_id, lambda row: is_running(row) and row.pid != view.pid)
    assert again.outputs == ["hls://elsewhere"]
    assert view.pid is not None and not alive(view.pid)


@pytest.mark.long
@pytest.mark.parametrize("status", ["retrying", "error"])
@pytest.mark.parametrize("wanted", ["running", "stopped"])
async def test_an_order_that_the_worker_did_not_live_to_act_upon_is_acted_upon(
    client: WorkerClient, settings: Settings, wait: Wait, cli: Any, status: str, wanted: str
) -> None:
    created = await client.create(channel(autostart=False))
    assert cli("worker", "stop").returncode == 0
    with sqlite3.connect(settings.database) as database:
        database.execute("UPDATE job SET status = ?, wanted = ?, error = ''", (status, wanted))
    database.close()

    ensure_worker(settings)

    expected = Status.RUNNING if wanted == "running" else Status.STOPPED
    assert await wait(created.id, lambda row: row.status == expected)


@pytest.mark.long
async def test_a_channel_is_adopted_although_the_database_remembers_an_earlier_run(
    client: WorkerClient, settings: Settings, wait: Wait, cli: Any
) -> None:
    [(channel_id, view)] = (await on_air(client, wait, "One")).items()
    assert cli("worker", "stop").returncode == 0
    with sqlite3.connect(settings.database) as database:
        database.execute("UPDATE job SET run_id = 'earlier', pid = 1, start_ticks = 1, status = 'retrying'")
    database.close()

    ensure_worker(settings)

    adopted = await wait(channel_id, is_running)
    assert adopted.pid == view.pid
    assert runs_of(settings) == [view.pid]


@pytest.mark.long
async def test_after_a_reboot_wanted_and_automatic_channels_start_again(
    client: WorkerClient, settings: Settings, wait: Wait, cli: Any
) -> None:
    wanted = await client.create(channel("Wanted", autostart=False))
    automatic = await client.create(channel("Automatic"))
    manual = await client.create(channel("Manual", autostart=False))
    await client.order(wanted.id, "start")
    views = [await wait(document.id, is_running) for document in (wanted, automatic)]
    await client.order(automatic.id, "stop")
    assert cli("worker", "stop").returncode == 0
    for view in views:
        if view.pid is not None and alive(view.pid):
            os.kill(view.pid, signal.SIGKILL)
    (settings.data_dir / "boot_id").write_text("another boot\n")

    ensure_worker(settings)

    assert await wait(wanted.id, is_running)
    assert await wait(automatic.id, is_running)
    assert (await client.job(manual.id)).status == Status.STOPPED


async def test_starters_at_the_same_time_share_one_worker_which_makes_its_database(settings: Settings) -> None:
    settings.database.unlink()

    started = await asyncio.gather(*(asyncio.to_thread(ensure_worker, settings) for _ in range(4)))

    assert any(started)
    async with WorkerClient(settings.socket) as client:
        worker = await client.worker()
    assert set(processes_of(settings)) == {worker.pid, worker.keeper_pid}
    assert settings.database.exists()


async def test_something_else_in_the_place_of_the_socket_is_named(settings: Settings) -> None:
    (settings.socket / "something").mkdir(parents=True)

    with pytest.raises(NoWorker) as refused:
        ensure_worker(settings)

    assert f"the worker's socket {settings.socket} cannot be made: Is a directory" in str(refused.value)
    assert processes_of(settings) == {}


@pytest.mark.long
async def test_a_socket_that_a_dead_worker_left_behind_does_not_matter(settings: Settings) -> None:
    settings.run_path.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(settings.socket))

    assert ensure_worker(settings)
