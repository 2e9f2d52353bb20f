"""A console on a worker of the test's own, in a terminal whose abilities do not depend on where the tests run."""

from collections.abc import Callable
from pathlib import Path

import pytest
from pilots import quiet, worked_off
from rack_fixtures import Clock, FakeClient
from textual.pilot import Pilot

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.models.view import ChannelView


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal with all colours."""
    monkeypatch.setenv("TERM", "xterm-256color")
    monkeypatch.setenv("COLORTERM", "truecolor")
    monkeypatch.delenv("NO_COLOR", raising=False)


@pytest.fixture(autouse=True)
def home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Directories of the test's own, where a console looks for the user's."""
    for name in ("CONFIG", "STATE"):
        monkeypatch.setenv(f"XDG_{name}_HOME", str(tmp_path / f"user-{name.lower()}"))


@pytest.fixture(autouse=True)
def sure_pilot(monkeypatch: pytest.MonkeyPatch) -> None:
    """A pilot that waits until every widget has worked off its messages.

    Textual's own looks at the process's CPU time, which on a busy machine takes a starved process for an idle one.
    """
    monkeypatch.setattr("textual._wait.SLEEP_GRANULARITY", 0.001)
    monkeypatch.setattr("textual._wait.SLEEP_IDLE", 1.0)
    monkeypatch.setattr(Pilot, "_wait_for_screen", worked_off)
    press = Pilot.press

    async def press_and_wait(pilot: Pilot[str], *keys: str) -> None:
        for key in keys:
            await press(pilot, key)
            await quiet(pilot)

    monkeypatch.setattr(Pilot, "press", press_and_wait)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def client() -> FakeClient:
    """A worker with five channels in five states."""
    return FakeClient()


@pytest.fixture
def console(client: FakeClient, clock: Clock) -> ConsoleApp:
    return ConsoleApp(lambda: client, clock=clock, waits=(0.05,))


@pytest.fixture
def console_on(clock: Clock) -> Callable[[list[ChannelView]], ConsoleApp]:
    """Makes a console on channels of the test's choice."""
    return lambda channels: ConsoleApp(lambda: FakeClient(channels), clock=clock, waits=(0.05,))
