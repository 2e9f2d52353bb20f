"""Alarms that nobody can miss, and that somebody can silence."""

from datetime import timedelta
from typing import Any

import pytest
from pilots import screen_lines, screen_text, settled, until
from rack_fixtures import NOW, Clock, FakeClient, alarm, line_up, unwell, view

from transcoder_tui.console.alarms import RING_S, Siren, next_alarmed, seen_by
from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.columns import instead_of_figures, instead_of_texts
from transcoder_tui.console.screens.channel import ChannelScreen
from transcoder_tui.console.screens.form import FormScreen
from transcoder_tui.console.widgets.title_bar import TitleBar
from transcoder_tui.errors import Fault, HostFault
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status
from transcoder_tui.models.view import ChannelView


def seen(row: ChannelView, by: str = "marc") -> ChannelView:
    row = row.model_copy(deep=True)
    for one in row.alarms:
        one.acknowledged_by = by
    return row


def off_air(channel_id: int, name: str, **changes: Any) -> ChannelView:
    alarms = [alarm(Health.OFF_AIR, "given up")]
    said = {"health": Health.OFF_AIR, "alarms": alarms, "message": "given up", "remedy": ""}
    return view(channel_id, name, Status.ERROR, **{**said, **changes})


class TestSiren:
    def test_rings_for_what_is_new_and_not_for_what_was_there(self) -> None:
        siren = Siren()
        first = unwell(1, "A", Health.TOO_SLOW)
        assert not siren.hears([first], 0)
        assert not siren.hears([first], 10)
        assert siren.hears([first, unwell(2, "B", Health.INPUT_LOST)], 20)
        assert siren.hears([unwell(1, "A", Health.INPUT_LOST, Health.TOO_SLOW)], 30), "another alarm of one channel"
        assert not siren.hears([view(1, "A")], 40)
        assert siren.hears([first], 50), "raised again after it was cleared"

    def test_an_acknowledged_alarm_does_not_ring(self) -> None:
        siren = Siren()
        siren.hears([], 0)
        assert not siren.hears([seen(unwell(1, "A", Health.TOO_SLOW))], 10)

    def test_a_storm_rings_once_a_second_and_its_last_alarm_is_not_forgotten(self) -> None:
        siren = Siren()
        siren.hears([], 0)
        storm: list[ChannelView] = []
        rang = []
        for number in range(1, 301):
            storm.append(unwell(number, f"C{number}", Health.INPUT_LOST))
            rang.append(siren.hears(storm, number / 100))
        assert sum(rang) == 3
        assert siren.hears(storm, 3.0 + RING_S)
        assert not siren.hears(storm, 30.0)

    def test_an_alarm_that_was_acknowledged_meanwhile_rings_no_more(self) -> None:
        siren = Siren()
        siren.hears([], 0)
        row = unwell(1, "A", Health.TOO_SLOW)
        assert siren.hears([unwell(2, "B", Health.TOO_SLOW)], 1.0)
        assert not siren.hears([row], 1.1)
        assert not siren.hears([seen(row)], 5.0)


def test_the_next_alarm_is_the_gravest_then_by_name_round_and_round() -> None:
    rows = [
        unwell(1, "b", Health.TOO_SLOW),
        unwell(2, "A", Health.TOO_SLOW),
        off_air(3, "z"),
        seen(unwell(4, "a", Health.INPUT_LOST)),
        view(5, "well"),
    ]
    order: list[int | None] = [5]
    for _ in range(4):
        found = next_alarmed(rows, order[-1])
        order.append(found.id if found else None)
    assert order == [5, 3, 2, 1, 3]
    assert next_alarmed([view(5, "well")], 5) is None


def test_only_a_channel_whose_alarms_have_all_been_seen_names_who_saw_them() -> None:
    both = seen(unwell(1, "A", Health.INPUT_LOST, Health.ON_BACKUP))
    assert seen_by(both) == "marc"
    both.alarms[1].acknowledged_by = "anna"
    assert seen_by(both) == "marc, anna"
    both.alarms[1].acknowledged_by = ""
    assert seen_by(both) == ""
    assert seen_by(view(2, "well")) == ""


def test_a_row_says_its_cause_and_who_has_seen_it() -> None:
    row = unwell(1, "A", Health.INPUT_LOST, message="nothing arrives")
    assert instead_of_texts(row) == ("nothing arrives", "bad")
    assert instead_of_texts(seen(row)) == ("✓ marc: nothing arrives", "muted")
    assert instead_of_texts(view(1, "A")) is None
    assert instead_of_texts(off_air(1, "A")) is None, "it stands where its figures would"
    coming = off_air(1, "A", next_retry_at=NOW + timedelta(seconds=3))
    assert instead_of_figures(seen(coming), NOW) == ("tried again in 3 s: ✓ marc: given up", "bad")


@pytest.fixture
def client() -> FakeClient:
    rows = line_up()
    rows[1] = unwell(2, "Sport ABR", Health.TOO_SLOW, message="encodes at 0.94 of real time for 30 s", group="Sport")
    return FakeClient([*rows, off_air(6, "Zoo")])


@pytest.fixture
def bells(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What rang."""
    rung: list[str] = []
    monkeypatch.setattr(ConsoleApp, "bell", lambda _: rung.append("bell"))
    monkeypatch.setattr(TitleBar, "flash", lambda _: rung.append("flash"))
    return rung


async def test_a_new_alarm_rings_flashes_and_is_counted(
    console: ConsoleApp, client: FakeClient, clock: Clock, bells: list[str]
) -> None:
    async with console.run_test(notifications=True) as pilot:
        await settled(pilot)
        assert "▲ 2 alarms: off air" in screen_lines(pilot)[0]
        assert bells == [], "they were there at connect"
        clock.seconds += 5
        client.say(unwell(1, "News HD", Health.INPUT_LOST), seconds=1)
        await until(pilot, lambda: "▲ 3 alarms: off air" in screen_lines(pilot)[0])
        assert bells == ["bell", "flash"]
        console.preferences.bell = console.preferences.flash = False
        clock.seconds += 5
        client.say(unwell(1, "News HD", Health.INPUT_LOST, Health.ON_BACKUP))
        await until(pilot, lambda: "▲ 4 alarms" in screen_lines(pilot)[0])
        assert bells == ["bell", "flash"]
        console.preferences.bell = True
        await pilot.press("e")
        await until(pilot, lambda: isinstance(pilot.app.screen, FormScreen))
        clock.seconds += 5
        client.say(unwell(5, "Weather", Health.DISK_FULL))
        await until(pilot, lambda: "There is a new alarm." in screen_text(pilot), "said over a form")
        assert bells == ["bell", "flash", "bell"]


async def test_the_title_lights_up_and_goes_out_again(console: ConsoleApp, client: FakeClient, clock: Clock) -> None:
    async with console.run_test() as pilot:
        await settled(pilot)
        title = console.screen.query_one(TitleBar)
        assert not title.is_lit
        clock.seconds += 5
        client.say(unwell(1, "News HD", Health.INPUT_LOST))
        await until(pilot, lambda: title.is_lit)
        await until(pilot, lambda: not title.is_lit)
        await until(pilot, lambda: title.is_lit, "more than once")
        await until(pilot, lambda: title._phases == 0)
        assert not title.is_lit


async def test_n_goes_from_alarm_to_alarm_and_a_acknowledges(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test(notifications=True, size=(200, 50)) as pilot:
        await settled(pilot)

        def current() -> str:
            return console.rack.current.name if console.rack.current else ""

        await pilot.press("n")
        assert current() == "Zoo"
        await pilot.press("slash", *"kids", "enter", "n")
        assert current() == "Zoo", "the filter put the cursor elsewhere; the gravest is next"
        assert console.rack.filter == ""
        await until(pilot, lambda: "The filter is cleared: it hid Zoo." in screen_text(pilot))
        await pilot.press("n")
        assert current() == "Sport ABR"
        row = next(line for line in screen_lines(pilot) if line.startswith("▌"))
        assert "▲ too slow" in row
        assert "50.0" in row or "25.0" in row, "a channel on air keeps its figures"
        assert "encodes at 0.94 of real time for 30 s" in row
        await pilot.press("a")
        await until(pilot, lambda: "▲ 1 alarm: off air" in screen_lines(pilot)[0])
        row = next(line for line in screen_lines(pilot) if line.startswith("▌"))
        assert "△ too slow" in row
        assert "✓ marc: encodes at 0.94" in row
        await until(pilot, lambda: "Acknowledged: Sport ABR" in screen_text(pilot))
        await pilot.press("a")
        await until(pilot, lambda: "No alarm to acknowledge." in screen_text(pilot))
        await pilot.press("2", "n")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChannelScreen) and "Zoo" in screen_text(pilot))
        await pilot.press("a")
        await until(pilot, lambda: ("acknowledge", 6) in client.asked)
        await until(pilot, lambda: "alarm" not in screen_lines(pilot)[0])
        await pilot.press("n")
        await until(pilot, lambda: "No alarm. + creates a channel." in screen_text(pilot))
        assert ("acknowledge", 1) not in client.asked


async def test_a_acknowledges_the_marked_channels_and_tells_what_failed(
    console: ConsoleApp, client: FakeClient
) -> None:
    async with console.run_test(notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("asterisk")
        client.refusals.append(HostFault([Fault("the database is busy", "ask again")]))
        await pilot.press("a")
        await until(pilot, lambda: "Could not acknowledge" in screen_text(pilot))
        assert "the database is busy" in screen_text(pilot)
        assert [asked for asked in client.asked if asked[0] == "acknowledge"] == [
            ("acknowledge", 6),
            ("acknowledge", 2),
        ]


async def test_a_read_only_console_acknowledges_nothing(client: FakeClient, clock: Clock) -> None:
    console = ConsoleApp(lambda: client, clock=clock, waits=(0.05,), read_only=True)
    async with console.run_test(notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("n", "a")
        await until(pilot, lambda: "read-only" in screen_text(pilot).split("\n", 1)[1])
        assert not [asked for asked in client.asked if asked[0] == "acknowledge"]


async def test_n_leaves_other_screens_for_the_table(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test() as pilot:
        await settled(pilot)
        await pilot.press("4", "n")
        await until(pilot, lambda: console.screen is console.screen_stack[0])
        assert console.rack.current and console.rack.current.name == "Zoo"
