"""The screen of the settings."""

from collections.abc import Callable

import pytest
from pilots import screen_text, settled, until
from rack_fixtures import Clock, FakeClient
from textual.pilot import Pilot

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.theme import NAMES
from transcoder_tui.errors import NoWorker

SIZES = pytest.mark.parametrize("size", [(80, 24), (120, 40), (200, 50)], ids=["80x24", "120x40", "200x50"])


async def opened(pilot: Pilot[str]) -> None:
    await settled(pilot)
    await pilot.press("6")
    await until(pilot, lambda: "retry.attempts" in screen_text(pilot))


async def test_a_setting_says_where_it_comes_from_what_it_means_and_how_to_change_it(console: ConsoleApp) -> None:
    async with console.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        text = screen_text(pilot)
        assert "2 not as by default" in text
        line = next(line for line in text.splitlines() if "retry.attempts" in line)
        assert line.split() == ["retry.attempts", "9", "environment", "TRANSCODER_RETRY__ATTEMPTS"]
        await pilot.press("G", "k")
        text = screen_text(pilot)
        assert "Failures in a row after which a channel is given up. The default is 5." in text
        assert (
            "Set it by TRANSCODER_RETRY__ATTEMPTS or in the settings file, then: transcoder-tui worker reload" in text
        )
        await pilot.press("enter")
        assert screen_text(pilot) == text, "the worker's settings are not changed here"
        await pilot.press("escape")
        assert console.view.VIEW == "channels"


async def test_the_consoles_own_settings_change_at_once(console: ConsoleApp) -> None:
    async with console.run_test(size=(120, 40)) as pilot:
        await opened(pilot)
        seen = []
        for _ in NAMES:
            seen.append(console.theme)
            await pilot.press("enter")
        assert sorted(seen) == sorted(NAMES)
        await pilot.press("j", "space")
        assert console.preferences.bell is False
        assert "bell" in next(line for line in screen_text(pilot).splitlines() if " off " in line)
        await pilot.press("space")
        assert console.preferences.bell is True


async def test_without_a_worker_the_consoles_own_are_there(console: ConsoleApp, client: FakeClient) -> None:
    async with console.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        client.refusals.append(NoWorker("no worker answers", "start one"))
        await pilot.press("6")
        await until(pilot, lambda: "The worker does not answer" in screen_text(pilot))
        assert "theme" in screen_text(pilot)
        client.say()
        await until(pilot, lambda: "retry.attempts" in screen_text(pilot))


@SIZES
def test_settings(snap_compare: Callable[..., bool], size: tuple[int, int]) -> None:
    async def prepare(pilot: Pilot[str]) -> None:
        await opened(pilot)
        await pilot.press("G", "k")

    client = FakeClient()
    assert snap_compare(ConsoleApp(lambda: client, clock=Clock()), terminal_size=size, run_before=prepare)
