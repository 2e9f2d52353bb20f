"""How many keys an operator's tasks take, as README.md says."""

import re
from pathlib import Path

import pytest
from form_fixtures import Keeper, did
from pilots import quiet, screen_text, settled, until
from rack_fixtures import Clock, alarm, view
from textual.pilot import Pilot

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status

README = Path(__file__).parents[2] / "README.md"
NAMES = {
    "space": "space",
    "↓": "down",
    "PgDn": "pagedown",
    "F6": "f6",
    "^s": "ctrl+s",
    "end": "end",
    "bksp": "backspace",
}


def task(name: str) -> list[str]:
    """The keys of a task in README.md, as Textual names them."""
    row = re.search(rf"^\| {name} \| `([^`]+)` \| (\d+) \|$", README.read_text(encoding="utf-8"), re.MULTILINE)
    assert row is not None, name
    keys: list[str] = []
    for word in row[1].split():
        times = re.fullmatch(r"(\S+)×(\d+)", word)  # noqa: RUF001 - as it is printed
        keys += [times[1]] * int(times[2]) if times else [word]
    assert len(keys) == int(row[2])
    return [NAMES.get(key, key) for key in keys]


async def did_task(pilot: Pilot[str], name: str) -> None:
    await settled(pilot)
    for key in task(name):
        await pilot.press(key)
        for _ in range(3):
            await quiet(pilot)


@pytest.fixture
def keeper() -> Keeper:
    stopped = [view(number, f"Channel {number}", Status.STOPPED) for number in (2, 3, 4)]
    lost = view(5, "Sport", Status.RETRYING, message="nothing arrives from udp://239.1.1.5:5000")
    lost.alarms = [alarm(Health.INPUT_LOST, lost.message, "look at the encoder")]
    return Keeper([view(1, "A News"), *stopped, lost])


@pytest.fixture
def console(keeper: Keeper) -> ConsoleApp:
    return ConsoleApp(lambda: keeper, clock=Clock())


async def test_three_channels_are_started(console: ConsoleApp, keeper: Keeper) -> None:
    async with console.run_test(size=(120, 40)) as pilot:
        await settled(pilot)
        await pilot.press("down")
        await did_task(pilot, "start three channels")
        await until(pilot, lambda: did(keeper, "start") == [2, 3, 4])


async def test_it_is_found_why_one_is_off_air(console: ConsoleApp) -> None:
    async with console.run_test(size=(120, 40)) as pilot:
        await did_task(pilot, "see why one is off air")
        assert console.rack.cursor == 5
        assert screen_text(pilot).count("nothing arrives from udp://239.1.1.5:5000") >= 2


async def test_a_rung_is_added_to_a_ladder(console: ConsoleApp, keeper: Keeper) -> None:
    async with console.run_test(size=(120, 40)) as pilot:
        await did_task(pilot, "add a rung to its ladder")
        await until(pilot, lambda: did(keeper, "change"))
        ((channel, document, _),) = did(keeper, "change")
        assert channel == 1
        assert [rung["name"] for rung in document["renditions"]] == ["1080p", "720p"]


async def test_a_channel_moves_to_another_multicast(console: ConsoleApp, keeper: Keeper) -> None:
    async with console.run_test(size=(120, 40)) as pilot:
        await did_task(pilot, "send it to another multicast group")
        await until(pilot, lambda: did(keeper, "change"))
        ((_, document, _),) = did(keeper, "change")
        assert document["outputs"][0]["url"] == "udp://239.2.1.1:5009"
