"""The log under an operator's hands: searched, narrowed, wrapped, copied."""

from collections.abc import Awaitable, Callable
from functools import partial
from itertools import chain

import pytest
from pilots import burst, screen_lines, screen_text, settled, until
from rack_fixtures import Clock, FakeClient, view
from textual.app import App
from textual.pilot import Pilot

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.log_rows import Rows, wrapped
from transcoder_tui.console.preferences import Preferences
from transcoder_tui.console.screens.log_prompt import LogPrompt
from transcoder_tui.console.screens.main import MainScreen
from transcoder_tui.console.widgets.channel_table import ChannelTable
from transcoder_tui.console.widgets.log_pane import LogPane

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=["80x24", "120x40", "200x50"])


def numbered(count: int, wrong: Callable[[int], bool] = lambda number: number % 100 == 7) -> list[str]:
    """So many lines, some of them with something to find."""
    return [
        f"2026-11-22T14:{number // 60 % 60:02}:{number % 60:02}.000Z "
        + (f"ERROR   [h264] Corrupt frame {number}" if wrong(number) else f"INFO    [hls] segment {number} opened")
        for number in range(count)
    ]


@pytest.fixture
def client() -> FakeClient:
    client = FakeClient([view(1, "News HD"), view(2, "Sport")])
    client.logs[1] = numbered(5000)
    return client


@pytest.fixture
def console(client: FakeClient) -> ConsoleApp:
    return ConsoleApp(lambda: client, clock=Clock(), waits=(0.05,))


async def opened(pilot: Pilot[str]) -> LogPane:
    """The log over the whole screen."""
    await settled(pilot)
    await pilot.press("l")
    return pilot.app.screen.query_one(LogPane)


def shows(pilot: Pilot[str], words: str) -> Callable[[], bool]:
    return lambda: words in screen_text(pilot)


def holds_more(pane: LogPane, lines: int) -> bool:
    return len(pane.lines) > lines


def last_row(pilot: Pilot[str]) -> str:
    return screen_lines(pilot)[-2].rstrip(" ▁▂▃▄▅▆▇█")


async def test_a_search_goes_to_the_nearest_hit_above_and_on_through_the_whole_log(console: ConsoleApp) -> None:
    async with console.run_test(size=(100, 24)) as pilot:
        pane = await opened(pilot)
        await pilot.press("slash")
        assert isinstance(console.screen, LogPrompt)
        await pilot.press(*"corrupt")
        assert "● following" in screen_text(pilot), "what is typed only lights hits up"
        await pilot.press("enter")
        await until(pilot, lambda: "Corrupt frame 4907" in screen_text(pilot))
        assert not pane.following
        assert "/corrupt 4 of 4" in screen_text(pilot)
        for frame in (4807, 4707, 4607, 4507, 4407):
            await pilot.press("N")
            await until(pilot, shows(pilot, f"Corrupt frame {frame}"))
        await pilot.press("n")
        await until(pilot, lambda: "Corrupt frame 4507" in screen_text(pilot))
        for frame in (4607, 4707, 4807, 4907):
            await pilot.press("n")
            await until(pilot, shows(pilot, f"Corrupt frame {frame}"))
        before = screen_lines(pilot)[3:-2]
        await pilot.press("n")
        await until(pilot, lambda: "/corrupt: none further down" in screen_text(pilot))
        assert screen_lines(pilot)[3:-2] == before, "it stays where it is"
        await pilot.press("escape")
        assert "/corrupt" not in screen_text(pilot)
        assert console.screen.has_class("-zoomed")
        await pilot.press("escape")
        assert not console.screen.has_class("-zoomed")


async def test_what_is_far_up_in_the_log_is_found(console: ConsoleApp, client: FakeClient) -> None:
    client.logs[1] = numbered(60_000, lambda number: number == 3)
    async with console.run_test(size=(100, 24)) as pilot:
        await opened(pilot)
        await pilot.press("slash", *"Corrupt", "enter")
        await until(pilot, lambda: "Corrupt frame 3" in screen_text(pilot))
        assert "segment 4 opened" in screen_text(pilot), "with what stands around it"
        await pilot.press("slash", *["backspace"] * 7, *"Nowhere", "enter")
        await until(pilot, lambda: "/Nowhere: none further up" in screen_text(pilot))
        assert "Corrupt frame 3" in screen_text(pilot)
        await pilot.press("end")
        await until(pilot, lambda: "segment 59999 opened" in screen_text(pilot))


async def test_hits_are_lit_up_as_one_types_and_escape_takes_that_back(console: ConsoleApp) -> None:
    async with console.run_test(size=(100, 24)) as pilot:
        pane = await opened(pilot)
        lit = pane.get_component_rich_style("log-pane--hit")

        def lit_texts() -> set[str]:
            segments = chain.from_iterable(console.screen_stack[0]._compositor.render_strips())
            return {part.text for part in segments if part.style and part.style.bgcolor == lit.bgcolor}

        await pilot.press("slash", *"499")
        await until(pilot, lambda: "499" in lit_texts())
        await pilot.press("escape")
        assert "499" not in lit_texts()
        await pilot.press("n")


async def test_only_lines_that_match_are_shown_from_the_whole_log(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test(size=(100, 24)) as pilot:
        pane = await opened(pilot)
        await pilot.press("ampersand", *"corrupt", "enter")
        await until(pilot, lambda: "Corrupt frame 4907" in last_row(pilot))
        assert "&corrupt   ● following" in screen_text(pilot)
        assert "segment" not in screen_text(pilot)
        await until(pilot, lambda: len(pane.lines) >= 20, "older ones are fetched to fill the screen")
        client.logs[1] += numbered(20)
        client.say()
        await until(pilot, lambda: "Corrupt frame 7" in last_row(pilot))
        while len(pane.lines) < 51:
            held = len(pane.lines)
            await pilot.press("home")
            await until(pilot, partial(holds_more, pane, held))
        await pilot.press("home")
        await until(pilot, lambda: "Corrupt frame 7" in screen_lines(pilot)[2])
        await pilot.press("ampersand", *["backspace"] * 7, "enter")
        await until(pilot, lambda: "segment 8 opened" in screen_text(pilot), "the line on top stays")
        await pilot.press("ampersand", *"!segment", "enter")
        await until(pilot, lambda: "&!segment" in screen_text(pilot))
        await until(pilot, lambda: "segment 8 opened" not in screen_text(pilot))
        await pilot.press("escape")
        await until(pilot, lambda: "&" not in screen_lines(pilot)[2])
        await pilot.press("ampersand", *"nowhere", "enter")
        await until(pilot, lambda: "no line 'nowhere'" in screen_text(pilot))


async def test_new_lines_are_counted_on_a_badge_while_it_stays(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test(size=(100, 24)) as pilot:
        pane = await opened(pilot)
        await pilot.press("up", "up")
        top = screen_lines(pilot)[4]
        client.logs[1] += numbered(12)
        client.say()
        await until(pilot, lambda: last_row(pilot).endswith("+12 new"))
        client.logs[1] += numbered(5000)
        client.first_line = 4000
        client.say()
        await until(pilot, lambda: "+400 and more new" in screen_text(pilot))
        assert screen_lines(pilot)[4] == top, "although the log was cut meanwhile"
        assert not pane.following
        await pilot.press("f")
        await until(pilot, lambda: "segment 4999 opened" in last_row(pilot))


async def test_long_lines_are_wrapped_and_times_hidden_and_both_are_kept(
    client: FakeClient, tmp_path: pytest.TempPathFactory
) -> None:
    client.logs[1] = [
        "2026-11-22T14:15:16.000Z WARNING " + "".join(f"<{number:03}>" for number in range(60)),
        "2026-11-22T14:15:17.000Z INFO    " + "東" * 80 + "end",
        *numbered(30),
    ]
    preferences = Preferences()
    console = ConsoleApp(lambda: client, clock=Clock(), preferences=preferences)
    async with console.run_test(size=(100, 24)) as pilot:
        pane = await opened(pilot)
        await pilot.press("home")
        assert "<059>" not in screen_text(pilot)
        await pilot.press("w")
        for words in ("<000>", "<030>", "<059>", "東東end"):
            assert words in screen_text(pilot)
        assert preferences.wrap
        await pilot.press("down", "down")
        assert "<059>" in screen_lines(pilot)[3]
        await pilot.press("t")
        assert "14:15:17" not in screen_text(pilot)
        assert not preferences.timestamps
        await pilot.press("end")
        await until(pilot, lambda: "segment 29 opened" in last_row(pilot))
        await pilot.press("w", "t")
        assert "segment 29 opened" in last_row(pilot)
        await pilot.press("home", "right")
        assert "14:15:16 WARNING …" in screen_text(pilot)
        assert pane.scroll_offset.y == 0


async def test_a_hit_far_to_the_right_is_brought_into_view(console: ConsoleApp, client: FakeClient) -> None:
    client.logs[1] = [*numbered(5), "2026-11-22T14:15:16.000Z INFO    " + "x" * 300 + "HERE" + "y" * 300]
    async with console.run_test(size=(100, 24)) as pilot:
        await opened(pilot)
        await pilot.press("slash", *"here", "enter")
        await until(pilot, lambda: "xHEREy" in screen_text(pilot))
        await pilot.press("escape", "ampersand", *"INFO", "enter")
        await until(pilot, lambda: "segment 0 opened" not in screen_text(pilot))


async def test_lines_are_copied_whole(console: ConsoleApp, client: FakeClient) -> None:
    client.logs[1] = [*numbered(60), "2026-11-22T14:15:16.000Z INFO    " + "x" * 300]
    async with console.run_test(size=(100, 24), notifications=True) as pilot:
        await opened(pilot)
        await pilot.press("c")
        assert console.clipboard == client.logs[1][-1]
        await until(pilot, lambda: "Copied: 1 line of the log" in screen_text(pilot))
        await pilot.press("Y")
        assert console.clipboard.split("\n") == client.logs[1][-21:]
        await pilot.press("slash", *"frame 7", "enter", "c")
        assert console.clipboard == client.logs[1][7]
        await pilot.press("n", "escape", "n")


async def test_the_same_keys_are_orders_again_where_the_table_has_the_keys(console: ConsoleApp) -> None:
    async with console.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("tab")
        assert "/ Search" in screen_lines(pilot)[-1]
        await pilot.press("N")
        assert console.rack.reverse is False, "no sorting from the log"
        await pilot.press("tab", "N")
        assert "/ Filter" in screen_lines(pilot)[-1]
        assert console.rack.reverse is True
        await pilot.press("tab")
        await burst(pilot, "slash", "s", "x", "d", "enter")
        await until(pilot, lambda: isinstance(console.screen, MainScreen) and "/sxd" in screen_text(pilot))
        assert console.rack.filter == ""
        await pilot.press("escape", "escape")
        assert console.focused is console.screen.query_one(ChannelTable)


async def test_another_channels_log_is_shown_as_a_whole(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("tab", "ampersand", *"corrupt", "enter")
        await until(pilot, lambda: "&corrupt" in screen_text(pilot))
        await pilot.press("escape", "tab", "down")
        await until(pilot, lambda: "seg00037.ts" in screen_text(pilot))
        assert "&corrupt" not in screen_text(pilot)


def test_rows_of_wrapped_lines_are_found_both_ways() -> None:
    lines = ["a" * 5, "b" * 25, "", "東" * 10]
    rows = Rows(lines, 10, times=True)
    assert len(rows) == 1 + 3 + 1 + 2
    assert [rows.at(row) for row in range(7)] == [(0, 0), (1, 0), (1, 1), (1, 2), (2, 0), (3, 0), (3, 1)]
    assert [rows.of(line) for line in range(5)] == [0, 1, 4, 5, 7]
    assert wrapped("東" * 10, 9) == ["東" * 4, "東" * 4, "東" * 2]
    assert len(Rows(lines, None, times=True)) == 4


# Pictures

Prepare = Callable[[Pilot[str]], Awaitable[None]]


@pytest.fixture
def picture(snap_compare: Callable[..., bool], size: tuple[int, int]) -> Callable[[FakeClient, Prepare], bool]:
    def compare(client: FakeClient, prepare: Prepare) -> bool:
        app: App[str] = ConsoleApp(lambda: client, clock=Clock())
        return snap_compare(app, terminal_size=size, run_before=prepare)

    return compare


@SIZES
def test_searched(picture: Callable[[FakeClient, Prepare], bool]) -> None:
    client = FakeClient()
    client.logs[3] = client.logs[3] * 3

    async def prepare(pilot: Pilot[str]) -> None:
        await opened(pilot)
        await pilot.press("slash", *"decoding", "enter", "N")
        client.logs[3] += numbered(12)
        client.say()
        await until(pilot, lambda: "+12 new" in screen_text(pilot))

    assert picture(client, prepare)


@pytest.mark.parametrize("size", [(80, 24)], ids=["80x24"])
def test_wrapped_and_narrowed(picture: Callable[[FakeClient, Prepare], bool]) -> None:
    client = FakeClient()

    async def prepare(pilot: Pilot[str]) -> None:
        await opened(pilot)
        await pilot.press("ampersand", *"!INFO", "enter", "w", "home", "slash", *"0:v")

    assert picture(client, prepare)
