"""What an operator types after a colon."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pilots import burst, screen_lines, screen_text, settled, until
from rack_fixtures import FakeClient, line_up, view
from test_console_state import rack_with
from textual.widgets import Static

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.command_line import VERBS, channel, channels, completions, read
from transcoder_tui.console.commands import Commands
from transcoder_tui.console.screens.confirm import ConfirmScreen
from transcoder_tui.console.screens.fault import FaultScreen
from transcoder_tui.console.screens.group import GroupScreen
from transcoder_tui.console.screens.help import HelpScreen
from transcoder_tui.console.screens.probe import ProbeScreen
from transcoder_tui.console.widgets.command_field import CommandField, files_like, holds_secret
from transcoder_tui.console.widgets.key_bar import KeyBar
from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.view import ChannelView

MakeConsole = Callable[[list[ChannelView]], ConsoleApp]


def fault_of(call: Callable[[], object]) -> str:
    with pytest.raises(InvalidInput) as caught:
        call()
    return str(caught.value.faults[0])


class TestLanguage:
    @pytest.mark.parametrize(
        ("line", "verb", "argument"),
        [
            ("start news*", "start", "news*"),
            (": sta  Kids ", "start", "Kids"),
            ("START", "start", ""),
            ("17", "goto", "17"),
            ("go 17", "goto", "17"),
            ("channel", "channel", ""),
            ("channels", "channels", ""),
            ("q", "quit", ""),
            ("filter name:a b", "filter", "name:a b"),
        ],
    )
    def test_verbs_may_be_shortened_while_they_are_clear(self, line: str, verb: str, argument: str) -> None:
        found, rest = read(line)
        assert (found.name, rest) == (verb, argument)

    @pytest.mark.parametrize(
        ("line", "said"),
        [
            ("st", "'st' could be start or stop; write a letter more"),
            ("s", "could be start, stop, sort, system or settings"),
            ("strat Kids", "there is no command 'strat'; write start"),
            ("xyzzy", "there is no command 'xyzzy'; tab shows them, :help lists them"),
            ("", "there is no command ''"),
            ("theme", "theme wants more; write :theme NAME"),
            ("events now", "events takes nothing; write :events"),
        ],
    )
    def test_errors_say_what_would_be_right(self, line: str, said: str) -> None:
        assert said in fault_of(lambda: read(line))

    @pytest.mark.parametrize(
        ("argument", "names"),
        [
            ("News HD", ["News HD"]),
            ("news hd", ["News HD"]),
            ("n*", ["News HD"]),
            ("*e*", ["News HD", "Parliament", "Weather"]),
            ("kids weather", ["Kids", "Weather"]),
            ('"News HD" kids', ["News HD", "Kids"]),
            ("*", ["Kids", "News HD", "Parliament", "Sport ABR", "Weather"]),
            ("group:news", ["News HD", "Weather"]),
            ("!ok", ["Kids", "Parliament"]),
            ("drops>0", ["Sport ABR"]),
            ("3", ["Kids"]),
        ],
    )
    def test_channels_are_named_by_pattern_or_filter(self, argument: str, names: list[str]) -> None:
        assert [row.name for row in channels(argument, rack_with(*line_up()))] == names

    def test_a_part_of_a_name_is_no_order(self) -> None:
        rack = rack_with(*line_up())
        assert fault_of(lambda: channels("weath", rack)) == "no channel is called 'weath'; write Weather"
        assert "a part with a star: *po*" in fault_of(lambda: channels("po", rack))
        assert "no channel matches 'group:Nowhere'" in fault_of(lambda: channels("group:Nowhere", rack))

    def test_one_channel_is_found_by_id_line_name_and_part(self) -> None:
        rack = rack_with(*line_up(), view(40, "More News"))
        rack.narrow("!kids")
        for argument, name in {
            "3": "Kids",
            "40": "More News",
            "6": None,
            "news": "News HD",
            "more": "More News",
            "iament": "Parliament",
            '"sport abr"': "Sport ABR",
        }.items():
            if name is not None:
                assert channel(argument, rack).name == name
        assert "no channel is called '6'" in fault_of(lambda: channel("6", rack))
        few = rack_with(view(71, "A"), view(72, "B"))
        assert channel("2", few).name == "B"
        assert "write Weather" in fault_of(lambda: channel("wether", rack))

    @pytest.mark.parametrize(
        ("line", "lines"),
        [
            ("the", ["theme "]),
            ("st", ["start ", "stop "]),
            ("start n", ["start News HD"]),
            ("start News h", ["start News HD"]),
            ("start Kids n", ['start Kids "News HD"']),
            ("start group:s", ["start group:Sport"]),
            ("stop gro", ["stop group:Family", "stop group:News", "stop group:Public", "stop group:Sport"]),
            ("theme d", ["theme day"]),
            ("sort b", ["sort bitrate"]),
            ("group sp", ["group Sport"]),
            ("goto p", ["goto Parliament"]),
            ("bell o", ["bell on", "bell off"]),
            ("mark !status:stopp", ["mark !status:stopped", "mark !status:stopping"]),
            ("filter kid", ["filter Kids"]),
            ("quit ", []),
            ("nonsense x", []),
        ],
    )
    def test_completion(self, line: str, lines: list[str]) -> None:
        assert completions(line, rack_with(*line_up()), files_like).lines(line) == lines

    def test_files_are_completed(self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        (tmp_path / "line up.yaml").touch()
        (tmp_path / ".hidden").touch()
        (tmp_path / "old" / "deep").mkdir(parents=True)
        monkeypatch.chdir(tmp_path)
        monkeypatch.setenv("HOME", str(tmp_path))
        for line, lines in {
            "import ": ['import "line up.yaml"', "import old/"],
            "import li": ['import "line up.yaml"'],
            "import old/": ["import old/deep/"],
            "import ~/o": ["import ~/old/"],
            "import .": ["import .hidden"],
            "export news* o": ["export news* old/"],
            "import nowhere/x": [],
        }.items():
            assert completions(line, rack_with(*line_up()), files_like).lines(line) == lines, line

    def test_every_verb_is_carried_out(self, console: ConsoleApp) -> None:
        assert [verb.name for verb in VERBS if not hasattr(Commands, f"_{verb.name}")] == []
        assert len({verb.name for verb in VERBS}) == len(VERBS)

    def test_addresses_with_secrets_are_not_kept(self) -> None:
        assert holds_secret("probe srt://h:1?passphrase=verysecret")
        assert holds_secret("probe rtmp://user:word@h/app")
        assert not holds_secret("probe udp://239.1.1.1:5000")
        assert not holds_secret("start Passions")


async def enter(pilot, line: str) -> None:  # type: ignore[no-untyped-def]
    await pilot.press("colon", *(" " if key == " " else key for key in line), "enter")


def said(console: ConsoleApp) -> str:
    return str(console.screen.query_one("#hint", Static).content)


class TestAtTheRack:
    async def test_orders_go_to_what_was_named_and_ask_as_keys_do(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test(size=(100, 30)) as pilot:
            await settled(pilot)
            await pilot.press("colon")
            assert not console.screen.query_one(KeyBar).display
            await pilot.press(*"start kid", "tab")
            assert any(line.startswith(" : start Kids") for line in screen_lines(pilot))
            await pilot.press("enter")
            await until(pilot, lambda: ("start", 3) in client.asked)
            assert console.screen.query_one(KeyBar).display
            await enter(pilot, "stop n*")
            await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
            assert "Stop News HD?" in screen_text(pilot)
            await pilot.press("y")
            await until(pilot, lambda: ("stop", 1) in client.asked)
            await pilot.press("g")
            await enter(pilot, "restart")
            await until(pilot, lambda: ("restart", 3) in client.asked)
            assert console.preferences.commands == ["start Kids", "stop n*", "restart"]

    async def test_a_wrong_command_stays_to_be_corrected(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test(size=(100, 30)) as pilot:
            await settled(pilot)
            await enter(pilot, "stat kids")
            assert said(console).strip() == "there is no command 'stat': write start"
            assert console.screen.query_one(CommandField).entry.value == "stat kids"
            await pilot.press("escape")
            assert not console.screen.query(CommandField)
            assert console.preferences.commands == []
            await pilot.press("down")
            assert console.rack.current is not None
            assert console.rack.current.name == "News HD", "the table has the keys again"
            await enter(pilot, "")
            assert not console.screen.query(CommandField)

    async def test_going_marking_filtering_and_sorting(self, console: ConsoleApp) -> None:
        async with console.run_test(size=(160, 30)) as pilot:
            await settled(pilot)
            await enter(pilot, "goto par")
            assert console.rack.cursor == 4
            await enter(pilot, "5")
            assert console.rack.cursor == 5
            await enter(pilot, "mark !ok")
            assert console.rack.marks == {3, 4}
            await enter(pilot, "unmark status:error")
            assert console.rack.marks == {3}
            await enter(pilot, "filter group:news")
            assert "2 of 5 channels match 'group:news'" in screen_text(pilot)
            await enter(pilot, "goto kids")
            assert console.rack.filter == ""
            assert console.rack.cursor == 3
            await enter(pilot, "sort up")
            assert "Uptime↓" in screen_text(pilot)
            assert (console.preferences.sort, console.preferences.reverse) == ("uptime", True)
            await enter(pilot, "mark nothing")
            assert "no channel matches 'nothing'" in said(console)

    async def test_the_marked_are_moved_to_a_group(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test(size=(120, 30)) as pilot:
            await settled(pilot)
            await enter(pilot, "mark status:error")
            await enter(pilot, 'group "Late Night"')
            await until(pilot, lambda: any(verb == "change" for verb, _ in client.asked))
            assert [what[1]["group"] for verb, what in client.asked if verb == "change"] == ["Late Night"]  # type: ignore[index]
            await enter(pilot, "group")
            await until(pilot, lambda: isinstance(console.screen, GroupScreen))

    async def test_line_ups_are_written_and_read(
        self, console: ConsoleApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.chdir(tmp_path)
        async with console.run_test(size=(120, 30)) as pilot:
            await settled(pilot)
            for line, names in {
                "export all.yaml": 5,
                "export group:news some.yaml": 2,
                'export "news hd" kids some2.yaml': 2,
            }.items():
                await enter(pilot, line)
                file = tmp_path / line.rpartition(" ")[2]
                await until(pilot, file.exists)
                await until(pilot, file.read_text)
                assert file.read_text().count("sources:") == names
            await enter(pilot, "import some.yaml all.yaml")
            assert "import takes one file, and 'some.yaml' stands before it" in said(console)
            await pilot.press("escape")
            await enter(pilot, "import nowhere.yaml")
            await until(pilot, lambda: isinstance(console.screen, FaultScreen))

    async def test_screens_themes_and_switches(self, console: ConsoleApp) -> None:
        async with console.run_test(size=(120, 30)) as pilot:
            await settled(pilot)
            await enter(pilot, "events")
            await until(pilot, lambda: console.view.VIEW == "events")
            await enter(pilot, "channel sport")
            await until(pilot, lambda: console.view.VIEW == "channel" and "Sport ABR" in screen_text(pilot))
            footer = screen_lines(pilot)[-1]
            await enter(pilot, "goto kids")
            await until(pilot, lambda: "Kids" in screen_lines(pilot)[2])
            assert screen_lines(pilot)[-1] == footer, "the log has not taken the keys"
            await enter(pilot, "channels")
            assert console.view.VIEW == "channels"
            await pilot.press("minus")
            await until(pilot, lambda: console.view.VIEW == "channel")
            await enter(pilot, "theme da")
            assert console.theme == console.preferences.theme == "day"
            await enter(pilot, "bell off")
            await enter(pilot, "flash off")
            assert (console.preferences.bell, console.preferences.flash) == (False, False)
            await enter(pilot, "bell loud")
            assert "'loud' is neither on nor off: write on or off" in said(console)
            await pilot.press("escape")
            await enter(pilot, "help")
            await until(pilot, lambda: isinstance(console.screen, HelpScreen))
            assert ":goto CHANNEL" in screen_text(pilot) or ":start" in _help_text(console)
            assert [verb.words for verb in VERBS if verb.words not in _help_text(console)] == []

    async def test_a_source_is_looked_into_and_one_that_is_none_is_refused(self, console: ConsoleApp) -> None:
        async with console.run_test(size=(120, 30)) as pilot:
            await settled(pilot)
            await enter(pilot, "probe gopher://x")
            assert "gopher" in said(console)
            await pilot.press("escape")
            await enter(pilot, "probe udp://239.1.1.1:5000")
            await until(pilot, lambda: isinstance(console.screen, ProbeScreen))

    async def test_a_command_that_arrives_in_a_burst_is_no_key(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await burst(pilot, "colon", *"sort", " ", *"fps", "enter")
            await until(pilot, lambda: console.rack.sort == "fps")
            assert [asked for asked in client.asked if asked[0] in ("start", "stop", "restart", "delete")] == []

    async def test_a_read_only_console_refuses_what_changes_something(self, client: FakeClient) -> None:
        console = ConsoleApp(lambda: client, read_only=True)
        async with console.run_test(size=(120, 30)) as pilot:
            await settled(pilot)
            await enter(pilot, "stop *")
            assert "this console is read-only" in said(console)
            await pilot.press("escape")
            await enter(pilot, "quit")
        assert console.return_value == "2 channels stay on air."
        assert client.asked[-1][0] == "close"


def _help_text(console: ConsoleApp) -> str:
    return "\n".join(str(part.content) for part in console.screen.query(Static))
