"""An operator at the rack: each test presses keys and looks at the screen, the orders and the cursor."""

from collections.abc import Callable
from datetime import timedelta

import pytest
from pilots import burst, screen_lines, screen_text, settled, until
from rack_fixtures import Clock, FakeClient, line_up, spec, unwell, view, worker_view
from textual.widgets import Button, Static

from transcoder_tui.console.actions import ACTIONS
from transcoder_tui.console.app import ConsoleApp, parting_words
from transcoder_tui.console.screens.channel import ChannelScreen
from transcoder_tui.console.screens.command import CommandScreen
from transcoder_tui.console.screens.confirm import ConfirmScreen
from transcoder_tui.console.screens.fault import FaultScreen
from transcoder_tui.console.screens.form import FormScreen
from transcoder_tui.console.screens.help import HelpScreen
from transcoder_tui.console.screens.source import SourceScreen
from transcoder_tui.console.widgets.channel_table import ChannelTable
from transcoder_tui.console.widgets.key_bar import KeyBar
from transcoder_tui.console.widgets.log_pane import LogPane
from transcoder_tui.errors import Fault, HostFault, InvalidInput, NoSuchChannel
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status
from transcoder_tui.models.view import ChannelView

MakeConsole = Callable[[list[ChannelView]], ConsoleApp]


def current(console: ConsoleApp) -> str:
    return console.rack.current.name if console.rack.current else ""


def orders(client: FakeClient) -> list[tuple[str, object]]:
    return [asked for asked in client.asked if asked[0] in ("start", "stop", "restart", "delete")]


class TestTable:
    async def test_arrows_and_letters_move_the_cursor(self, console: ConsoleApp) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            seen = [current(console)]
            for key in ("down", "j", "up", "k", "G", "g", "end", "home", "pagedown", "pageup"):
                await pilot.press(key)
                seen.append(current(console))
        assert seen == [
            "Kids",
            "News HD",
            "Parliament",
            "News HD",
            "Kids",
            "Weather",
            "Kids",
            "Weather",
            "Kids",
            "Weather",
            "Kids",
        ]

    async def test_the_cursor_stays_on_its_channel_under_sort_refresh_and_removal(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("down", "S")
            assert current(console) == "News HD"
            client.say(view(1, "Zulu"), view(9, "Alpha"), removed=(3,))
            await until(pilot, lambda: 9 in console.rack.channels)
            assert current(console) == "Zulu"
            cursor_line = next(line for line in screen_lines(pilot) if line.startswith("▌"))
            assert "Zulu" in cursor_line

    async def test_hundreds_of_rows_scroll_with_the_cursor(self, console_on: MakeConsole) -> None:
        console = console_on([view(number, f"Channel {number:03}") for number in range(1, 301)])
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("G")
            assert "▌ ● on air     Channel 300" in screen_text(pilot)
            await pilot.press("k", "pageup")
            assert f"▌ ● on air     {current(console)}" in screen_text(pilot)
            await pilot.press("g")
            assert "▌ ● on air     Channel 001" in screen_text(pilot)

    async def test_a_click_puts_the_cursor_on_a_line(self, console: ConsoleApp) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.click(ChannelTable, offset=(20, 3))
            assert current(console) == "Sport ABR"

    async def test_figures_change_in_place(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            assert "6.50M" in screen_text(pilot)
            changed = client.views[1].model_copy(deep=True)
            changed.telemetry.bitrate = 4_321_000
            client.say(changed)
            await until(pilot, lambda: "4.32M" in screen_text(pilot), "the new bitrate")
            assert "6.50M" not in screen_text(pilot)

    async def test_the_sorted_column_is_marked(self, console: ConsoleApp) -> None:
        async with console.run_test(size=(160, 45)) as pilot:
            await settled(pilot)
            assert "Name↑" in screen_text(pilot)
            await pilot.press("U")
            assert "Uptime↓" in screen_text(pilot)
            await pilot.press("U")
            assert "Uptime↑" in screen_text(pilot)

    async def test_typing_a_filter_narrows_the_table_and_escape_widens_it(self, console: ConsoleApp) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("slash", *"weath", "enter")
            assert current(console) == "Weather"
            assert "1 of 5 channels match 'weath'" in screen_text(pilot)
            assert "News HD" not in screen_text(pilot)
            assert console.focused is console.screen.query_one(ChannelTable)
            await pilot.press("escape")
            assert "News HD" in screen_text(pilot)
            assert current(console) == "Weather"

    async def test_letters_typed_into_the_filter_are_no_orders(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("slash", *"sxrdnq")
            assert orders(client) == []
            assert console.rack.filter == "sxrdnq"
            await pilot.press("escape")
            assert console.rack.filter == ""

    async def test_a_filter_that_arrives_in_a_burst_is_no_order(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await burst(pilot, "slash", "s", "slash", "x", "d", "y", "enter")
            await until(pilot, lambda: console.rack.filter == "s/xdy")
            assert orders(client) == []
            await until(pilot, lambda: console.focused is console.screen.query_one(ChannelTable))

    async def test_an_empty_rack_says_how_to_begin(self, console_on: MakeConsole) -> None:
        async with (console := console_on([])).run_test() as pilot:
            await settled(pilot)
            for words in ("+   create a channel", "t   start the demonstration", "transcoder-tui apply line-up.yaml"):
                assert words in screen_text(pilot)
            await pilot.press("s", "x", "r", "d", "e", "c", "o", "i", "y", "l", "tab", "space", "G", "f")
            assert console.screen is console.screen_stack[0]


class TestNobodyUnderTheCursor:
    @pytest.mark.parametrize("key", ["s", "x", "r", "d", "e", "c", "o", "i", "y", "space"])
    async def test_a_key_for_a_channel_that_somebody_deleted_says_what_to_do(
        self, console: ConsoleApp, client: FakeClient, key: str
    ) -> None:
        async with console.run_test(notifications=True) as pilot:
            await settled(pilot)
            client.say(removed=(3,))
            await until(pilot, lambda: console.rack.current is None)
            assert "No channel is chosen" not in screen_text(pilot)
            await pilot.press(key)
            await until(pilot, lambda: "No channel is chosen: the arrow keys choose one." in screen_text(pilot))
            assert console.screen is console.screen_stack[0]
            assert orders(client) == []
            assert console.rack.marks == set()
            assert console.rack.current is None, "it does not slide to a neighbour"
            await pilot.press("down")
            assert current(console) == "News HD"

    async def test_marked_channels_take_orders_all_the_same(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("G", "space", "g")
            client.say(removed=(3,))
            await until(pilot, lambda: console.rack.current is None)
            await pilot.press("s")
            await until(pilot, lambda: orders(client) == [("start", 5)])


class TestOrders:
    async def test_start_is_carried_out_at_once(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("G", "s")
            await until(pilot, lambda: orders(client) == [("start", 5)])

    async def test_stop_asks_and_the_return_key_cancels(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("down", "x")
            await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
            assert "Stop News HD?" in screen_text(pilot)
            assert "It is on air." in screen_text(pilot)
            assert console.focused is console.screen.query_one("#no", Button)
            await pilot.press("enter")
            await until(pilot, lambda: not isinstance(console.screen, ConfirmScreen))
            assert orders(client) == []

    async def test_y_stops_n_does_not(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            for key, expected in (("n", []), ("escape", []), ("y", [("stop", 1)])):
                await pilot.press(*(["down"] if key == "n" else []), "x")
                await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
                await pilot.press(key)
                await until(pilot, lambda: not isinstance(console.screen, ConfirmScreen))
                await until(pilot, lambda expected=expected: orders(client) == expected)

    async def test_marked_channels_are_stopped_together(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("space", "space", "down", "space", "x")
            await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
            assert "Stop 3 channels?" in screen_text(pilot)
            assert "2 are on air: News HD, Sport ABR." in screen_text(pilot)
            await pilot.press("y")
            await until(pilot, lambda: len(orders(client)) == 3)
            assert orders(client) == [("stop", 3), ("stop", 1), ("stop", 2)]
            await until(pilot, lambda: not isinstance(console.screen, ConfirmScreen))
            await pilot.press("escape")
            assert console.rack.marks == set()

    async def test_an_order_is_for_the_channels_that_the_question_named(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("down", "d")
            await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
            client.say(view(1, "Zulu"), view(9, "Alpha"))
            await until(pilot, lambda: 9 in console.rack.channels)
            await pilot.press("y")
            await until(pilot, lambda: orders(client) == [("delete", 1)])

    async def test_failures_are_told_in_one_dialog(self, console: ConsoleApp, client: FakeClient) -> None:
        client.refusals.extend(
            [
                HostFault("there is no interface eth9", "choose one of eth1, eth2", "outputs[0].interface"),
                NoSuchChannel("no channel has the id 1", "somebody deleted it"),
            ]
        )
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("space", "space", "s")
            await until(pilot, lambda: isinstance(console.screen, FaultScreen))
            text = screen_text(pilot)
            assert "Could not start" in text
            assert "Kids, outputs[0].interface" in text
            assert "there is no interface eth9" in text
            assert "choose one of eth1, eth2" in text
            assert "News HD" in text
            assert "somebody deleted it" in text
            await pilot.press("enter")
            await until(pilot, lambda: not isinstance(console.screen, FaultScreen))

    async def test_a_read_only_console_orders_nothing_and_says_so(self, client: FakeClient) -> None:
        console = ConsoleApp(lambda: client, read_only=True)
        async with console.run_test(notifications=True) as pilot:
            await settled(pilot)
            assert "read-only" in screen_lines(pilot)[0]
            assert "Start" not in screen_lines(pilot)[-1]
            for key in ("s", "x", "r", "d", "plus", "e", "c", "o"):
                await pilot.press(key)
                assert console.screen is console.screen_stack[0]
            assert orders(client) == []
            await until(pilot, lambda: "This console is read-only" in screen_text(pilot))

    async def test_keys_typed_ahead_of_a_dialog_or_form_are_no_orders(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await burst(pilot, "down", "x", "s", "s", "r")
            await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
            await pilot.press("n")
            await until(pilot, lambda: not isinstance(console.screen, ConfirmScreen))
            await burst(pilot, "plus", "s", "x", "r", "d")
            await until(pilot, lambda: isinstance(console.screen, FormScreen))
            assert orders(client) == []


class TestScreens:
    async def test_help_lists_every_key_of_the_registry(self, console: ConsoleApp) -> None:
        async with console.run_test(size=(160, 45)) as pilot:
            await settled(pilot)
            await pilot.press("question_mark")
            await until(pilot, lambda: isinstance(console.screen, HelpScreen))
            assert "Stop; asks where" in screen_text(pilot)
            listed = " ".join(" ".join(str(part.content) for part in console.screen.query(Static)).split())
            unlisted = [action for action in ACTIONS if action.help not in listed]
            assert [action.name for action in unlisted if not action.name.startswith("sort-")] == []
            assert "N name S status" in listed
            top = screen_text(pilot)
            await pilot.press("pagedown")
            assert screen_text(pilot) != top, "there is more than fits"
            await pilot.press("escape")
            assert not isinstance(console.screen, HelpScreen)

    async def test_details_keep_up_with_the_channel(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("i")
            await until(pilot, lambda: "198.51.100.20" in screen_text(pilot))
            assert "next retry in 12 s (3 of 5)" in screen_text(pilot)
            client.say(view(3, "Kids", Status.ERROR, attempt=5, message="given up after 5 attempts"))
            await until(pilot, lambda: "given up after 5 attempts" in screen_text(pilot))
            assert isinstance(console.screen, ChannelScreen)
            await pilot.press("escape")

    async def test_the_command_is_shown_and_copied(self, console: ConsoleApp) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("y")
            await until(pilot, lambda: isinstance(console.screen, CommandScreen))
            assert "libx264" in screen_text(pilot)
            await pilot.press("c")
            assert "libx264" in console.clipboard
            await pilot.press("escape")

    async def test_a_command_that_cannot_be_had_is_explained(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            client.refusals.append(InvalidInput([Fault("the encoder libx264 is missing", "install ffmpeg", "ffmpeg")]))
            await pilot.press("y")
            await until(pilot, lambda: isinstance(console.screen, FaultScreen))
            assert "install ffmpeg" in screen_text(pilot)

    async def test_a_notice_is_shown_at_the_start(self, client: FakeClient) -> None:
        console = ConsoleApp(lambda: client, notice="Started a worker in the [background].")
        async with console.run_test(notifications=True) as pilot:
            await until(pilot, lambda: "[background]" in screen_text(pilot))

    async def test_leaving_says_what_stays_on_air(self, console: ConsoleApp) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("q")
        assert console.return_value == "2 channels stay on air."

    async def test_leaving_says_so_when_nothing_is_on_air(self) -> None:
        client = FakeClient([view(1, "A")])
        async with (console := ConsoleApp(lambda: client)).run_test() as pilot:
            await settled(pilot)
            assert parting_words(console.rack) == "1 channel stays on air."
            client.say(removed=(1,))
            await until(pilot, lambda: not console.rack.channels)
            assert parting_words(console.rack) == "No channel is on air."

    async def test_the_client_is_closed_when_the_console_ends(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("q")
        assert ("close", None) in client.asked


class TestWorkerGone:
    async def test_the_last_known_state_stays_with_its_age_until_the_worker_is_back(
        self, console: ConsoleApp, client: FakeClient, clock: Clock
    ) -> None:
        async with console.run_test(size=(120, 30)) as pilot:
            await settled(pilot)
            client.vanish()
            clock.seconds += 12
            await until(pilot, lambda: "worker does not answer" in screen_text(pilot))
            assert "last heard 12s ago - channels stay on air" in screen_text(pilot)
            assert "News HD" in screen_text(pilot)
            assert console.screen.query_one(ChannelTable).stale
            client.return_()
            await until(pilot, lambda: "worker does not answer" not in screen_text(pilot))
            assert not console.screen.query_one(ChannelTable).stale

    async def test_orders_fail_with_a_dialog_meanwhile(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            client.vanish()
            await until(pilot, lambda: "worker does not answer" in screen_text(pilot))
            await pilot.press("s")
            await until(pilot, lambda: isinstance(console.screen, FaultScreen))
            assert "transcoder-tui worker start" in screen_text(pilot)

    async def test_a_worker_that_never_answered_is_explained(self, console: ConsoleApp, client: FakeClient) -> None:
        client.vanish()
        async with console.run_test() as pilot:
            await until(pilot, lambda: "start one with 'transcoder-tui worker start'" in screen_text(pilot))
            await pilot.press("q")
        assert console.return_value == ""


class TestLog:
    async def test_it_opens_at_the_end_and_follows(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            assert "seg00037.ts" in screen_text(pilot)
            client.logs[3].append("2026-11-22T14:15:17.000Z ERROR   it broke")
            client.say()
            await until(pilot, lambda: "ERROR   it broke" in screen_text(pilot))

    async def test_scrolling_up_stops_following_and_f_resumes(self, console: ConsoleApp, client: FakeClient) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            pane = console.screen.query_one(LogPane)
            await pilot.press("tab", "up", "up")
            top = pane.scroll_offset.y
            assert not pane.following
            client.logs[3] += ["2026-11-22T14:15:17.000Z INFO    later"] * 3
            client.say()
            await until(pilot, lambda: "3 new lines, f follows" in screen_text(pilot))
            assert pane.scroll_offset.y == top
            assert "later" not in screen_text(pilot)
            await pilot.press("f")
            await until(pilot, lambda: "later" in screen_text(pilot))
            assert pane.following

    async def test_end_follows_again(self, console: ConsoleApp) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            pane = console.screen.query_one(LogPane)
            await pilot.press("tab", "pageup")
            assert not pane.following
            await pilot.press("end")
            assert pane.following

    async def test_scrolling_to_the_top_fetches_what_is_older(self, console: ConsoleApp, client: FakeClient) -> None:
        client.logs[3] = [f"2026-11-22T14:15:16.000Z INFO    line {number}" for number in range(1200)]
        async with console.run_test() as pilot:
            await settled(pilot)
            pane = console.screen.query_one(LogPane)
            await pilot.press("tab")
            held = len(pane.lines)
            await pilot.press("home")
            await until(pilot, lambda: len(pane.lines) > held, "older lines")
            assert "line 800" in screen_text(pilot), "the line that was on top stays in view"
            while pane.lines[0].rpartition(" ")[2] != "0":
                held = len(pane.lines)
                await pilot.press("home")
                await until(pilot, lambda held=held: len(pane.lines) > held or pane.lines[0].endswith(" 0"))
            await pilot.press("home")
            await until(pilot, lambda: "line 0" in screen_text(pilot))

    async def test_it_belongs_to_the_channel_under_the_cursor(self, console: ConsoleApp, client: FakeClient) -> None:
        client.logs[1] = ["2026-11-22T14:15:16.000Z WORKER  only of News HD"]
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("down")
            await until(pilot, lambda: "only of News HD" in screen_text(pilot))
            assert "seg000" not in screen_text(pilot)

    async def test_running_down_the_table_asks_for_no_log_on_the_way(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        asked: list[int] = []
        answer = client.log

        async def counted(channel_id: int, *, lines: int = 200, offset: int | None = None):  # type: ignore[no-untyped-def]
            asked.append(channel_id)
            return await answer(channel_id, lines=lines, offset=offset)

        client.log = counted  # type: ignore[method-assign]
        async with console.run_test() as pilot:
            await settled(pilot)
            pane = console.screen.query_one(LogPane)
            table = console.screen_stack[0]
            for _ in range(4):
                table.action_move("down")  # type: ignore[attr-defined]
            await until(pilot, lambda: pane.channel_id == 5 and pane.lines)
        assert set(asked) == {3, 5}

    async def test_long_lines_are_cut_with_a_mark_and_can_be_followed_sideways(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        client.logs[3] = ["2026-11-22T14:15:16.000Z INFO    " + "".join(f"<{number:03}>" for number in range(100))]
        async with console.run_test() as pilot:
            await settled(pilot)
            line = next(line for line in screen_lines(pilot) if "<000>" in line)
            assert line.rstrip().endswith("…")
            await pilot.press("tab", "right", "right")
            assert "<000>" not in screen_text(pilot)
            assert "<010>" in screen_text(pilot)
            await pilot.press("left", "left")
            assert "<000>" in screen_text(pilot)

    async def test_l_zooms_it_over_the_screen_and_back(self, console: ConsoleApp) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            before = console.screen.query_one(LogPane).size.height
            await pilot.press("l")
            assert console.screen.query_one(LogPane).size.height >= 18 > before
            assert not console.screen.query_one(ChannelTable).display
            await pilot.press("escape")
            assert console.screen.query_one(LogPane).size.height == before
            assert console.focused is console.screen.query_one(ChannelTable)

    async def test_a_log_that_cannot_be_had_says_why(self, console: ConsoleApp, client: FakeClient) -> None:
        client.logs = {}

        async def refused(*_: object, **__: object) -> None:
            raise HostFault("the log cannot be read: permission denied", "check the data directory")

        client.log = refused  # type: ignore[assignment, method-assign]
        async with console.run_test() as pilot:
            await until(pilot, lambda: "the log cannot be read: permission denied" in screen_text(pilot))


class TestWorkerNotWell:
    async def test_a_worker_without_a_keeper_is_told(self, console: ConsoleApp, client: FakeClient) -> None:
        client.worker.keeper_pid = None
        async with console.run_test() as pilot:
            await settled(pilot)
            assert "5 channels" in screen_lines(pilot)[0]
            assert screen_lines(pilot)[1].startswith(" ▲ no keeper: nobody restarts the worker;")

    async def test_a_database_that_stores_nothing_is_told_as_long_as_it_lasts(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            assert "▲" not in "".join(screen_lines(pilot)[:2])
            client.worker.database = (
                "the disk is full: nothing can be written to /var/lib/transcoder-tui/transcoder.db; free some space "
                "on the disk of /var/lib/transcoder-tui; orders are accepted again as soon as there is room"
            )
            client.worker.unsaved_events = 12
            client.say()
            await until(pilot, lambda: "orders cannot be stored (12 events wait)" in screen_text(pilot))
            said = " ".join(line.strip() for line in screen_lines(pilot)[1:4])
            assert said.endswith("orders are accepted again as soon as there is room")
            assert console.screen.query_one(KeyBar).region.bottom == 24
            client.worker = worker_view()
            client.say()
            await until(pilot, lambda: "cannot be stored" not in screen_text(pilot))

    async def test_a_worker_that_does_not_answer_says_only_that(self, console: ConsoleApp, client: FakeClient) -> None:
        client.worker.database = "the disk is full"
        async with console.run_test() as pilot:
            await settled(pilot)
            client.vanish()
            await until(pilot, lambda: "does not answer" in screen_text(pilot))
            assert "cannot be stored" not in screen_text(pilot)

    @pytest.mark.parametrize("size", [(40, 8), (40, 14), (80, 10)], ids=str)
    async def test_a_small_terminal_keeps_the_row_under_the_cursor_beside_it(
        self, console: ConsoleApp, client: FakeClient, size: tuple[int, int]
    ) -> None:
        client.worker.database = "the disk is full " * 20
        client.worker.keeper_pid = None
        async with console.run_test(size=size) as pilot:
            await settled(pilot)
            await until(pilot, lambda: "\n▌" in screen_text(pilot))
            assert "▲ orders cannot be stored" in screen_text(pilot)
            assert console.screen.query_one(ChannelTable).size.height >= 2
            assert console.screen.query_one(KeyBar).region.bottom == size[1]


class TestHealth:
    async def test_a_channel_on_air_that_is_not_well_shows_its_health(self, console_on: MakeConsole) -> None:
        rows = [view(1, "News HD"), unwell(2, "Sport", Health.INPUT_LOST, Health.ON_BACKUP)]
        async with (console := console_on(rows)).run_test() as pilot:
            await settled(pilot)
            assert "2 channels  2 on air (1 unwell)" in screen_lines(pilot)[0]
            assert "▲ input lost Sport" in screen_text(pilot)
            assert "● on air     News HD" in screen_text(pilot)
            await pilot.press("down")
            assert current(console) == "Sport"
            assert "▲ input lost: why  what helps against input lost" in screen_text(pilot)
            assert "+1 alarm (i)" in screen_text(pilot)
            await pilot.press("i")
            await until(pilot, lambda: isinstance(console.screen, ChannelScreen))
            for words in ("input lost for 5s, since 14:15:11 UTC", "on backup source: why", "→ what helps"):
                assert words in screen_text(pilot)

    async def test_a_narrow_title_bar_cuts_whole_counts_and_those_that_need_nobody_first(
        self, console_on: MakeConsole
    ) -> None:
        rows = [view(number, f"C{number}", status) for number, status in enumerate(Status, 1)]
        async with console_on(rows).run_test(size=(66, 24)) as pilot:
            await settled(pilot)
            title = screen_lines(pilot)[0]
            assert title.rstrip().endswith("7 channels  1 on air  1 error  1 retrying")

    async def test_rows_that_are_off_air_say_in_the_table_when_they_are_tried_again(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test() as pilot:
            await settled(pilot)
            kids = next(line for line in screen_lines(pilot) if "↻ retrying" in line)
            assert "next retry in 12 s (3 of 5): " in kids
            client.say(seconds=5)
            await until(pilot, lambda: "next retry in 7 s (3 of 5)" in screen_text(pilot))
            gone = view(4, "Parliament", Status.ERROR, attempt=5, message="no data", source="srt://198.51.100.20:9000")
            gone.next_retry_at = client.at + timedelta(seconds=58)
            client.say(gone, seconds=0)
            await until(pilot, lambda: "tried again in 58 s: no data" in screen_text(pilot))
            await pilot.press("down", "down")
            assert "given up after 5 attempts; tried again in 58 s" in screen_text(pilot)


def with_sources(channel_id: int, count: int, **changes: object) -> FakeClient:
    """A rack of one channel with so many sources."""
    row = view(channel_id, "News HD", **{"sources": count, **changes})  # type: ignore[arg-type]
    client = FakeClient([row])
    backups = [{"url": f"srt://198.51.100.{number}:9000?passphrase=verysecret"} for number in range(2, count + 1)]
    document = client.documents[channel_id]
    document.spec = spec("News HD", 1, sources=[*document.spec["sources"], *backups])
    return client


def switches(client: FakeClient) -> list[object]:
    return [what for verb, what in client.asked if verb == "switch"]


class TestSources:
    async def test_with_two_sources_it_goes_to_the_other_one_once_confirmed(self, clock: Clock) -> None:
        client = with_sources(1, 2)
        console = ConsoleApp(lambda: client, clock=clock)
        async with console.run_test(notifications=True) as pilot:
            await settled(pilot)
            await pilot.press("o")
            await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
            for words in ("Change the source of News HD?", "udp://239.1.1.1:5000 on eth1", "srt://198.51.100.2:9000"):
                assert words in screen_text(pilot)
            assert "verysecret" not in screen_text(pilot)
            await pilot.press("enter")
            await until(pilot, lambda: not isinstance(console.screen, ConfirmScreen))
            assert switches(client) == []
            await pilot.press("o")
            await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
            await pilot.press("y")
            await until(pilot, lambda: switches(client) == [(1, 1)])
            await until(pilot, lambda: "News HD changes to source 2 of 2" in screen_text(pilot))

    async def test_from_the_backup_it_goes_back_to_the_primary(self, clock: Clock) -> None:
        client = with_sources(1, 2, source_index=1)
        console = ConsoleApp(lambda: client, clock=clock)
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("o")
            await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
            await pilot.press("y")
            await until(pilot, lambda: switches(client) == [(1, 0)])

    async def test_with_more_than_two_one_is_chosen_from_a_list(self, clock: Clock) -> None:
        client = with_sources(1, 4, source_index=1)
        console = ConsoleApp(lambda: client, clock=clock)
        async with console.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            for keys, ordered in (
                (["escape"], []),
                (["enter"], []),
                (["down", "enter"], [(1, 2)]),
                (["j", "j", "enter"], [(1, 2), (1, 3)]),
                (["k", "enter"], [(1, 2), (1, 3), (1, 0)]),
                (["9", "4", "enter"], [(1, 2), (1, 3), (1, 0), (1, 3)]),
            ):
                await pilot.press("o")
                await until(pilot, lambda: isinstance(console.screen, SourceScreen))
                assert "2 srt://198.51.100.2:9000?passphrase=***  (in use)" in screen_text(pilot)
                await pilot.press(*keys)
                await until(pilot, lambda: not isinstance(console.screen, SourceScreen))
                await until(pilot, lambda ordered=ordered: switches(client) == ordered)

    async def test_a_channel_that_has_one_source_or_is_stopped_says_what_to_do(
        self, console: ConsoleApp, client: FakeClient
    ) -> None:
        async with console.run_test(notifications=True) as pilot:
            await settled(pilot)
            await pilot.press("o")
            await until(pilot, lambda: "Kids has one source only: e adds another." in screen_text(pilot))
            client.say(view(5, "Weather", Status.STOPPED, sources=2))
            await pilot.press("G", "o")
            await until(pilot, lambda: "Weather is stopped: s starts it." in screen_text(pilot))
            assert switches(client) == []

    async def test_keys_typed_ahead_of_the_question_are_no_orders(self, clock: Clock) -> None:
        client = with_sources(1, 2)
        console = ConsoleApp(lambda: client, clock=clock)
        async with console.run_test() as pilot:
            await settled(pilot)
            await burst(pilot, "o", "s", "r", "x")
            await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
            assert orders(client) == []

    async def test_a_refusal_and_sources_that_somebody_changed_are_told(self, clock: Clock) -> None:
        client = with_sources(1, 2)
        console = ConsoleApp(lambda: client, clock=clock)
        async with console.run_test() as pilot:
            await settled(pilot)
            await pilot.press("o")
            await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
            client.refusals.append(InvalidInput("News HD is stopped", "start it first", "source"))
            await pilot.press("y")
            await until(pilot, lambda: isinstance(console.screen, FaultScreen))
            assert "start it first" in screen_text(pilot)
            await pilot.press("escape")
            client.documents[1].spec = spec("News HD", 1)
            await pilot.press("o")
            await until(pilot, lambda: "have just been changed" in screen_text(pilot))
            await pilot.press("escape", "down", "s")
            await until(pilot, lambda: orders(client) == [("start", 1)])


class TestPlainTerminals:
    async def test_ascii_draws_with_ascii_only(self, client: FakeClient) -> None:
        console = ConsoleApp(lambda: client, ascii_only=True)
        async with console.run_test(notifications=True) as pilot:
            await settled(pilot)
            for key in ("space", "question_mark", "escape", "down", "x", "escape", "plus", "down", "down"):
                await pilot.press(key)
                await pilot.pause()
                drawn = "\n".join(_sent_to_terminal(console))
                assert drawn.isascii(), (key, sorted(set(drawn) - set(map(chr, range(128)))))
            assert "* on air" in "\n".join(_sent_to_terminal(console, 0))

    async def test_no_colour_means_no_colour(self, client: FakeClient, monkeypatch) -> None:  # type: ignore[no-untyped-def]
        monkeypatch.setenv("NO_COLOR", "1")
        console = ConsoleApp(lambda: client)
        async with console.run_test() as pilot:
            await settled(pilot)
            colours = {
                (segment.style.color, segment.style.bgcolor)
                for strip in console.screen._compositor.render_strips()
                for segment in strip
                if segment.style is not None
            }
            assert all(colour is None or colour.is_default for pair in colours for colour in pair), colours

    @pytest.mark.parametrize("size", [(40, 8), (40, 10), (40, 14), (80, 10)], ids=str)
    @pytest.mark.parametrize("key", ["g", "G"])
    async def test_the_row_under_the_cursor_can_be_seen_on_a_very_small_terminal(
        self, console_on: MakeConsole, size: tuple[int, int], key: str
    ) -> None:
        console = console_on([*line_up(), *(view(number, f"Zone {number}") for number in range(10, 30))])
        async with console.run_test(size=size) as pilot:
            await settled(pilot)
            await pilot.press(key)
            await until(pilot, lambda: "\n▌" in screen_text(pilot))
            lines = screen_lines(pilot)
            at = next(number for number, text in enumerate(lines) if text.startswith("▌"))
            assert current(console) in lines[at]
            assert console.screen.query_one(ChannelTable).size.height >= 2
            assert any("Name" in text for text in lines[:at])
            assert console.screen.query_one(KeyBar).region.bottom == size[1]

    async def test_it_can_be_seen_with_a_filter_marks_and_a_fault_on_eight_lines(self, console: ConsoleApp) -> None:
        async with console.run_test(size=(40, 8)) as pilot:
            await settled(pilot)
            await pilot.press("asterisk", "slash", "i")
            await until(pilot, lambda: "▌✓↻ retrying   Kids" in screen_text(pilot))
            assert "✓● on air     News HD" in screen_text(pilot)
            assert console.screen.query_one(KeyBar).region.bottom == 8

    async def test_the_log_comes_over_the_whole_of_a_very_small_terminal(self, console: ConsoleApp) -> None:
        async with console.run_test(size=(40, 8)) as pilot:
            await settled(pilot)
            assert "[hls" not in screen_text(pilot)
            await pilot.press("tab")
            assert console.focused is console.screen.query_one(ChannelTable)
            await pilot.press("l")
            await until(pilot, lambda: "[hls" in screen_text(pilot))
            await pilot.press("l", "down")
            assert current(console) == "News HD"

    async def test_the_keys_go_back_to_the_table_where_the_log_has_to_go(self, console: ConsoleApp) -> None:
        async with console.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            await pilot.press("tab")
            await pilot.resize_terminal(40, 8)
            await until(pilot, lambda: console.focused is console.screen.query_one(ChannelTable))

    async def test_both_table_and_log_can_be_seen_at_80x24(self, console_on: MakeConsole) -> None:
        console = console_on([*line_up(), *(view(number, f"Channel {number}") for number in range(10, 60))])
        async with console.run_test(size=(80, 24)) as pilot:
            await settled(pilot)
            assert console.screen.query_one(ChannelTable).size.height >= 8
            assert console.screen.query_one(LogPane).size.height >= 5
            assert console.screen.query_one(KeyBar).size.height == 1


def _sent_to_terminal(console: ConsoleApp, screen: int = -1) -> list[str]:
    strips = console.screen_stack[screen]._compositor.render_strips()
    return ["".join(segment.text for segment in strip) for strip in strips]
