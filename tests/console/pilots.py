"""What tests do with a running console: wait until something holds, and read what is on the screen."""

import asyncio
import time
from collections.abc import Callable

from textual import events
from textual.pilot import Pilot

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.widgets.log_pane import LogPane

PATIENCE_S = 20.0


ROUNDS = 2
"""Times that messages may bring about further messages: key to action to widget to heading."""


async def quiet(pilot: Pilot[str]) -> None:
    """Waits until every widget has worked off its messages, and those that came of them, and has been drawn."""
    for _ in range(ROUNDS):
        await pilot._wait_for_screen()
    if pilot.app.is_running:
        pilot.app.screen._on_timer_update()


async def burst(pilot: Pilot[str], *keys: str) -> None:
    """Keys that arrive all at once, as over a slow line."""
    driver = pilot.app._driver
    assert driver is not None
    for key in keys:
        driver.send_message(events.Key(key, "/" if key == "slash" else key if len(key) == 1 else None))
    await quiet(pilot)


async def until(pilot: Pilot[str], check: Callable[[], object], what: str = "") -> None:
    """Waits for something to become true; fails with a picture of the screen in words."""
    deadline = time.monotonic() + PATIENCE_S
    while not check():
        if time.monotonic() > deadline:
            raise AssertionError(f"never came true: {what}\n{screen_text(pilot)}")
        await quiet(pilot)
        await asyncio.sleep(0.005)
    await quiet(pilot)


async def settled(pilot: Pilot[str]) -> None:
    """Waits for the first snapshot and for the log of the channel under the cursor."""
    app = pilot.app
    assert isinstance(app, ConsoleApp)
    await until(pilot, lambda: app.rack.worker is not None, "connected")
    if app.rack.channels:
        await until(pilot, lambda: app.screen_stack[0].query_one(LogPane).lines, "log shown")


def screen_lines(pilot: Pilot[str]) -> list[str]:
    """The characters on the screen, line by line, as the terminal gets them."""
    return ["".join(segment.text for segment in strip) for strip in pilot.app.screen._compositor.render_strips()]


def screen_text(pilot: Pilot[str]) -> str:
    """The characters on the screen."""
    return "\n".join(screen_lines(pilot))
