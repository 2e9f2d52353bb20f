"""An operator who types into the filter."""

from pilots import burst, screen_lines, screen_text, settled, until
from rack_fixtures import FakeClient

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.preferences import Preferences
from transcoder_tui.console.widgets.filter_field import FilterField


def names(console: ConsoleApp) -> list[str]:
    return [console.rack.channels[number].name for number in console.rack.shown]


def typed(console: ConsoleApp) -> str:
    return console.screen.query_one(FilterField).entry.value


async def test_a_filter_is_completed_from_what_the_rack_has(console: ConsoleApp) -> None:
    async with console.run_test() as pilot:
        await settled(pilot)
        await pilot.press("slash", *"gro", "tab", *"s", "tab")
        assert typed(console) == "group:Sport"
        assert names(console) == ["Sport ABR"]
        await pilot.press("space", *"!sta", "tab", *"on", "tab")
        assert typed(console) == 'group:Sport !status:"on air"'
        assert "1 of 2" in screen_text(pilot)
        await pilot.press("tab")
        assert typed(console) == 'group:Sport !status:"on backup source"'
        await pilot.press("shift+tab")
        assert names(console) == []
        await pilot.press("space", *"qqq", "tab")
        assert "nothing begins like this" in screen_text(pilot)


async def test_the_likeliest_completion_stands_behind_the_cursor(console: ConsoleApp) -> None:
    async with console.run_test() as pilot:
        await settled(pilot)
        await pilot.press("slash", *"rest")
        await until(pilot, lambda: any("/ restarts>" in line for line in screen_lines(pilot)), "the suggestion")
        await pilot.press("right", "2")
        assert typed(console) == "restarts>2"
        assert names(console) == ["Kids", "Parliament"]


async def test_a_wrong_filter_says_so_beside_it_and_shows_what_matched_before(console: ConsoleApp) -> None:
    async with console.run_test(size=(120, 30)) as pilot:
        await settled(pilot)
        await pilot.press("slash", *"cpu>20x0")
        assert names(console) == ["News HD", "Sport ABR"]
        line = next(line for line in screen_lines(pilot) if "cpu>20x0" in line)
        assert "'20x0' is no number: write one, such as cpu>1" in line
        await pilot.press("enter")
        assert typed(console) == "cpu>20x0", "it stays to be corrected"
        await pilot.press("backspace", "backspace", "0", "enter")
        assert names(console) == ["Sport ABR"]
        assert not console.screen.query(FilterField)


async def test_earlier_filters_come_back_and_are_kept(console: ConsoleApp) -> None:
    async with console.run_test() as pilot:
        await settled(pilot)
        for text in ("kids", "!ok", "group:news"):
            await pilot.press("slash", *text, "enter", "escape")
        await pilot.press("slash", "up")
        assert typed(console) == "group:news"
        await pilot.press("up", "up", "up")
        assert typed(console) == "kids"
        await pilot.press("down")
        assert typed(console) == "!ok"
        await pilot.press("down", "down")
        assert typed(console) == ""
        await pilot.press("g", "up")
        assert typed(console) == "group:news", "only those that begin as typed"
    assert console.preferences.filters == ["kids", "!ok", "group:news"]


async def test_fuzzy_inverse_and_regular_expression_narrow_the_table(console: ConsoleApp) -> None:
    async with console.run_test() as pilot:
        await settled(pilot)
        for text, left in {
            "-f prlm": ["Parliament"],
            "~prlm": ["Parliament"],
            "!(news|sport)": ["Kids", "Parliament"],
            "name:^.{4}$": ["Kids"],
        }.items():
            await pilot.press("slash", *text, "enter")
            assert names(console) == left, text
            await pilot.press("escape")


async def test_a_colon_or_a_tab_in_a_burst_is_no_key_of_the_screen(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test() as pilot:
        await settled(pilot)
        await burst(pilot, "slash", *"src", ":", *"srt", "enter")
        await until(pilot, lambda: console.rack.filter == "src:srt")
        assert names(console) == ["Kids"]


async def test_the_table_is_sorted_as_it_was_left(client: FakeClient) -> None:
    kept = Preferences()
    for keys, title in (((), "Name↑"), (("U",), "Uptime↓"), (("U",), "Uptime↑")):
        console = ConsoleApp(lambda: client, preferences=kept)
        async with console.run_test(size=(160, 45)) as pilot:
            await settled(pilot)
            await pilot.press(*keys)
            assert title in screen_text(pilot)
    assert (kept.sort, kept.reverse) == ("uptime", False)
    strange = Preferences(sort="no such column", reverse=True)
    assert ConsoleApp(lambda: client, preferences=strange).rack.sort == "name"


async def test_what_is_wrong_with_the_preferences_is_told_at_the_start(client: FakeClient) -> None:
    console = ConsoleApp(lambda: client, preferences=Preferences(theme="pink", notices=["console.toml: [red]wrong[/]"]))
    async with console.run_test(notifications=True) as pilot:
        await settled(pilot)
        await until(pilot, lambda: "console.toml: [red]wrong[/]" in screen_text(pilot))
        assert "There is no theme 'pink'; there are night, day, clear" in " ".join(screen_text(pilot).split())
        assert console.theme == "night"
        console.preferences.tell("Nothing is kept")
        await until(pilot, lambda: "Nothing is kept" in screen_text(pilot))
