"""Keys of the user's own."""

from pathlib import Path

import pytest
from pilots import screen_lines, screen_text, settled, until
from rack_fixtures import FakeClient
from textual.widgets import Static

from transcoder_tui.console.actions import ACTIONS
from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.keymap import own_keys
from transcoder_tui.console.preferences import Preferences
from transcoder_tui.console.screens.confirm import ConfirmScreen
from transcoder_tui.console.screens.help import HelpScreen


def test_an_action_gets_its_own_keys_wherever_it_is() -> None:
    keymap, faults = own_keys({"start": ("W",), "back": ("backspace", "ctrl+b"), "log.search": ("?", "f3")})
    assert keymap["orders.start"] == ("W",)
    assert {binding for binding in keymap if binding.endswith(".back")} == {
        action.binding_id for action in ACTIONS if action.name == "back"
    }
    assert "log.search" not in keymap, "? opens the help"
    assert len(faults) == 1
    assert faults[0].startswith("keys.log.search: ? is the key of help")
    assert own_keys({"log.search": ("/", "f3")}) == ({"log.search": ("slash", "f3")}, [])


def test_two_actions_change_places() -> None:
    keymap, faults = own_keys({"start": ("x",), "stop": ("s",)})
    assert (keymap["orders.start"], keymap["orders.stop"], faults) == (("x",), ("s",), [])


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ({"strat": ("w",)}, "keys.strat: there is no action 'strat', did you mean start?"),
        ({"start": ("crtl+w",)}, "keys.start: there is no key 'crtl+w'"),
        ({"start": ("x",)}, "keys.start: x is the key of stop"),
        ({"start": ("1",)}, "keys.start: 1 is the key of view-channels"),
        ({"save": ("w",)}, "keys.save: in the form a letter is text"),
        ({"start": ("W",), "stop": ("W",)}, "keys.stop: W is the key of start"),
        ({"\x1b[2J": ("w",)}, "there is no action"),
    ],
)
def test_what_clashes_or_is_unknown_is_told_and_left_out(written: dict[str, tuple[str, ...]], said: str) -> None:
    keymap, faults = own_keys(written)
    assert len(faults) == 1
    assert said in faults[0]
    assert faults[0].endswith("; its own key holds.")
    assert "\x1b" not in faults[0]
    assert set(keymap.values()) <= {("W",)}


async def test_own_keys_work_and_stand_in_footer_and_help(client: FakeClient) -> None:
    preferences = Preferences(
        keys={
            "start": ("W",),
            "stop": ("ctrl+n",),
            "filter": ("f3",),
            "nonsense": ("z",),
            "command_line": ("semicolon",),
        }
    )
    console = ConsoleApp(lambda: client, preferences=preferences)
    async with console.run_test(size=(120, 40), notifications=True) as pilot:
        await settled(pilot)
        await until(pilot, lambda: "there is no action 'nonsense'" in screen_text(pilot))
        assert screen_lines(pilot)[-1].startswith(" W Start  ^n Stop ")
        await pilot.press("s", "x")
        assert [asked for asked in client.asked if asked[0] in ("start", "stop")] == []
        await pilot.press("W")
        await until(pilot, lambda: ("start", 3) in client.asked)
        await pilot.press("down", "ctrl+n")
        await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
        await pilot.press("escape")
        await pilot.press("f3", *"kids", "enter")
        assert console.rack.filter == "kids"
        await pilot.press("semicolon", *"filter", "enter")
        assert console.rack.filter == ""
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(console.screen, HelpScreen))
        listed = "\n".join(str(part.content) for part in console.screen.query(Static))
        assert "\nW           Start" in listed
        assert "\n^n          Stop" in listed


def test_the_example_in_the_readme_is_in_force_as_it_stands(tmp_path: Path) -> None:
    readme = (Path(__file__).parents[2] / "README.md").read_text()
    example = next(part for part in readme.split("```toml\n") if "[keys]" in part).partition("```")[0]
    (tmp_path / "console.toml").write_text(example)
    found = Preferences.load(tmp_path / "console.toml", tmp_path / "console.json")
    keymap, faults = own_keys(found.keys)
    assert found.notices == faults == []
    assert (found.theme, found.bell, found.flash) == ("night", True, False)
    assert keymap["moving.move-down"] == ("j", "ctrl+n")
    assert keymap["log.search"] == ("slash", "f3")
