"""What tests do with a running console: wait until something holds, and read what is on the screen."""

import asyncio
import time
from collections.abc import Callable

from textual import events
from textual.message_pump import MessagePump
from textual.pilot import Pilot

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.widgets.log_pane import LogPane

PATIENCE_S = 60.0
CALM_TURNS = 3
"""Turns of the event loop in a row in which nobody has anything to do: what a handler began by then, shows."""
BUSY_TURNS = 50
"""Turns after which somebody waits for something outside."""


async def worked_off(pilot: Pilot[str]) -> bool:
    """Waits until no widget of the screen has a message left, or works on one.

    Stands in for Textual's own, which sends a message to every widget and waits until all were read: with a form on the
    screen that is most of what a test costs.

    Returns:
        False where the app failed.
    """
    app = pilot.app
    last: MessagePump = app
    calm = turns = 0
    deadline = time.monotonic() + PATIENCE_S
    while calm < CALM_TURNS and app.is_running:
        assert time.monotonic() < deadline, f"{last} is still at work"
        await asyncio.sleep(0 if turns < BUSY_TURNS else 0.001)
        if app._exception_event.is_set():
            return False
        if not _is_busy(last):
            pumps = (app, *app.screen.walk_children(with_self=True)) if app.screen_stack else (app,)
            last = next(filter(_is_busy, pumps), app)
        turns += 1
        calm = 0 if _is_busy(last) else calm + 1
    return True


def _is_busy(pump: MessagePump) -> bool:
    if not pump._running:
        return pump._task is not None
    arrived: asyncio.Event = pump._message_queue.ready_event
    return arrived.is_set() or not arrived._waiters


async def quiet(pilot: Pilot[str]) -> None:
    """Waits until every widget has worked off its messages, and has been drawn."""
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
