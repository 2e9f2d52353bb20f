"""The ladders: looked at, made, changed, deleted, and put into channels. Pictures were looked at before accepted."""

from collections.abc import Callable
from pathlib import Path

import pytest
from bulk_fixtures import regional
from form_fixtures import Keeper, dialog, did
from pilots import quiet, screen_text, settled, until
from rack_fixtures import Clock, FakeClient, spec
from test_console_form import faults_shown, field, sections
from textual.pilot import Pilot
from textual.widgets import Input, Static

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.ladder_use import question
from transcoder_tui.console.rung_table import rung_table
from transcoder_tui.console.screens.form import FormScreen
from transcoder_tui.console.screens.ladder_form import LadderFormScreen
from transcoder_tui.console.screens.ladders import LaddersScreen
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.faults import parse
from transcoder_tui.models.ladder import Ladder
from transcoder_tui.models.view import ChannelDocument
from transcoder_tui.settings import Settings
from transcoder_tui.worker.ladders import all_ladders, put

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=["80x24", "120x40", "200x50"])


@pytest.fixture
def keeper(tmp_path: Path) -> Keeper:
    """A worker that keeps ladders."""
    keeper = Keeper()
    keeper.data_dir = tmp_path
    return keeper


@pytest.fixture
def console(keeper: Keeper, clock: Clock) -> ConsoleApp:
    return ConsoleApp(lambda: keeper, clock=clock, waits=(0.05,))


def own(keeper: FakeClient, name: str) -> Ladder:
    """One of the operator's own, as it is stored."""
    [found] = [one for one in all_ladders(Settings(data_dir=keeper.data_dir)) if one.name == name and one.own]
    return found


async def opened(pilot: Pilot[str], ladder: str = "") -> LaddersScreen:
    """The screen, the cursor on a ladder."""
    await settled(pilot)
    await pilot.press("5")
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    await until(pilot, lambda: isinstance(app.screen, LaddersScreen) and app.screen.current, "ladders")
    screen = app.screen
    assert isinstance(screen, LaddersScreen)
    await pilot.press("g")
    while ladder and screen.current is not None and screen.current.name != ladder:
        await pilot.press("j")
    return screen


async def form(pilot: Pilot[str], key: str) -> LadderFormScreen:
    await pilot.press(key)
    await until(pilot, lambda: isinstance(pilot.app.screen, LadderFormScreen) and pilot.app.focused is not None)
    screen = pilot.app.screen
    assert isinstance(screen, LadderFormScreen)
    return screen


async def says(pilot: Pilot[str], words: str) -> None:
    """Waits until something is told."""
    await until(pilot, lambda: words in screen_text(pilot), words)


async def write(pilot: Pilot[str], value: str, part: str, number: int, *path: str) -> None:
    """Fills in a field of the form, which notices."""
    form = pilot.app.screen
    assert isinstance(form, LadderFormScreen)
    field(form, part, number, *path).query_one(Input).value = value
    await quiet(pilot)


async def back(pilot: Pilot[str], ladder: str) -> None:
    """Waits until the list shows a ladder under the cursor."""
    await until(
        pilot,
        lambda: (
            isinstance(pilot.app.screen, LaddersScreen)
            and pilot.app.screen.current is not None
            and pilot.app.screen.current.name == ladder
        ),
        ladder,
    )


async def test_the_rungs_of_each_ladder_are_shown_and_make_a_channel(console: ConsoleApp, keeper: Keeper) -> None:
    async with console.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press(*":ladders", "enter")
        await until(pilot, lambda: "1080p-high" in screen_text(pilot))
        assert "none of them your own" in screen_text(pilot)
        await opened(pilot, "mobile")
        text = screen_text(pilot)
        assert "Three small rungs for telephones" in text
        assert "Comes along with the program." in text
        [row] = [line for line in text.splitlines() if " 234p " in line]
        assert row.split()[-8:] == ["234p", "h264", "416x234", "25", "300k", "veryfast", "aac", "64k"]
        await pilot.press("d")
        await says(pilot, "mobile comes along: it stays.")
        await pilot.press("enter")
        await dialog(pilot, "FormScreen")
        assert isinstance(console.screen, FormScreen)
        names = [section.fields[("name",)].value for section in sections(console.screen, "renditions")]
        assert names == ["540p", "360p", "234p"]
        await pilot.press("escape")
        await back(pilot, "mobile")


async def test_one_that_comes_along_becomes_the_operators_own_until_it_is_deleted(
    console: ConsoleApp, keeper: Keeper
) -> None:
    async with console.run_test(size=(120, 40), notifications=True) as pilot:
        await opened(pilot, "mobile")
        edited = await form(pilot, "e")
        assert "comes along; saved, it is your own in its place" in screen_text(pilot)
        await write(pilot, "9", "renditions", 0, "video", "bitrate")
        await pilot.press("ctrl+s")
        assert list(faults_shown(edited)) == ["video.bitrate"]
        await write(pilot, "1700k", "renditions", 0, "video", "bitrate")
        await pilot.press("ctrl+s")
        await dialog(pilot, "ConfirmScreen")
        assert "Put your own in the place of mobile?" in screen_text(pilot)
        await pilot.press("n")
        assert not did(keeper, "put_ladder")
        await pilot.press("ctrl+s", "y")
        await back(pilot, "mobile")
        await until(pilot, lambda: "Your own, in the place of one that comes along." in screen_text(pilot))
        assert own(keeper, "mobile").renditions[0].video.bitrate == 1_700_000

        edited = await form(pilot, "e")
        await write(pilot, "1800k", "renditions", 0, "video", "bitrate")
        await pilot.press("ctrl+s")
        await back(pilot, "mobile")
        assert own(keeper, "mobile").renditions[0].video.bitrate == 1_800_000, "of one's own nothing is asked"

        await pilot.press("d")
        await dialog(pilot, "ConfirmScreen")
        assert "The one of this name that comes along is back then." in screen_text(pilot)
        await pilot.press("y")
        await until(pilot, lambda: "Comes along with the program." in screen_text(pilot))
        await says(pilot, "Back as it comes along: mobile")


async def test_a_copy_gets_another_name_and_other_rungs(console: ConsoleApp, keeper: Keeper) -> None:
    async with console.run_test(size=(120, 40), notifications=True) as pilot:
        await opened(pilot, "mobile")
        copy = await form(pilot, "c")
        assert field(copy, "", 0, "name").value == "mobile-copy"
        await pilot.press("f6")
        await says(pilot, "Go to a rendition first.")
        field(copy, "renditions", 2, "name").focus_control()
        await pilot.press("f6", "f8", "f8", "f8", "f8")
        await says(pilot, "A ladder needs at least one of these.")
        [rung] = sections(copy, "renditions")
        await write(pilot, "house", "", 0, "name")
        await write(pilot, "Ours.", "", 0, "help")
        rung.fields[("audio",)].focus_control()
        await pilot.press("right")
        await pilot.press("ctrl+s")
        await back(pilot, "house")
        kept = own(keeper, "house")
        assert (kept.help, len(kept.renditions), kept.renditions[0].audio) == ("Ours.", 1, None)

        second = await form(pilot, "c")
        await write(pilot, "house", "", 0, "name")
        await pilot.press("ctrl+s")
        await until(pilot, lambda: faults_shown(second))
        assert faults_shown(second) == {"name": "✖ you have a ladder house already; choose another name"}
        await pilot.press("escape", "y")
        await back(pilot, "house")

        await form(pilot, "e")
        await write(pilot, "house-2", "", 0, "name")
        await pilot.press("ctrl+s")
        await back(pilot, "house-2")
        assert [one.name for one in all_ladders(Settings(data_dir=keeper.data_dir)) if one.own] == ["house-2"]
        await pilot.press("d", "y")
        await until(pilot, lambda: "none of them your own" in screen_text(pilot))


async def test_a_channels_renditions_are_kept_as_a_ladder(console: ConsoleApp, keeper: Keeper) -> None:
    async with console.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("e")
        await dialog(pilot, "FormScreen")
        await form(pilot, "f7")
        await write(pilot, "news", "", 0, "name")
        await pilot.press("ctrl+s")
        await dialog(pilot, "FormScreen")
        await says(pilot, "Saved: ladder news")
        assert [rung.name for rung in own(keeper, "news").renditions] == ["1080p"]


async def test_a_ladder_is_put_into_marked_channels(keeper: Keeper, clock: Clock, tmp_path: Path) -> None:
    channels = regional(6, stopped=1)
    keeper = Keeper(channels)
    keeper.data_dir = tmp_path
    for number in (1, 2, 3, 4, 5, 6):
        target = "1080p" if number != 3 else "hd"
        document = spec(f"Regional {number:03}", number)
        document["renditions"][0]["name"] = target
        document["outputs"][0]["rendition"] = target
        keeper.documents[number] = ChannelDocument(id=number, revision=1, spec=document)
    console = ConsoleApp(lambda: keeper, clock=clock, waits=(0.05,))
    async with console.run_test(size=(120, 40), notifications=True) as pilot:
        await opened(pilot, "web")
        await pilot.press("p")
        await says(pilot, "Mark channels in the table first, with space.")
        await pilot.press("1", "g", *["space"] * 6)
        await opened(pilot, "web")
        await pilot.press("p")
        await dialog(pilot, "ConfirmScreen")
        asked = " ".join(str(line.render()) for line in console.screen.query(Static))
        assert "Put web into 6 channels?" in asked
        assert "On air, to be restarted: 4 (Regional 001, Regional 002, Regional 004, Regional 005)." in asked
        assert "Where it does not fit, so that nothing changes: 1 (Regional 003)." in asked
        assert not did(keeper, "change")
        await pilot.press("y")
        await dialog(pilot, "BulkScreen")
        await until(pilot, lambda: "1 failed" in screen_text(pilot))
        assert "Regional 003" in screen_text(pilot)
        changed = {channel: document for channel, document, _ in did(keeper, "change")}
        assert sorted(changed) == [1, 2, 4, 5, 6]
        assert [rung["name"] for rung in changed[1]["renditions"]] == ["1080p", "720p", "480p", "360p"]


def test_what_is_asked_before_a_ladder_is_put_into_channels() -> None:
    [web] = [one for one in all_ladders(Settings(data_dir=Path("/nonexistent"))) if one.name == "web"]
    rows = regional(3, stopped=1)
    alike = parse(ChannelSpec, {**spec("Regional 001", 1), "renditions": web.document()}).document()
    stored = {
        1: ChannelDocument(id=1, revision=1, spec=alike),
        3: ChannelDocument(id=3, revision=1, spec=spec("Regional 003", 3)),
    }
    asked = question(web, [rows[0], rows[2]], stored, hidden=1)
    assert asked.title == "Put web into 2 channels?"
    assert asked.body.splitlines() == [
        "Its renditions take the place of those of Regional 001, Regional 003.",
        "Nothing on air is restarted.",
        "With these renditions already: 1 (Regional 001).",
        "1 of them is hidden by the filter.",
    ]
    assert question(web, rows[:1], stored).title == "Put web into Regional 001?"


def test_a_table_of_rungs_says_what_is_copied_and_what_has_no_sound() -> None:
    copied = {"name": "whole", "video": {"codec": "copy", "bitrate": "5M"}, "audio": {"codec": "copy"}}
    mute = {"name": "mute", "video": {"bitrate": "500k", "maxrate": "800k"}, "audio": None}
    ladder = parse(Ladder, {"name": "a", "renditions": [copied, mute]})
    table = [line.plain for line in rung_table(ladder.renditions)]
    assert table[1].split() == ["whole", "copy", "copy"]
    assert table[2].endswith("none")


async def test_a_read_only_console_only_looks(keeper: Keeper, clock: Clock) -> None:
    console = ConsoleApp(lambda: keeper, clock=clock, waits=(0.05,), read_only=True)
    async with console.run_test(size=(120, 40), notifications=True) as pilot:
        screen = await opened(pilot, "web")
        assert "Clone" not in screen_text(pilot)
        for key in ("e", "c", "enter"):
            await pilot.press(key)
            assert console.screen is screen
        await says(pilot, "read-only")


@SIZES
@pytest.mark.parametrize("what", ["list", "form"])
def test_pictures(snap_compare: Callable[..., bool], keeper: Keeper, size: tuple[int, int], what: str) -> None:
    settings = Settings(data_dir=keeper.data_dir)
    [mobile] = [one for one in all_ladders(settings) if one.name == "mobile"]
    if what == "list":
        for name, words in (("mobile", mobile.help), ("house", "What our set-top boxes play.")):
            put(settings, name, parse(Ladder, {"name": name, "help": words, "renditions": mobile.document()}))

    async def prepare(pilot: Pilot[str]) -> None:
        await opened(pilot, "mobile")
        if what == "form":
            await form(pilot, "e")

    assert snap_compare(ConsoleApp(lambda: keeper, clock=Clock()), terminal_size=size, run_before=prepare)
