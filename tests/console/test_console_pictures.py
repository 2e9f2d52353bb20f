"""Pictures of the console, each looked at before it was accepted. A difference means: look again.

They are written anew with ``pytest tests/console/test_console_pictures.py --snapshot-update``.
"""

import asyncio
from collections.abc import Awaitable, Callable

import pytest
from pilots import settled, until
from rack_fixtures import Clock, FakeClient, line_up, view
from textual.app import App
from textual.pilot import Pilot
from textual.widgets import Input

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.screens.fault import FaultScreen
from transcoder_tui.console.screens.form import FormScreen
from transcoder_tui.console.screens.help import HelpScreen
from transcoder_tui.console.widgets.form_section import FormSection
from transcoder_tui.errors import HostFault, NoSuchChannel

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
    assert isinstance(pilot.app.screen, FormScreen)
    return pilot.app.screen


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
