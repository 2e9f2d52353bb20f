"""Orders for many channels: marks, the question, the progress, what failed and the second attempt."""

import re
from collections.abc import Awaitable, Callable

import pytest
from bulk_fixtures import SlowClient, regional
from pilots import burst, screen_lines, screen_text, settled, until
from rack_fixtures import Clock, view
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Button

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.batch import AT_ONCE
from transcoder_tui.console.screens.bulk import BulkScreen
from transcoder_tui.console.screens.confirm import ConfirmScreen
from transcoder_tui.console.screens.fault import FaultScreen
from transcoder_tui.console.screens.group import GroupScreen
from transcoder_tui.errors import Conflict, HostFault, NoSuchChannel

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=["80x24", "120x40", "200x50"])


def console_of(client: SlowClient, clock: Clock | None = None) -> ConsoleApp:
    return ConsoleApp(lambda: client, clock=clock or Clock(), waits=(0.05,))


async def ordered(pilot: Pilot[str], key: str = "x") -> BulkScreen:
    """Everything is marked, ordered and confirmed."""
    await settled(pilot)
    await pilot.press("asterisk", key)
    await until(pilot, lambda: isinstance(pilot.app.screen, ConfirmScreen), "asked")
    await pilot.press("y")
    await until(pilot, lambda: isinstance(pilot.app.screen, BulkScreen), "progress shown")
    assert isinstance(pilot.app.screen, BulkScreen)
    return pilot.app.screen


def failing(client: SlowClient) -> None:
    """Three of them, for three reasons."""
    client.failing = {
        3: HostFault("FFmpeg did not end within 10 s", "look at its log; a second stop kills it"),
        17: NoSuchChannel("no channel has the id 17", "somebody deleted it meanwhile"),
        40: HostFault("the disk is full: the order could not be stored in the database", "free some space on it"),
    }


async def test_one_question_then_progress_then_how_it_ended() -> None:
    client, clock = SlowClient(regional(60, stopped=10)), Clock()
    console = console_of(client, clock)
    async with console.run_test(size=(100, 30), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("asterisk", "x")
        await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
        assert "Stop 60 channels?" in screen_text(pilot)
        assert "50 are on air: Regional 001" in screen_text(pilot)
        assert "y  Stop" in screen_text(pilot)
        assert "n  Cancel" in screen_text(pilot)
        assert console.focused is console.screen.query_one("#no", Button)
        await pilot.press("y")
        await until(pilot, lambda: "8 under way   ○ 52 to go" in screen_text(pilot))
        clock.seconds += 4
        client.answer(12)
        await until(pilot, lambda: "12 done" in screen_text(pilot))
        await until(pilot, lambda: "4s so far, 3.0 a second, about 17s left" in screen_text(pilot))
        assert client.most_underway == AT_ONCE
        client.answer(48)
        await until(pilot, lambda: "Stopped: 60 channels, in 4s" in screen_text(pilot))
        assert "100 %" in screen_text(pilot)
        await pilot.press("escape")
        assert not isinstance(console.screen, BulkScreen)
        assert console.rack.marks == set(range(1, 61)), "marks stay for the next order"
        assert "Stopped" not in screen_lines(pilot)[-1]


async def test_failures_are_listed_and_only_they_are_tried_again() -> None:
    client = SlowClient(regional(60), answers=60)
    failing(client)
    console = console_of(client)
    async with console.run_test(size=(100, 30)) as pilot:
        screen = await ordered(pilot)
        await until(pilot, lambda: screen.bulk.is_over and "57 of 60 channels, 3 failed" in screen_text(pilot))
        text = screen_text(pilot)
        for words in ("Regional 003  FFmpeg did not end", "→ look at its log", "Regional 017", "free some space"):
            assert words in text
        assert "r retries those that failed" in text
        client.failing.pop(3)
        client.asked.clear()
        await pilot.press("r")
        await until(pilot, lambda: client.ordered("stop") == [3, 17, 40])
        client.answer(3)
        await until(pilot, lambda: "Stopped: 58 of 60 channels, 2 failed" in screen_text(pilot))
        assert "Regional 003" not in screen_text(pilot).split("58 of 60")[1]


async def test_what_is_not_begun_can_be_cancelled() -> None:
    client = SlowClient(regional(60))
    console = console_of(client)
    async with console.run_test(size=(100, 30)) as pilot:
        for key in ("x", "ctrl+c"):
            await ordered(pilot, "r")
            await pilot.press(key)
            assert "52 left as they were" in screen_text(pilot)
            client.answer(AT_ONCE)
            await until(pilot, lambda: "Restarted: 8 of 60 channels, 52 left as they were" in screen_text(pilot))
            await pilot.press("enter")
        assert len(client.ordered("restart")) == 2 * AT_ONCE


async def test_in_the_background_it_goes_on_and_can_be_looked_at_again() -> None:
    client = SlowClient(regional(60))
    failing(client)
    console = console_of(client)
    async with console.run_test(size=(100, 30), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("b")
        await until(pilot, lambda: "No order for many channels is under way." in screen_text(pilot))
        await ordered(pilot)
        await pilot.press("escape")
        await until(pilot, lambda: "◍ Stopping: 0 of 60, b shows it" in screen_lines(pilot)[-1])
        client.answer(20)
        await until(pilot, lambda: "◍ Stopping: 20 of 60, 2 failed, b shows it" in screen_lines(pilot)[-1])
        await pilot.press("4")
        await until(pilot, lambda: "Stopping: 20 of 60" in screen_lines(pilot)[-1], "on other screens too")
        await pilot.press("b")
        await until(pilot, lambda: isinstance(console.screen, BulkScreen) and "18 done" in screen_text(pilot))
        await pilot.press("escape")
        client.answer(40)
        await until(pilot, lambda: "Stopped: 57 of 60 channels, 3 failed: b shows them." in screen_text(pilot))
        assert "▲ Stopped: 57 of 60 channels, 3 failed, b shows it" in screen_lines(pilot)[-1]
        await pilot.press("b")
        await until(pilot, lambda: isinstance(console.screen, BulkScreen))
        await pilot.press("escape")
        await until(pilot, lambda: "Stopped" not in screen_lines(pilot)[-1])


async def test_leaving_meanwhile_asks() -> None:
    client = SlowClient(regional(60))
    console = console_of(client)
    async with console.run_test(size=(100, 30)) as pilot:
        await ordered(pilot)
        await pilot.press("escape", "q")
        await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
        assert "Leave before everything is done?" in screen_text(pilot)
        assert "Stopping is at 0 of 60 channels; 52 would be left" in screen_text(pilot)
        await pilot.press("n")
        await until(pilot, lambda: not isinstance(console.screen, ConfirmScreen))
        await pilot.press("q")
        await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
        await pilot.press("y")
    assert console.return_value == "60 channels stay on air."


async def test_keys_typed_ahead_of_the_question_order_nothing() -> None:
    client = SlowClient(regional(60), answers=None)
    console = console_of(client)
    async with console.run_test() as pilot:
        await settled(pilot)
        await burst(pilot, "asterisk", "s", "x", "d", "r")
        await until(pilot, lambda: isinstance(console.screen, ConfirmScreen))
        assert "Start 60 channels?" in screen_text(pilot)
        await pilot.press("enter")
        assert not client.ordered("start") + client.ordered("stop") + client.ordered("delete")


async def test_ranges_are_marked_from_the_last_mark_and_deleted_channels_lose_theirs() -> None:
    client = SlowClient(regional(40), answers=None)
    console = console_of(client)
    rack = console.rack
    async with console.run_test(size=(100, 30)) as pilot:
        await settled(pilot)
        await pilot.press("down", "space", *["down"] * 5, "ctrl+@")
        assert rack.marks == set(range(2, 9))
        assert "✓ 7 marked" in screen_text(pilot)
        await pilot.press("home", "shift+down", "shift+down")
        assert rack.marks == set(range(1, 9))
        await pilot.press("B", "N", "slash", *"31", "enter")
        assert rack.marks == set(range(1, 9)), "they survive sorting and filtering"
        assert "✓ 8 marked, 8 of them hidden by the filter" in screen_text(pilot)
        await pilot.press("slash", "backspace", "backspace", "enter")
        client.say(removed=(2, 3))
        await until(pilot, lambda: rack.marks == {1, 4, 5, 6, 7, 8})
        await pilot.press("v")
        assert rack.marks == set(range(9, 41))


async def test_a_group_for_many_is_asked_once_and_completes_those_there_are() -> None:
    client = SlowClient(regional(60), answers=None)
    client.failing[7] = Conflict("Regional 007 was changed by anna a moment ago", "look at it, then try again")
    console = console_of(client)
    async with console.run_test(size=(100, 30), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("asterisk", "m")
        await until(pilot, lambda: isinstance(console.screen, GroupScreen))
        assert "Group of 60 channels" in screen_text(pilot)
        assert "News 20   Regional 20   Sport 20" in screen_text(pilot)
        await pilot.press(*"17", "enter")
        await until(pilot, lambda: "'17' could be taken for a channel's id" in screen_text(pilot))
        assert "add a letter" in screen_text(pilot)
        await pilot.press("backspace", "backspace", *"spo")
        await until(pilot, lambda: console.focused._suggestion == "Sport")  # type: ignore[union-attr]
        await pilot.press("tab", "enter")
        await until(pilot, lambda: "Moved to Sport: 59 of 60 channels, 1 failed" in screen_text(pilot))
        assert "Move to Sport: 60 channels" in screen_text(pilot)
        assert "Regional 007 was changed by anna" in screen_text(pilot)
        assert {spec["group"] for _, spec, _ in client.ordered("change")} == {"Sport"}
        await pilot.press("escape", "escape", "home", "m")
        await until(pilot, lambda: isinstance(console.screen, GroupScreen))
        await pilot.press("escape")
        console.set_group(console.rack.targets(), "Late")
        await until(pilot, lambda: "Moved to Late: Regional 001" in screen_text(pilot))
        console.set_group(list(console.rack.channels.values()), "-x")
        await until(pilot, lambda: "There can be no such group" in screen_text(pilot))
        await pilot.press("escape")
        console.set_group(list(console.rack.channels.values()), "Late")
        await until(pilot, lambda: "Move 60 channels to Late?" in screen_text(pilot))


async def test_for_a_few_there_is_no_dialog() -> None:
    client = SlowClient(regional(60), answers=None)
    console = console_of(client)
    async with console.run_test(size=(100, 30), notifications=True) as pilot:
        await settled(pilot)
        await pilot.press("space", "space", "space", "s")
        await until(pilot, lambda: "Started: Regional 001, Regional 002, Regional 003" in screen_text(pilot))
        client.failing[2] = HostFault("no FFmpeg", "install it")
        await pilot.press("s")
        await until(pilot, lambda: isinstance(console.screen, FaultScreen))
        assert "Could not start" in screen_text(pilot)


@pytest.mark.parametrize(
    "name", ["[bold red]x[/] [@click=app.quit]y[/] [", "\x1b]0;owned\x07\x9b31mone\r\ntwo", "東" * 3000, "A" * 10_000]
)
async def test_names_and_reasons_are_only_text_and_all_of_it_can_be_drawn_in_ascii(name: str) -> None:
    rows = [view(number, f"{name}{number}", group=name) for number in range(1, 7)]
    client = SlowClient(rows, answers=None)
    client.failing = {number: HostFault(name, name, name) for number in (2, 3)}
    console = ConsoleApp(lambda: client, clock=Clock(), ascii_only=name.isascii())
    async with console.run_test(size=(80, 24)) as pilot:
        screen = await ordered(pilot, "d")
        await until(pilot, lambda: screen.bulk.is_over and "2 failed" in screen_text(pilot))
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", screen_text(pilot))
        assert ("[bold red]x[/]" in screen_text(pilot)) is name.startswith("[bold")
        if name == "A" * 10_000:
            drawn = "".join(screen_lines(pilot))
            assert drawn.isascii(), sorted(set(filter(lambda character: not character.isascii(), drawn)))
        await pilot.press("pagedown", "escape", "m")
        await until(pilot, lambda: isinstance(console.screen, GroupScreen))
        assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", screen_text(pilot))


# Pictures

Prepare = Callable[[Pilot[str]], Awaitable[None]]


@pytest.fixture
def picture(snap_compare: Callable[..., bool], size: tuple[int, int]) -> Callable[[SlowClient, Clock, Prepare], bool]:
    def compare(client: SlowClient, clock: Clock, prepare: Prepare) -> bool:
        app: App[str] = console_of(client, clock)
        return snap_compare(app, terminal_size=size, run_before=prepare)

    return compare


async def answered(pilot: Pilot[str], client: SlowClient, clock: Clock, count: int) -> None:
    """So many orders are answered, in 16 s."""
    screen = await ordered(pilot)
    clock.seconds += 16
    client.answer(count)
    await until(pilot, lambda: screen.bulk.total - screen.bulk.left == count)
    screen.show()


@SIZES
@pytest.mark.parametrize("count", [98, 137], ids=["running", "with_failures"])
def test_progress(picture: Callable[[SlowClient, Clock, Prepare], bool], count: int) -> None:
    client, clock = SlowClient(regional(137, stopped=25)), Clock()
    failing(client)
    assert picture(client, clock, lambda pilot: answered(pilot, client, clock, count))


@SIZES
def test_progress_done(picture: Callable[[SlowClient, Clock, Prepare], bool]) -> None:
    client, clock = SlowClient(regional(137, stopped=25)), Clock()
    assert picture(client, clock, lambda pilot: answered(pilot, client, clock, 137))


@pytest.mark.parametrize("size", [(80, 24)], ids=["80x24"])
def test_dialog_of_groups(picture: Callable[[SlowClient, Clock, Prepare], bool]) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("asterisk", "m")
        await until(pilot, lambda: isinstance(pilot.app.screen, GroupScreen))
        await pilot.press(*"reg")
        await until(pilot, lambda: pilot.app.focused._suggestion == "Regional")  # type: ignore[union-attr]

    assert picture(SlowClient(regional(60)), Clock(), prepare)
