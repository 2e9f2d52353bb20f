"""Pictures of the console, each looked at before it was accepted. A difference means: look again.

They are written anew with ``pytest tests/console/test_console_pictures.py --snapshot-update``.
"""

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta

import pytest
from pilots import screen_lines, settled, until
from rack_fixtures import NOW, Clock, FakeClient, line_up, spec, unwell, view
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.screens.fault import FaultScreen
from transcoder_tui.console.screens.form import FormScreen
from transcoder_tui.console.screens.help import HelpScreen
from transcoder_tui.console.screens.source import SourceScreen
from transcoder_tui.console.widgets.command_preview import CommandPreview
from transcoder_tui.console.widgets.form_section import FormSection
from transcoder_tui.errors import HostFault, NoSuchChannel
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import Status

Compare = Callable[..., bool]
Prepare = Callable[[Pilot[str]], Awaitable[None]]

SIZES = pytest.mark.parametrize("size", [(80, 24), (160, 45)], ids=["80x24", "160x45"])


@pytest.fixture
def picture(snap_compare: Compare, size: tuple[int, int]) -> Callable[[FakeClient, Prepare], bool]:
    """Compares a picture of the console, on a worker and after some keys, with the accepted one."""

    def compare(client: FakeClient, prepare: Prepare) -> bool:
        app: App[str] = ConsoleApp(lambda: client, clock=Clock())
        return snap_compare(app, terminal_size=size, run_before=prepare)

    return compare


async def shown(pilot: Pilot[str], screen: type[object]) -> None:
    await until(pilot, lambda: isinstance(pilot.app.screen, screen) and pilot.app.screen.is_running)


async def form(pilot: Pilot[str], key: str) -> FormScreen:
    await pilot.press(key)
    await shown(pilot, FormScreen)
    await until(pilot, lambda: pilot.app.focused is not None)
    screen = pilot.app.screen
    assert isinstance(screen, FormScreen)
    if screen.query_one(CommandPreview).display:
        # It comes at its own time, and has pictures of its own.
        await pilot.press("f5")
    return screen


@SIZES
def test_empty(picture: Callable[[FakeClient, Prepare], bool]) -> None:
    assert picture(FakeClient([]), settled)


@SIZES
def test_running_line_up(picture: Callable[[FakeClient, Prepare], bool]) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("down", "space")
        await settled(pilot)
        await pilot.press("up")
        await until(pilot, lambda: pilot.app.screen.query_one("#log").lines)  # type: ignore[attr-defined]

    more = [view(number, f"Regional {number}") for number in range(6, 14)]
    assert picture(FakeClient([*line_up(), *more]), prepare)


@SIZES
def test_fault(picture: Callable[[FakeClient, Prepare], bool]) -> None:
    assert picture(FakeClient(), settled)


def rack_that_is_not_well() -> FakeClient:
    """Alarms of every sort, channels that are tried again, and a worker whose database is on a full disk."""
    lost = unwell(
        7,
        "Regional East",
        Health.INPUT_LOST,
        Health.ON_BACKUP,
        message="nothing has arrived from udp://239.1.1.7:5000 for 5 s",
        remedy="check the source, its route and the interface it comes in by",
        sources=3,
        source_index=1,
        pinned=True,
        gap_s=6.4,
        limits="nice 5, CPUs 2-3, memory 2 GB",
    )
    lost.alarms[0].message, lost.alarms[0].remedy = lost.message, lost.remedy
    lost.telemetry.fps, lost.telemetry.speed, lost.telemetry.bitrate = 0.0, 0.0, 0
    given_up = view(
        8,
        "Regional West",
        Status.ERROR,
        source="srt://198.51.100.21:9000",
        attempt=5,
        next_retry_at=NOW + timedelta(seconds=58),
        message="no data from srt://198.51.100.21:9000 for 15 s",
        remedy="check that the encoder at 198.51.100.21 sends, and the firewall between",
    )
    others = [
        unwell(6, "Regional North", Health.TOO_SLOW),
        unwell(9, "Regional South", Health.OUTPUT_BLOCKED),
        view(10, "Shopping", Status.QUEUED, message="waits for its turn: others are starting"),
        view(11, "Talk", Status.PENDING),
    ]
    client = FakeClient([*line_up(), lost, given_up, *others])
    client.worker.database = (
        "the disk is full: nothing can be written to /var/lib/transcoder-tui/transcoder.db; free some space on the "
        "disk of /var/lib/transcoder-tui; orders are accepted again as soon as there is room"
    )
    client.worker.unsaved_events = 12
    return client


@SIZES
def test_alarms(picture: Callable[[FakeClient, Prepare], bool]) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("S")
        while "Regional East" not in next(line for line in screen_lines(pilot) if line.startswith("▌")):
            await pilot.press("down")
        await until(pilot, lambda: pilot.app.screen.query_one("#log").lines)  # type: ignore[attr-defined]

    assert picture(rack_that_is_not_well(), prepare)


@SIZES
def test_choice_of_a_source(picture: Callable[[FakeClient, Prepare], bool]) -> None:
    client = FakeClient([view(1, "News HD", sources=3, source_index=1, source="udp://239.1.1.2:5000")])
    urls = ("udp://239.1.1.1:5000", "udp://239.1.1.2:5000")
    sources = [{"url": url, "interface": "eth1"} for url in urls]
    sources.append({"url": "srt://198.51.100.20:9000?passphrase=verysecret"})
    client.documents[1].spec = spec("News HD", 1, sources=sources)

    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("o")
        await shown(pilot, SourceScreen)
        await pilot.press("down")

    assert picture(client, prepare)


@SIZES
def test_dialog_of_faults(picture: Callable[[FakeClient, Prepare], bool]) -> None:
    client = FakeClient()
    client.refusals.extend(
        [
            HostFault("there is no interface eth9", "choose one of eth1, eth2, lo", "outputs[0].interface"),
            NoSuchChannel("no channel has the id 1", "somebody deleted it meanwhile"),
        ]
    )

    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("space", "space", "s")
        await shown(pilot, FaultScreen)
        await asyncio.sleep(0)

    assert picture(client, prepare)


@SIZES
def test_form(picture: Callable[[FakeClient, Prepare], bool]) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await form(pilot, "e")

    assert picture(FakeClient(), prepare)


@SIZES
def test_form_with_errors(picture: Callable[[FakeClient, Prepare], bool]) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        screen = await form(pilot, "e")
        for section in screen.query(FormSection):
            for path, wrong in {
                ("priority",): "120",
                ("video", "bitrate"): "5000 potatoes",
                ("video", "size"): "1921x1080",
                ("muxrate",): "3000k",
            }.items():
                if path in section.fields:
                    section.fields[path].query_one(Input).value = wrong
        await pilot.press("ctrl+s")
        await until(pilot, lambda: len(screen.query(".-faulty")) >= 3)

    assert picture(FakeClient(), prepare)


@SIZES
def test_help(picture: Callable[[FakeClient, Prepare], bool]) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("question_mark")
        await shown(pilot, HelpScreen)

    assert picture(FakeClient(), prepare)


@pytest.mark.parametrize("size", [(120, 40)], ids=["120x40"])
@pytest.mark.parametrize("theme", ["day", "clear", "ansi-dark"])
def test_other_themes(picture: Callable[[FakeClient, Prepare], bool], theme: str) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        pilot.app.theme = theme
        await pilot.press("down", "space", "S")
        await until(pilot, lambda: pilot.app.screen.query_one("#log").lines)  # type: ignore[attr-defined]

    assert picture(rack_that_is_not_well(), prepare)
