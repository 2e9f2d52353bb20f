"""Pictures of events, of the machine and of alarms, each looked at before it was accepted.

They are written anew with ``pytest tests/console/test_console_events_pictures.py --snapshot-update``.
"""

import time
from collections.abc import Awaitable, Callable, Iterator

import pytest
from machine_fixtures import at_work, machine, seasoned
from pilots import settled, until
from rack_fixtures import Clock, FakeClient, unwell
from textual.app import App
from textual.pilot import Pilot

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.screens.events import EventsScreen
from transcoder_tui.console.screens.system import SystemScreen
from transcoder_tui.console.widgets.event_list import EventList
from transcoder_tui.console.widgets.machine_part import MachinePart
from transcoder_tui.console.widgets.title_bar import TitleBar
from transcoder_tui.models.health import Health

Compare = Callable[..., bool]
Prepare = Callable[[Pilot[str]], Awaitable[None]]
Picture = Callable[[FakeClient, Prepare], bool]

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=["80x24", "120x40", "200x50"])
SMALL = pytest.mark.parametrize("size", [(80, 24)], ids=["80x24"])


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An operator an hour east of Greenwich."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def picture(snap_compare: Compare, size: tuple[int, int]) -> Picture:
    """Compares a picture of the console, on a worker and after some keys, with the accepted one."""

    def compare(client: FakeClient, prepare: Prepare) -> bool:
        app: App[str] = ConsoleApp(lambda: client, clock=Clock())
        return snap_compare(app, terminal_size=size, run_before=prepare)

    return compare


async def events(pilot: Pilot[str], *keys: str) -> None:
    await settled(pilot)
    await pilot.press("3")
    await until(pilot, lambda: isinstance(pilot.app.screen, EventsScreen) and pilot.app.screen.is_running)
    await pilot.press(*keys)


async def system(pilot: Pilot[str], *keys: str) -> None:
    await settled(pilot)
    await pilot.press("4")
    await until(pilot, lambda: isinstance(pilot.app.screen, SystemScreen) and pilot.app.screen.is_running)
    screen = pilot.app.screen
    assert isinstance(screen, SystemScreen)
    await until(pilot, lambda: screen.is_known)
    await pilot.press(*keys)


def at_work_with(cores: int = 8, foreign: int = 0) -> FakeClient:
    client = FakeClient(at_work())
    client.computer = machine(cores, foreign)
    return client


@SIZES
def test_events(picture: Picture) -> None:
    assert picture(seasoned(), lambda pilot: events(pilot, *"kkkk"))


@SMALL
def test_events_nothing_found(picture: Picture) -> None:
    assert picture(seasoned(), lambda pilot: events(pilot, "A", "slash", *"zebra"))


@SMALL
def test_events_whole_details(picture: Picture) -> None:
    assert picture(seasoned(), lambda pilot: events(pilot, *"kkkk", "l"))


@SMALL
def test_events_worker_gone(picture: Picture) -> None:
    client = seasoned()

    async def prepare(pilot: Pilot[str]) -> None:
        await events(pilot)
        client.vanish()
        await until(pilot, lambda: pilot.app.screen.query_one(EventList).stale)

    assert picture(client, prepare)


@SIZES
def test_system(picture: Picture) -> None:
    assert picture(at_work_with(), system)


@SMALL
@pytest.mark.parametrize("part", [1, 2, 3, 4], ids=["network", "multicast", "cores", "memory"])
def test_system_part(picture: Picture, part: int) -> None:
    assert picture(at_work_with(cores=64, foreign=300), lambda pilot: system(pilot, *["tab"] * part))


@pytest.mark.parametrize("size", [(200, 50)], ids=["200x50"])
def test_system_of_64_cores_and_300_groups(picture: Picture) -> None:
    assert picture(at_work_with(cores=64, foreign=300), lambda pilot: system(pilot, "tab", "tab"))


@pytest.mark.parametrize("size", [(120, 40)], ids=["120x40"])
def test_system_worker_gone(picture: Picture) -> None:
    client = at_work_with()

    async def prepare(pilot: Pilot[str]) -> None:
        await system(pilot)
        client.vanish()
        await until(pilot, lambda: pilot.app.screen.query(MachinePart).first().stale)

    assert picture(client, prepare)


@SIZES
def test_alarms_seen_and_not_seen(picture: Picture) -> None:
    client = seasoned()
    known = unwell(
        6, "Regional East", Health.OUTPUT_BLOCKED, message="the receiver of srt://198.51.100.9:9000 takes nothing"
    )
    known.alarms[0].acknowledged_by = "anna"
    client.views[6] = known
    client.logs[6] = client.logs[1]

    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("n")
        await until(pilot, lambda: pilot.app.screen.query_one("#log").lines)  # type: ignore[attr-defined]

    assert picture(client, prepare)


@SMALL
def test_a_new_alarm_flashes(picture: Picture, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TitleBar, "is_lit", True)
    assert picture(seasoned(), settled)
