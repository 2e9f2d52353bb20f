"""Pictures of what is typed: filter and command line. Each was looked at before it was accepted.

They are written anew with ``pytest tests/console/test_console_typed_pictures.py --snapshot-update``.
"""

from collections.abc import Callable

import pytest
from pilots import settled, until
from rack_fixtures import Clock, FakeClient, line_up, view
from textual.pilot import Pilot

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.screens.help import HelpScreen
from transcoder_tui.console.widgets.filter_field import FilterField

Compare = Callable[..., bool]

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=["80x24", "120x40", "200x50"])


def console() -> ConsoleApp:
    more = [view(number, f"Regional {number}") for number in range(6, 14)]
    client = FakeClient([*line_up(), *more])
    return ConsoleApp(lambda: client, clock=Clock())


@SIZES
def test_filter_that_is_wrong(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("slash", *"status:on air")
        pilot.app.screen.query_one(FilterField).entry.value = "status:on air cpu>fast"
        await settled(pilot)
        await pilot.press("end")

    assert snap_compare(console(), terminal_size=size, run_before=prepare)


@SIZES
def test_command_that_is_completed(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("colon", *"start reg", "tab", "tab")

    assert snap_compare(console(), terminal_size=size, run_before=prepare)


@pytest.mark.parametrize("size", [(80, 24)], ids=["80x24"])
def test_command_line_without_anything_in_it(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("colon")

    assert snap_compare(console(), terminal_size=size, run_before=prepare)


@SIZES
def test_help(snap_compare: Compare, size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await settled(pilot)
        await pilot.press("question_mark")
        await until(pilot, lambda: isinstance(pilot.app.screen, HelpScreen))

    assert snap_compare(console(), terminal_size=size, run_before=prepare)
