"""The console's orders for many channels, against a worker and as many FFmpegs, be they fakes."""

import time
from collections.abc import Callable, Iterator

import pytest
from fake_ffmpeg import fake_ffmpeg
from textual.pilot import Pilot
from worker_rig import channel, installation, is_running

from transcoder_tui.client.client import WorkerClient
from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.screens.bulk import BulkScreen
from transcoder_tui.console.screens.confirm import ConfirmScreen
from transcoder_tui.settings import Settings

COUNT = 6
PATIENCE_S = 60.0


@pytest.fixture(scope="module")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Settings]:
    with installation(FFMPEG__PATH=str(fake_ffmpeg(tmp_path_factory.mktemp("fake")))) as settings:
        yield settings


async def until(pilot: Pilot[str], check: Callable[[], object]) -> None:
    deadline = time.monotonic() + PATIENCE_S
    while not check():
        assert time.monotonic() < deadline, pilot.app.screen
        await pilot.pause(0.02)


async def order(pilot: Pilot[str], key: str) -> BulkScreen:
    """Everything is marked, ordered, confirmed and awaited."""
    await pilot.press("asterisk", key)
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen))
    await pilot.press("y")
    await until(pilot, lambda: isinstance(pilot.app.screen, BulkScreen))
    screen = pilot.app.screen
    assert isinstance(screen, BulkScreen)
    await until(pilot, lambda: screen.bulk.is_over)
    return screen


async def test_many_are_started_and_stopped_and_one_that_is_gone_holds_up_none(
    client: WorkerClient, settings: Settings
) -> None:
    names = [f"Many {number:02}" for number in range(COUNT)]
    lineup = [
        channel(name, autostart=False, outputs=[{"url": f"udp://127.0.0.1:{23000 + number}"}])
        for number, name in enumerate(names)
    ]
    await client.apply({"version": 1, "channels": lineup})
    console = ConsoleApp(lambda: WorkerClient(settings.socket))
    async with console.run_test(size=(100, 30)) as pilot:
        await until(pilot, lambda: len(console.rack.channels) == COUNT)
        screen = await order(pilot, "s")
        assert screen.bulk.summary() == f"Started: {COUNT} channels"
        await pilot.press("escape")
        await until(pilot, lambda: all(map(is_running, console.rack.channels.values())))
        rows = list(console.rack.channels.values())
        await client.delete(rows[3].id)
        console.order("stop", rows)
        await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(console.screen, BulkScreen) and console.screen.bulk.is_over)
        assert isinstance(console.screen, BulkScreen)
        assert console.screen.bulk.summary() == f"Stopped: {COUNT - 1} of {COUNT} channels, 1 failed"
        assert [failure.channel.id for failure in console.screen.bulk.failures] == [rows[3].id]
        await pilot.press("escape", "escape")
        console.set_group(list(console.rack.channels.values()), "Night")
        await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
        await pilot.press("y")
        await until(pilot, lambda: isinstance(console.screen, BulkScreen) and console.screen.bulk.is_over)
    assert {document.spec["group"] for document in await client.channels()} == {"Night"}
    assert not any(map(is_running, (await client.metrics()).channels))
