"""Undoing the last change, line-up files written and read, and the first minutes with an empty rack."""

import stat
from pathlib import Path

import pytest
import yaml
from form_fixtures import Keeper, dialog, did, last_change, past, someone_changed_the_line_up
from pilots import screen_text, settled, until
from rack_fixtures import Clock, spec
from test_console_form import field
from test_console_probe import multiplex
from textual.widgets import Input

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.screens.form import FormScreen
from transcoder_tui.errors import Conflict, Fault, InvalidInput
from transcoder_tui.models.lineup import Change, ChangeKind

PLAN = [
    Change(kind=ChangeKind.CREATE, channel="Music"),
    Change(kind=ChangeKind.CHANGE, channel="News HD", fields=["outputs[0].muxrate"], restarts=True, on_air=True),
    Change(kind=ChangeKind.KEEP, channel="Kids"),
]


@pytest.fixture
def keeper() -> Keeper:
    return Keeper()


@pytest.fixture
def console(keeper: Keeper, clock: Clock) -> ConsoleApp:
    return ConsoleApp(lambda: keeper, clock=clock, waits=(0.05,))


async def test_an_undo_names_who_did_what_when_and_what_it_interrupts(console: ConsoleApp, keeper: Keeper) -> None:
    keeper.last = someone_changed_the_line_up()
    async with console.run_test(size=(110, 30), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("u")
        await dialog(pilot, "ReviewScreen")
        text = screen_text(pilot)
        assert "anna, 12m 05s ago" in text
        assert "1 channel on air is interrupted: News HD." in text
        assert "Priority  80 → 50" in text
        assert "Video bitrate  4000k → 5000k" in text
        assert "is deleted again" in text
        assert "comes back as it was" in text
        await pilot.press("enter")
        await until(pilot, lambda: console.screen is console.screen_stack[0])
        assert did(keeper, "undo") == [], "the harmless answer is under the return key"
        await pilot.press("2", "u")
        await dialog(pilot, "ReviewScreen")
        await pilot.press("y")
        await until(pilot, lambda: did(keeper, "undo") == [41])
        await until(pilot, lambda: "Undone: News HD, Music, Shopping" in screen_text(pilot))


async def test_an_undo_that_comes_too_late_or_has_nothing_to_do_says_so(console: ConsoleApp, keeper: Keeper) -> None:
    async with console.run_test(size=(110, 30), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("u")
        await until(pilot, lambda: "There is no change that could be undone." in screen_text(pilot))
        keeper.last = last_change(past("News HD", spec("News HD", 1), spec("News HD", 1, group=None), on_air=True))
        await pilot.press("u")
        await dialog(pilot, "ReviewScreen")
        assert "and stays: this does not reach FFmpeg" in screen_text(pilot)
        keeper.refusals.append(Conflict("the channels were changed again since", "look at what the last change is"))
        await pilot.press("y")
        await dialog(pilot, "FaultScreen")
        assert "Changed by somebody else" in screen_text(pilot)
        assert "the channels were changed again since" in screen_text(pilot)


async def test_channels_are_written_for_their_owner_only_and_nothing_is_overwritten_unasked(
    console: ConsoleApp, tmp_path: Path, keeper: Keeper
) -> None:
    file = tmp_path / "rack.yaml"
    async with console.run_test(size=(110, 30)) as pilot:
        await settled(pilot)
        await pilot.press("space", "E")
        await dialog(pilot, "EntryScreen")
        assert "Write 1 channel as a line-up" in screen_text(pilot)
        console.screen.query_one(Input).value = str(file)
        await pilot.press("enter")
        await until(pilot, file.exists)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert yaml.safe_load(file.read_text()) == {"version": 1, "channels": [keeper.documents[3].spec]}
        console.export_lineup([], str(file))
        await dialog(pilot, "ConfirmScreen")
        await pilot.press("n")
        await until(pilot, lambda: console.screen is console.screen_stack[0])
        assert len(yaml.safe_load(file.read_text())["channels"]) == 1
        console.export_lineup([], str(file))
        await dialog(pilot, "ConfirmScreen")
        await pilot.press("y")
        await until(pilot, lambda: len(yaml.safe_load(file.read_text())["channels"]) == 5)
        console.export_lineup([], str(tmp_path / "nowhere" / "rack.yaml"))
        await dialog(pilot, "FaultScreen")
        assert "cannot be written" in screen_text(pilot)


async def test_a_line_up_is_applied_after_its_plan_was_seen(
    console: ConsoleApp, tmp_path: Path, keeper: Keeper
) -> None:
    file = tmp_path / "rack.yaml"
    document = {"version": 1, "channels": [spec("Music", 9)]}
    file.write_text(yaml.safe_dump(document))
    keeper.plan = PLAN
    keeper.warnings = [Fault("eth1 has no address", "give it one", "channels[0].sources[0].interface")]
    async with console.run_test(size=(110, 34), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("I")
        await dialog(pilot, "EntryScreen")
        console.screen.query_one(Input).value = f"{tmp_path}/ra"
        await until(pilot, lambda: console.screen.query_one(Input)._suggestion == str(file), "completed")
        await pilot.press("end", "tab", "enter")
        await dialog(pilot, "ReviewScreen")
        text = screen_text(pilot)
        assert "1 channel on air is restarted: News HD." in text
        assert "would be changed: outputs[0].muxrate (would restart)" in text
        assert "1 unchanged" in text
        assert "4.2 of 8 cores" in text
        assert "eth1 has no address (in Music)" in text
        await pilot.press("y")
        await until(pilot, lambda: len(did(keeper, "apply")) == 2)
        await until(pilot, lambda: "rack.yaml: 1 created, 1 changed, 1 unchanged" in screen_text(pilot))
    assert did(keeper, "apply") == [(True, False, document), (False, False, document)]


async def test_what_is_wrong_with_a_line_up_is_told_with_its_fields(
    console: ConsoleApp, tmp_path: Path, keeper: Keeper
) -> None:
    file = tmp_path / "rack.yaml"
    file.write_text(yaml.safe_dump({"version": 1, "channels": [{**spec("Music", 9), "priority": 101}]}))
    async with console.run_test(size=(110, 30)) as pilot:
        await settled(pilot)
        console.import_lineup(str(file))
        await dialog(pilot, "FaultScreen")
        assert "channels[0].priority" in screen_text(pilot)
        assert "(in Music)" in screen_text(pilot)
        await pilot.press("escape")
        console.import_lineup(str(tmp_path / "none.yaml"))
        await dialog(pilot, "FaultScreen")
        assert "there is no such file" in screen_text(pilot)
        await pilot.press("escape")
        file.write_text(yaml.safe_dump({"version": 1, "channels": [spec("Music", 9)]}))
        keeper.refusals.append(InvalidInput("no interface eth1", "choose lo", "channels[0].sources[0].interface"))
        console.import_lineup(str(file))
        await dialog(pilot, "FaultScreen")
        assert "no interface eth1 (in Music)" in screen_text(pilot)
    assert [dry_run for dry_run, _, _ in did(keeper, "apply")] == [True]


async def test_an_empty_rack_offers_a_demonstration_and_a_probe_that_makes_a_channel(clock: Clock) -> None:
    keeper = Keeper([])
    keeper.plan = PLAN[:1]
    keeper.found = multiplex()
    console = ConsoleApp(lambda: keeper, clock=clock, waits=(0.05,))
    async with console.run_test(size=(110, 30)) as pilot:
        await settled(pilot)
        for words in ("create a channel", "look into a source", "import a line-up", "start the demonstration"):
            assert words in screen_text(pilot)
        await pilot.press("t")
        await dialog(pilot, "ReviewScreen")
        assert "Start the demonstration?" in screen_text(pilot)
        await pilot.press("y")
        await until(pilot, lambda: len(did(keeper, "apply")) == 2)
        assert [channel["name"] for channel in did(keeper, "apply")[1][2]["channels"]][:1] == ["Bars"]
        await pilot.press("p")
        await dialog(pilot, "EntryScreen")
        await pilot.press(*"ftp", "enter")
        await until(pilot, lambda: "is no address that can be used here" in screen_text(pilot))
        console.screen.query_one(Input).value = "udp://239.1.1.5:5000 eth2"
        await pilot.press("enter")
        await dialog(pilot, "ProbeScreen")
        await until(pilot, lambda: "return makes a channel with it" in screen_text(pilot))
        await pilot.press("enter")
        await dialog(pilot, "FormScreen")
        form = console.screen
        assert isinstance(form, FormScreen)
        source = form.document()["sources"][0]
        assert (source["url"], source["interface"]) == ("udp://239.1.1.5:5000", "eth2")
        assert source["program"]
        assert field(form, "sources", 0, "url").value == "udp://239.1.1.5:5000"
