"""There is always one keeper and one worker again, whichever of them was killed; channels do not notice."""

import asyncio
import os
import select
import shutil
import signal
import socket
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from worker_rig import alive, channel, installation, is_running, processes_of, row_of, runs_of

import transcoder_tui
from transcoder_tui import locks
from transcoder_tui.client.background import KEEPER_ARGV, ensure_worker, keeper_environment
from transcoder_tui.client.client import WorkerClient
from transcoder_tui.errors import NoWorker
from transcoder_tui.models.view import ChannelView, WorkerView
from transcoder_tui.settings import Settings


@pytest.fixture
def settings() -> Iterator[Settings]:
    """A data directory for each test, because these end keepers."""
    with installation() as settings:
        yield settings


async def on_air(client: WorkerClient, name: str = "One") -> ChannelView:
    created = await client.create(channel(name))
    return await row_of(client, created.id, measured)


def measured(view: ChannelView) -> bool:
    """Whether a channel has been on air for some moments, so that the worker has it in its database."""
    return is_running(view) and view.telemetry.fps is not None


def kill(*pids: int) -> None:
    """Kills processes at once, and waits until all of their threads are gone."""
    handles = [os.pidfd_open(pid) for pid in pids]
    for handle in handles:
        signal.pidfd_send_signal(handle, signal.SIGKILL)
    for handle in handles:
        select.select([handle], [], [])
        os.close(handle)


def keeper_of(settings: Settings) -> "subprocess.Popen[bytes]":
    """A keeper that we start, as a service manager does."""
    return subprocess.Popen(KEEPER_ARGV, cwd="/", env=keeper_environment(settings))


async def worker_that(client: WorkerClient, check: Callable[[WorkerView], bool]) -> WorkerView:
    async with asyncio.timeout(60):
        while True:
            try:
                view = await client.worker()
                if check(view):
                    return view
            except NoWorker:
                pass
            await asyncio.sleep(0.02)


def descriptors_of(process: Path) -> list[str]:
    return sorted(str(entry.readlink()) for entry in (process / "fd").iterdir())


def signals_of(process: Path) -> tuple[int, ...]:
    """The signals that a process blocks and ignores, but for those that belong to the C library: signal(7)."""
    status = dict(line.split(":\t") for line in (process / "status").read_text().splitlines() if ":\t" in line)
    return tuple(int(status[name], 16) & 0x7FFFFFFF for name in ("SigBlk", "SigIgn"))


def kept_anew(before: WorkerView) -> Callable[[WorkerView], bool]:
    """Whether there is another worker by now, and a keeper of it."""
    return lambda view: view.pid != before.pid and view.keeper_pid is not None


async def test_the_worker_becomes_the_keeper_when_that_is_killed(client: WorkerClient, settings: Settings) -> None:
    view = await on_air(client)
    before = await client.worker()
    assert before.keeper_pid is not None
    keeper = Path(f"/proc/{before.keeper_pid}")
    had = (descriptors_of(keeper), signals_of(keeper))

    os.kill(before.keeper_pid, signal.SIGKILL)
    fresh = await worker_that(client, kept_anew(before))

    assert fresh.keeper_pid == before.pid
    assert locks.holder(settings.run_path / "keeper.lock") == before.pid
    again = await row_of(client, view.id, measured)
    assert (again.pid, again.restarts, again.on_air_since) == (view.pid, 0, view.on_air_since)
    assert set(processes_of(settings)) == {fresh.pid, fresh.keeper_pid}
    assert runs_of(settings) == [view.pid]
    revived = Path(f"/proc/{fresh.keeper_pid}")
    assert (descriptors_of(revived), signals_of(revived)) == had, "nothing is left of the worker that it was"


@pytest.mark.long
async def test_a_revived_keeper_knows_how_the_ffmpegs_of_the_worker_that_it_was_end(
    client: WorkerClient, settings: Settings, eventually: Any
) -> None:
    view = await on_air(client)
    before = await client.worker()
    assert before.keeper_pid is not None and view.pid is not None
    os.kill(before.keeper_pid, signal.SIGKILL)
    await worker_that(client, kept_anew(before))

    os.kill(view.pid, signal.SIGTERM)

    again = await row_of(client, view.id, lambda row: is_running(row) and row.pid != view.pid)
    assert again.restarts == 1
    assert (await client.job(view.id)).exit_code is not None


@pytest.mark.long
async def test_an_ffmpeg_that_dies_while_the_keeper_is_revived_is_accounted_for(
    client: WorkerClient, settings: Settings
) -> None:
    view = await on_air(client)
    before = await client.worker()
    assert before.keeper_pid is not None and view.pid is not None

    os.kill(before.keeper_pid, signal.SIGKILL)
    # From here on the worker leaves.
    await worker_that(client, lambda seen: seen.keeper_pid is None)
    os.kill(view.pid, signal.SIGKILL)

    await worker_that(client, kept_anew(before))
    again = await row_of(client, view.id, lambda row: is_running(row) and row.pid != view.pid)
    assert again.restarts == 1
    events = [event.message for event in await client.events(channel_id=view.id)]
    assert any("SIGKILL" in message for message in events), events


@pytest.mark.long
async def test_keepers_may_be_killed_one_after_the_other(client: WorkerClient, settings: Settings, cli: Any) -> None:
    view = await on_air(client)
    for _ in range(3):
        before = await client.worker()
        assert before.keeper_pid is not None
        os.kill(before.keeper_pid, signal.SIGKILL)
        fresh = await worker_that(client, kept_anew(before))

    assert set(processes_of(settings)) == {fresh.pid, fresh.keeper_pid}
    assert (await client.job(view.id)).pid == view.pid
    await client.close()
    stopped = cli("worker", "stop")
    assert stopped.returncode == 0, stopped.stderr
    assert processes_of(settings) == {}
    assert view.pid is not None and alive(view.pid)


@pytest.mark.long
async def test_keeper_and_worker_may_be_killed_together(client: WorkerClient, settings: Settings) -> None:
    views = [await on_air(client, name) for name in ("One", "Two")]
    before = await client.worker()
    assert before.keeper_pid is not None

    kill(before.keeper_pid, before.pid)
    assert await asyncio.to_thread(ensure_worker, settings)

    for view in views:
        again = await row_of(client, view.id, measured)
        assert (again.pid, again.restarts) == (view.pid, 0)
    fresh = await client.worker()
    assert {before.keeper_pid, before.pid} & {fresh.keeper_pid, fresh.pid} == set()
    assert sorted(runs_of(settings)) == sorted(view.pid for view in views if view.pid)


@pytest.mark.long
async def test_an_ffmpeg_that_died_after_keeper_and_worker_is_started_again(
    client: WorkerClient, settings: Settings
) -> None:
    view = await on_air(client)
    before = await client.worker()
    assert before.keeper_pid is not None and view.pid is not None
    kill(before.keeper_pid, before.pid, view.pid)

    assert await asyncio.to_thread(ensure_worker, settings)

    again = await row_of(client, view.id, lambda row: is_running(row) and row.pid != view.pid)
    assert again.restarts == 1


@pytest.mark.long
async def test_a_frozen_worker_without_keeper_is_replaced_by_starting_it(
    client: WorkerClient, settings: Settings, cli: Any
) -> None:
    view = await on_air(client)
    before = await client.worker()
    assert before.keeper_pid is not None
    os.kill(before.pid, signal.SIGSTOP)
    os.kill(before.keeper_pid, signal.SIGKILL)

    started = await asyncio.to_thread(cli, "worker", "start")

    assert started.returncode == 0, started.stderr
    assert f"Worker {before.pid} had no keeper and is replaced." in started.stdout + started.stderr
    assert not alive(before.pid)
    assert (await client.job(view.id)).pid == view.pid


@pytest.mark.long
async def test_a_frozen_worker_gives_way_to_one_that_a_new_keeper_started(
    client: WorkerClient, settings: Settings
) -> None:
    view = await on_air(client)
    before = await client.worker()
    assert before.keeper_pid is not None
    os.kill(before.pid, signal.SIGSTOP)
    os.kill(before.keeper_pid, signal.SIGKILL)

    with keeper_of(settings) as keeper:
        await client.close()
        async with WorkerClient(settings.socket) as again:
            fresh = await worker_that(again, kept_anew(before))
            assert fresh.keeper_pid == keeper.pid
            assert not alive(before.pid)
            assert (await again.job(view.id)).pid == view.pid
        keeper.terminate()


@pytest.mark.long
async def test_a_keeper_that_is_started_while_the_worker_becomes_one_leaves_one_of_both(
    client: WorkerClient, settings: Settings, eventually: Any
) -> None:
    view = await on_air(client)
    before = await client.worker()
    assert before.keeper_pid is not None

    os.kill(before.keeper_pid, signal.SIGKILL)
    with keeper_of(settings) as rival:
        fresh = await worker_that(client, kept_anew(before))
        assert fresh.keeper_pid in (before.pid, rival.pid)
        expected = {fresh.pid, fresh.keeper_pid}
        await asyncio.to_thread(eventually, lambda: {pid for pid in processes_of(settings) if alive(pid)} == expected)
        assert (await client.job(view.id)).pid == view.pid
        await client.close()
        rival.terminate()


async def test_where_the_installed_version_cannot_be_run_the_worker_goes_on_without_a_keeper(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, eventually: Any
) -> None:
    package = Path(transcoder_tui.__file__).parent
    installed = shutil.copytree(package, tmp_path / "transcoder_tui", ignore=shutil.ignore_patterns("__pycache__"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    with installation() as settings:
        ensure_worker(settings)
        async with WorkerClient(settings.socket) as client:
            view = await on_air(client)
            before = await client.worker()
            assert before.keeper_pid is not None
            (installed / "worker" / "keeper.py").write_text("this is no Python\n")

            os.kill(before.keeper_pid, signal.SIGKILL)

            await asyncio.to_thread(
                eventually, lambda: "goes on without a keeper" in settings.worker_log.read_text(), 60.0
            )
            after = await client.worker()
            assert (after.pid, after.keeper_pid) == (before.pid, None)
            assert (await row_of(client, view.id, measured)).pid == view.pid


@pytest.mark.long
async def test_under_a_service_manager_the_worker_ends_and_leaves_the_rest_to_it(
    settings: Settings, eventually: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = settings.data_dir / "notify"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(address))
        manager.settimeout(30)
        monkeypatch.setenv("NOTIFY_SOCKET", str(address))
        with keeper_of(settings) as keeper:
            assert await asyncio.to_thread(manager.recv, 100) == b"READY=1"
            async with WorkerClient(settings.socket) as client:
                view = await on_air(client)
                before = await client.worker()
                assert before.keeper_pid == keeper.pid
            keeper.kill()
            keeper.wait()

            await asyncio.to_thread(eventually, lambda: not alive(before.pid))
            assert processes_of(settings) == {}
            assert not settings.socket.exists()
            assert view.pid is not None and alive(view.pid)

        with keeper_of(settings) as keeper:
            assert await asyncio.to_thread(manager.recv, 100) == b"READY=1"
            async with WorkerClient(settings.socket) as client:
                assert (await client.worker()).keeper_pid == keeper.pid
                assert (await row_of(client, view.id, measured)).pid == view.pid
            keeper.terminate()


async def test_a_worker_that_hangs_is_replaced_and_its_channels_stay_on_air(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TRANSCODER_SILENT_S", "4")
    ensure_worker(settings)
    async with WorkerClient(settings.socket) as client:
        view = await on_air(client)
        before = await client.worker()
        os.kill(before.pid, signal.SIGSTOP)
    async with WorkerClient(settings.socket) as client:
        fresh = await worker_that(client, lambda seen: seen.pid != before.pid)

        assert fresh.keeper_pid == before.keeper_pid
        assert (await row_of(client, view.id, measured)).pid == view.pid


@pytest.mark.long
async def test_many_starters_at_the_same_time_share_one_keeper_and_one_worker(settings: Settings, cli: Any) -> None:
    started = await asyncio.gather(*(asyncio.to_thread(cli, "worker", "start") for _ in range(8)))

    assert [result.returncode for result in started] == [0] * 8, [result.stderr for result in started]
    async with WorkerClient(settings.socket) as client:
        worker = await client.worker()
    assert set(processes_of(settings)) == {worker.pid, worker.keeper_pid}
    assert all(f"Worker {worker.pid} " in result.stdout for result in started)
