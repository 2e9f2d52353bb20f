import fcntl
import os
import pty
import struct
import subprocess
import sys
import termios

import pytest
from cli_rack import Rack

from transcoder_tui.models.job import Status


def on_terminal(columns: int, *arguments: str) -> str:
    """What a command shows on a terminal of this width."""
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("4H", 24, columns, 0, 0))
    environment = {name: value for name, value in os.environ.items() if name not in ("COLUMNS", "LINES")}
    command = [sys.executable, "-m", "transcoder_tui", *arguments]
    with subprocess.Popen(command, stdin=theirs, stdout=theirs, stderr=theirs, env=environment):
        os.close(theirs)
        shown = b""
        while True:
            try:
                shown += os.read(ours, 65536)
            except OSError:
                break
    os.close(ours)
    return shown.decode()


@pytest.fixture(autouse=True)
def terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    """A terminal that can show colour."""
    monkeypatch.setenv("TERM", "xterm-256color")


def test_a_terminal_gets_colour_and_no_line_beyond_its_edge(rack: Rack) -> None:
    rack.add("News HD", Status.ERROR, message="nothing arrives " * 20)

    shown = on_terminal(120, "channels")

    assert "\x1b[1;31m✖ error\x1b[0m" in shown
    assert "…" in shown
    plain = shown.replace("\x1b[1;31m", "").replace("\x1b[2m", "").replace("\x1b[0m", "")
    assert max(len(line) for line in plain.splitlines()) <= 120


@pytest.mark.parametrize("setting", [("NO_COLOR", "1"), ("TERM", "dumb")])
def test_colour_can_be_forbidden(rack: Rack, monkeypatch: pytest.MonkeyPatch, setting: tuple[str, str]) -> None:
    rack.add("News HD", Status.ERROR)
    monkeypatch.setenv(*setting)

    shown = on_terminal(120, "channels")

    assert "✖ error" in shown
    assert "\x1b" not in shown
