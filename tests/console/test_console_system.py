"""An operator looks at what the machine has left."""

import pytest
from machine_fixtures import at_work, group, machine
from pilots import screen_lines, screen_text, settled, until
from rack_fixtures import FakeClient, sample, view
from textual.pilot import Pilot

from transcoder_tui.console import machine_lines
from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.machine_lines import Part
from transcoder_tui.console.screens.channel import ChannelScreen
from transcoder_tui.console.screens.help import HelpScreen
from transcoder_tui.console.screens.system import SystemScreen
from transcoder_tui.console.widgets.machine_part import MachinePart
from transcoder_tui.models.machine import Machine
from transcoder_tui.models.view import Telemetry


def texts(part: Part) -> list[str]:
    return ["".join(text for text, _ in row.parts) for row in part.rows]


class TestCores:
    @pytest.mark.parametrize("count", [1, 2, 8, 64, 96, 256, 512])
    @pytest.mark.parametrize(("width", "height"), [(80, 20), (200, 12), (120, 3)])
    def test_every_core_is_seen_where_there_is_any_room_for_it(self, count: int, width: int, height: int) -> None:
        part = machine_lines.cores(machine(count), width, height)
        lines = texts(part)
        assert all(len(line) <= width for line in lines)
        assert len(lines) <= max(height, 1 + count // (width - 16))
        drawn = "".join(lines)
        assert drawn.count("%") in (0, count)
        if "%" not in drawn:
            assert sum(drawn.count(block) for block in machine_lines.BLOCKS) == count

    def test_a_core_that_is_full_is_told_in_words(self) -> None:
        assert machine_lines.cores(machine(8), 80, 20).fault == "▲ 1 core full"
        busy = machine(2).model_copy(update={"cores": [99.0, 100.0]})
        assert machine_lines.cores(busy, 80, 20).fault == "▲ all cores full"
        idle = machine(2).model_copy(update={"cores": [1.0, 2.0]})
        assert machine_lines.cores(idle, 80, 20).fault == ""


def test_disks_tell_what_of_ours_lies_there_and_which_hangs() -> None:
    part = machine_lines.memory(machine(), 80, 20)
    said = "\n".join(texts(part))
    assert "r 117K/s w 3.2M/s  database, logs, run directory on /dev/nvme0n1p2" in said
    assert "212G free of 468G" in said
    assert "/media     ✖ hangs" in said
    assert part.fault == "▲ /media hangs"
    assert "Swap" not in "\n".join(texts(machine_lines.memory(without_swap(), 80, 20)))


def without_swap() -> Machine:
    found = machine()
    found.memory.swap_total = found.memory.swap_used = 0
    return found


def test_interfaces_tell_rates_losses_and_how_full_the_link_is() -> None:
    part = machine_lines.network(machine(), [sample(second) for second in range(60)], 80, 20)
    lines = texts(part)
    eth1 = next(place for place, line in enumerate(lines) if line.startswith(" eth1"))
    assert "↓ 43.1M" in lines[eth1]
    assert " 4%" in lines[eth1]
    assert "4100 p/s" in lines[eth1 + 1]
    assert "12 drops 0 err" in lines[eth1 + 1]
    assert "1 Gb/s  10.0.1.7  mtu 1500  2 groups" in lines[eth1 + 2]
    assert "– drops – err" in "\n".join(lines), "not watched for a minute yet"  # noqa: RUF001
    assert lines[-1].startswith(" ifb0     ✖ down")
    assert part.fault == "▲ eth1 loses packets"
    assert part.note == "in 43.1Mb/s, out 65.3Mb/s"


def test_groups_of_ours_stand_first_and_one_that_nobody_joined_is_told() -> None:
    part = machine_lines.groups(machine(foreign=3), 80, 20)
    assert [row.key for row in part.rows][:4] == [
        "eth1 239.1.0.1",
        "eth1 239.1.0.2",
        "eth2 239.2.1.1",
        "eth2 239.2.1.2",
    ]
    assert part.fault == "▲ 1 not joined"
    assert part.note == "7 groups, 4 ours"
    assert "▲ 0  Sport ABR" in texts(part)[1]
    assert part.rows[2].channel == "News HD"
    found = machine()
    found.nics[1].groups = [group(1, address="ff3e:30:2001:db8::8000:1", readers=["Ω" * 90])]
    assert all(len(text) <= 80 for text in texts(machine_lines.groups(found, 80, 20)))


def test_ffmpegs_are_sorted_by_their_cost_and_unknown_ones_last() -> None:
    rows = [
        view(1, "a", telemetry=Telemetry(cpu_percent=10, speed=1.0)),
        view(2, "b", telemetry=Telemetry(cpu_percent=300, speed=0.9)),
        view(3, "c", telemetry=Telemetry()),
        view(4, "off air", pid=None),
    ]

    def order(sort: str, *, reverse: bool) -> list[str]:
        return [row.channel for row in machine_lines.ffmpegs(rows, sort, reverse=reverse, width=80).rows]

    assert order("cpu", reverse=True) == ["b", "a", "c"]
    assert order("cpu", reverse=False) == ["a", "b", "c"]
    assert order("speed", reverse=False) == ["b", "a", "c"]
    assert machine_lines.ffmpegs(rows, "cpu", reverse=True, width=80).note == "3 run, 3.1 cores, 0B"


@pytest.mark.parametrize("width", [1, 20, 40, 80, 100, 200])
def test_parts_never_grow_beyond_their_width(width: int) -> None:
    found = machine(foreign=2)
    for part in (
        machine_lines.network(found, [sample()], width, 20),
        machine_lines.groups(found, width, 20),
        machine_lines.memory(found, width, 20),
        machine_lines.ffmpegs(at_work(), "cpu", reverse=True, width=width),
    ):
        if width >= 80:
            assert all(len(text) <= width for text in texts(part))


@pytest.fixture
def client() -> FakeClient:
    client = FakeClient(at_work(40))
    client.computer = machine(foreign=300)
    return client


async def opened(pilot: Pilot[str]) -> SystemScreen:
    await settled(pilot)
    await pilot.press("4")
    await until(pilot, lambda: isinstance(pilot.app.screen, SystemScreen) and pilot.app.screen.is_running)
    screen = pilot.app.screen
    assert isinstance(screen, SystemScreen)
    await until(pilot, lambda: screen.is_known)
    return screen


def part(screen: SystemScreen, title: str) -> MachinePart:
    return screen.query_one(f"#part-{title}", MachinePart)


async def test_a_small_terminal_goes_from_part_to_part(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test() as pilot:
        screen = await opened(pilot)
        assert [shown.title for shown in screen.query(MachinePart) if shown.display] == ["FFmpeg"]
        await pilot.press("tab")
        await until(pilot, lambda: "eth1" in screen_text(pilot))
        await until(pilot, lambda: "▲ eth1 loses packets" in screen_text(pilot))
        await pilot.press("right", "G")
        await until(pilot, lambda: "239.1.1.59" in screen_text(pilot))  # the last of 304 groups
        await pilot.press("g", "down")
        current = part(screen, "multicast").current
        assert current and current.key == "eth1 239.1.0.2"
        await pilot.press("tab")
        await until(pilot, lambda: "▲ 1 core full" in screen_text(pilot))
        await pilot.press("tab", "tab", "left")
        await until(pilot, lambda: "RAM" in screen_text(pilot))
        await pilot.press("shift+tab")
        await until(pilot, lambda: "▲ 1 core full" in screen_text(pilot))


async def test_enter_opens_the_channel_of_a_process_and_of_a_group(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test(notifications=True) as pilot:
        screen = await opened(pilot)
        current = part(screen, "ffmpeg").current
        assert current and current.channel == "Sport ABR", "the dearest first"
        await pilot.press("N", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChannelScreen))
        assert console.rack.current and console.rack.current.name == "News HD"
        screen = await reopened(pilot)
        await pilot.press("right", "right", "down", "enter")
        await until(pilot, lambda: isinstance(pilot.app.screen, ChannelScreen))
        assert console.rack.current.name == "Sport ABR"
        screen = await reopened(pilot)
        await pilot.press("right", "right", "G", "enter")
        await until(pilot, lambda: "No channel is chosen." in screen_text(pilot))


async def reopened(pilot: Pilot[str]) -> SystemScreen:
    await pilot.press("4")
    screen = pilot.app.screen
    assert isinstance(screen, SystemScreen)
    await until(pilot, lambda: screen.is_known)
    return screen


async def test_the_cursor_stays_on_its_process_while_the_order_changes(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test() as pilot:
        screen = await opened(pilot)
        ffmpegs = part(screen, "ffmpeg")
        await pilot.press("down")
        assert ffmpegs.current
        chosen = ffmpegs.current.channel
        row = next(row for row in client.views.values() if row.name == chosen).model_copy(deep=True)
        row.telemetry.cpu_percent = 1.0
        client.say(row)
        await until(pilot, lambda: "    1%" in screen_text(pilot))
        assert ffmpegs.current.channel == chosen
        await pilot.press("C")
        assert "CPU↑" in screen_text(pilot)
        assert ffmpegs.current.channel == chosen


async def test_the_machine_is_asked_once_a_second_and_only_while_it_is_shown(
    console: ConsoleApp, client: FakeClient
) -> None:
    def asked() -> int:
        return sum(kind == "machine" for kind, _ in client.asked)

    async with console.run_test() as pilot:
        await settled(pilot)
        client.say()
        await until(pilot, lambda: console.rack.at == client.at)
        assert asked() == 0
        await opened(pilot)
        assert asked() == 1
        client.say()
        await until(pilot, lambda: asked() == 2)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))
        client.say()
        await until(pilot, lambda: console.rack.at == client.at)
        assert asked() == 2
        await pilot.press("escape")
        client.say()
        await until(pilot, lambda: asked() == 3)


async def test_a_tall_terminal_shows_all_parts_and_one_of_them_whole(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test(size=(200, 50)) as pilot:
        screen = await opened(pilot)
        assert all(shown.display for shown in screen.query(MachinePart))
        assert {"Cores", "FFmpeg", "Multicast", "Network", "Memory"} <= set(screen_text(pilot).split())
        await pilot.press("tab", "tab", "l")
        assert [shown.title for shown in screen.query(MachinePart) if shown.display] == ["Multicast"]
        assert "of 304" in screen_text(pilot)
        await pilot.press("escape")
        assert all(shown.display for shown in screen.query(MachinePart))
        await pilot.resize_terminal(80, 24)
        await until(
            pilot, lambda: [shown.title for shown in screen.query(MachinePart) if shown.display] == ["Multicast"]
        )
        await pilot.press("escape")
        assert not isinstance(pilot.app.screen, SystemScreen)


async def test_what_is_known_is_greyed_while_the_worker_is_away(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test(size=(120, 40)) as pilot:
        screen = await opened(pilot)
        client.vanish()
        await until(pilot, lambda: part(screen, "network").stale)
        assert "eth1" in screen_text(pilot)
        client.return_()
        await until(pilot, lambda: not part(screen, "network").stale)


async def test_until_the_machine_is_told_each_part_says_why(console: ConsoleApp, client: FakeClient) -> None:
    client.computer = None
    async with console.run_test() as pilot:
        await settled(pilot)
        await pilot.press("4", "tab")
        await until(pilot, lambda: "no worker answers" in screen_text(pilot))
        assert not any("eth1" in line for line in screen_lines(pilot))
