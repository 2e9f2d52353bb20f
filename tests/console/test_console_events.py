"""An operator reads what happened."""

import time
from collections.abc import Iterator

import pytest
from machine_fixtures import event, happened, seasoned
from pilots import screen_lines, screen_text, settled, until
from rack_fixtures import FakeClient
from textual.pilot import Pilot

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.event_history import PAGE
from transcoder_tui.console.screens.channel import ChannelScreen
from transcoder_tui.console.screens.events import EventsScreen
from transcoder_tui.console.widgets.event_details import EventDetails
from transcoder_tui.console.widgets.event_list import EventList
from transcoder_tui.errors import Fault, HostFault
from transcoder_tui.models.event import EventKind, Severity


@pytest.fixture(autouse=True)
def berlin(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An operator an hour east of Greenwich."""
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.fixture
def client() -> FakeClient:
    return seasoned()


async def opened(pilot: Pilot[str]) -> EventList:
    await settled(pilot)
    await pilot.press("3")
    await until(pilot, lambda: isinstance(pilot.app.screen, EventsScreen) and pilot.app.screen.is_running)
    return pilot.app.screen.query_one(EventList)


def cursor_line(pilot: Pilot[str]) -> str:
    return next((line for line in screen_lines(pilot) if line.startswith("▌")), "")


async def test_the_list_follows_until_one_goes_up_and_again_on_demand(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test(size=(120, 40)) as pilot:
        listed = await opened(pilot)
        assert "undone" in cursor_line(pilot)
        assert "14:15:16" in cursor_line(pilot)
        assert "● following" in screen_text(pilot)
        client.say(events=(event(1001, "running: first media"),))
        await until(pilot, lambda: "first media" in cursor_line(pilot))
        await pilot.press("k", "pageup")
        stands = cursor_line(pilot)
        client.say(events=(event(1002, "running: later on"), event(1003, "running: even later")))
        await until(pilot, lambda: len(listed.events) and listed.events[-1].id == 1003)
        assert cursor_line(pilot) == stands
        assert "○ stays: 2 new, f follows" in screen_text(pilot)
        await pilot.press("f")
        assert "even later" in cursor_line(pilot)
        assert "● following" in screen_text(pilot)
        listed.scroll_relative(y=-30, animate=False, immediate=True)
        await until(pilot, lambda: "○ stays" in screen_text(pilot), "the wheel stops following")
        client.say(events=(event(1004, "running: last of all"),))
        await until(pilot, lambda: listed.unseen == 1)
        assert cursor_line(pilot)
        assert "last of all" not in screen_text(pilot)


async def test_going_up_loads_older_pages_until_the_first_event(console: ConsoleApp, client: FakeClient) -> None:
    client.happened = happened(first=1001 - 150 - PAGE)
    async with console.run_test() as pilot:
        listed = await opened(pilot)
        assert len(listed.events) == 100
        top = listed.events[0].id
        await pilot.press("g")
        await until(pilot, lambda: len(listed.events) == 100 + PAGE, "an older page")
        assert listed.current and listed.current.id == top, "what was on top stays under the cursor"
        await pilot.press("g", "g")
        await until(pilot, lambda: len(listed.events) == 150 + PAGE, "all of them")
        await until(pilot, lambda: "all 350 events" in screen_text(pilot))
        asked = [before for kind, before in client.asked if kind == "events"]
        assert asked == [901, 701]
        await pilot.press("g")
        assert cursor_line(pilot).startswith("▌22 Nov 08:26:16"), screen_text(pilot)


async def test_kinds_and_a_text_narrow_the_list(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test(size=(120, 40)) as pilot:
        listed = await opened(pilot)
        await pilot.press("A")
        await until(
            pilot, lambda: {"raised", "cleared", "acknowledged"} == {event.kind.value for event in listed.events}
        )
        assert len(listed.events) == 4
        await pilot.press("O")
        await until(pilot, lambda: len(listed.events) == 5)
        assert {event.actor for event in listed.events} == {"marc", "anna"}
        await pilot.press("O")
        await until(pilot, lambda: len(listed.events) >= 100)
        await pilot.press("right")
        await until(pilot, lambda: len(listed.events) == 4)
        await pilot.press("slash", *"KIDS", "enter")
        assert [event.channel for event in listed.events] == ["Kids", "Kids"]
        assert "'KIDS': 2 of all 4 events" in screen_text(pilot)
        assert pilot.app.focused is listed
        await pilot.press("slash", *"x")
        await until(pilot, lambda: "No event contains 'KIDSx'" in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: len(listed.events) == 4)
        await pilot.press("escape", "escape")
        assert not isinstance(pilot.app.screen, EventsScreen)


async def test_a_search_goes_through_older_pages_by_itself(console: ConsoleApp, client: FakeClient) -> None:
    client.happened[10] = event(611, "running: needle")
    async with console.run_test() as pilot:
        listed = await opened(pilot)
        await pilot.press("slash", *"needle")
        await until(pilot, lambda: [event.id for event in listed.events] == [611])


async def test_the_details_show_the_end_of_ffmpegs_log(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test() as pilot:
        listed = await opened(pilot)
        await pilot.press(*"kkkk")
        assert listed.current and listed.current.log
        assert "state, warning" in screen_text(pilot)
        assert "22 November 2026 14:11:16 UTC  Kids (id 3)" in screen_text(pilot)
        await pilot.press("l")
        assert "Connection was broken" in screen_text(pilot)
        assert not listed.display
        await pilot.press("l", "i")
        assert not pilot.app.screen.query_one(EventDetails).display
        await pilot.press("i", "tab", "down", "down")
        assert pilot.app.screen.query_one(EventDetails).scroll_offset.y == 2
        assert listed.current.id == 996
        await pilot.press("escape")
        assert pilot.app.focused is listed


async def test_enter_goes_to_the_channel_and_a_acknowledges_its_alarms(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test(notifications=True) as pilot:
        await opened(pilot)
        await pilot.press(*"kkkka")
        await until(pilot, lambda: ("acknowledge", 3) in client.asked)
        await until(pilot, lambda: console.rack.channels[3].alarms[0].acknowledged_by == "marc")
        await pilot.press("enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChannelScreen))
        assert console.rack.current and console.rack.current.name == "Kids"
        await pilot.press("minus", "slash", *"adopted", "enter", "enter")
        await until(pilot, lambda: "This event is about no channel." in screen_text(pilot))
        client.say(removed=(3,))
        await until(pilot, lambda: 3 not in console.rack.channels)
        await pilot.press("escape", "slash", *"retrying", "enter", "enter")
        await until(pilot, lambda: "Kids is no longer there." in screen_text(pilot))


async def test_while_the_worker_is_away_what_is_known_stays(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test(size=(120, 40)) as pilot:
        listed = await opened(pilot)
        client.vanish()
        await until(pilot, lambda: listed.stale)
        assert "as last known" in screen_text(pilot)
        assert "too slow: cleared" in screen_text(pilot)
        client.happened += [event(2000, "running: back again")]
        client.return_()
        await until(pilot, lambda: "back again" in screen_text(pilot))
        assert not listed.stale


async def test_events_that_a_console_missed_leave_no_gap(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test() as pilot:
        listed = await opened(pilot)
        client.vanish()
        await until(pilot, lambda: listed.stale)
        client.happened += [event(number) for number in range(1001, 1301)]
        client.return_()
        await until(pilot, lambda: listed.events[-1].id == 1300)
        assert listed.events[0].id == 1201
        await pilot.press("g")
        await until(pilot, lambda: listed.events[0].id == 1001)
        assert [event.id for event in listed.events] == list(range(1001, 1301))


async def test_nothing_nothing_found_and_not_answered_are_said(console: ConsoleApp, client: FakeClient) -> None:
    client.happened = []
    async with console.run_test() as pilot:
        await opened(pilot)
        await until(pilot, lambda: "Nothing has happened yet" in screen_text(pilot))
        client.refusals.append(HostFault([Fault("the database is busy", "ask again")]))
        await pilot.press("A")
        await until(pilot, lambda: "The events could not be loaded" in screen_text(pilot))
        await pilot.press("A")
        await until(pilot, lambda: "Nothing has happened yet" in screen_text(pilot))
        client.say(events=(event(1, "error: bad [red]markup[/]", severity=Severity.ERROR),))
        await until(pilot, lambda: "✖ state" in cursor_line(pilot))
        assert "bad [red]markup[/]" in screen_text(pilot)


async def test_a_broad_terminal_has_columns_for_severity_and_actor(console: ConsoleApp, client: FakeClient) -> None:
    client.happened = [event(1, "changed: name", EventKind.CONFIG, actor="marc", severity=Severity.WARNING)]
    async with console.run_test(size=(120, 30)) as pilot:
        await opened(pilot)
        assert "› change  warning News HD" in cursor_line(pilot)  # noqa: RUF001 - the glyph
        assert cursor_line(pilot).rstrip().endswith("marc")
