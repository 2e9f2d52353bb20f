"""Events and the machine can be read in every theme, also when they are out of date (WCAG 2.2, 1.4.3 and 1.4.11)."""

import pytest
from machine_fixtures import at_work, machine, seasoned
from pilots import settled, until
from rack_fixtures import Clock, FakeClient
from test_console_contrast import hard_to_read

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.screens.system import SystemScreen
from transcoder_tui.console.theme import THEMES
from transcoder_tui.console.widgets.event_list import EventList
from transcoder_tui.console.widgets.machine_part import MachinePart


def busy() -> FakeClient:
    client = FakeClient(at_work())
    client.computer = machine(foreign=20)
    return client


@pytest.mark.parametrize("theme", THEMES)
async def test_events_and_the_machine_can_be_read(theme: str) -> None:
    for client, keys, part in ((seasoned(), "3kkkk", EventList), (busy(), "4jjj", MachinePart)):
        app = ConsoleApp(lambda client=client: client, clock=Clock(), waits=(0.05,))  # type: ignore[misc]
        async with app.run_test(size=(200, 50)) as pilot:
            app.theme = theme
            await settled(pilot)
            await pilot.press(*keys)
            screen = app.screen
            if isinstance(screen, SystemScreen):
                await until(pilot, lambda screen=screen: screen.is_known)  # type: ignore[misc]
            assert set(hard_to_read(pilot)) == set()
            client.vanish()
            await until(pilot, lambda app=app, part=part: app.screen.query(part).first().stale)  # type: ignore[misc]
            assert set(hard_to_read(pilot)) == set()
