"""The console in a real terminal: it starts, leaves with its words, and ends with the terminal."""

import fcntl
import os
import pty
import select
import signal
import struct
import sys
import termios
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from transcoder_tui.console.hangup import STATUS

PATIENCE_S = 30.0

PROGRAM = """
import sys
sys.path.insert(0, {here!r})
from transcoder_tui.console.app import run_console
def connect():
    from rack_fixtures import FakeClient
    return FakeClient()
print("SAID: " + run_console(connect))
"""


class Terminal:
    """A console in a pseudo-terminal."""

    def __init__(self, *, ignore_hangup: bool) -> None:
        program = PROGRAM.format(here=str(Path(__file__).parent))
        self.pid, self._fd = pty.fork()
        if self.pid == 0:
            if ignore_hangup:
                signal.signal(signal.SIGHUP, signal.SIG_IGN)
            os.execv(sys.executable, [sys.executable, "-c", program])
        fcntl.ioctl(self._fd, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 80, 0, 0))
        self.output = b""
        self.status: int | None = None
        self._open = True

    def read_until(self, words: bytes) -> None:
        deadline = time.monotonic() + PATIENCE_S
        while words not in self.output:
            assert time.monotonic() < deadline, self.output[-2000:]
            if select.select([self._fd], [], [], 0.1)[0]:
                try:
                    self.output += os.read(self._fd, 65536)
                except OSError:
                    break
        assert words in self.output, self.output[-2000:]

    def write(self, keys: bytes) -> None:
        os.write(self._fd, keys)

    def close(self) -> None:
        if self._open:
            os.close(self._fd)
            self._open = False

    def wait(self) -> int:
        deadline = time.monotonic() + PATIENCE_S
        while self.status is None:
            assert time.monotonic() < deadline, "still running"
            if self._open and select.select([self._fd], [], [], 0)[0]:
                try:
                    self.output += os.read(self._fd, 65536)
                except OSError:
                    self.close()
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                self.status = os.waitstatus_to_exitcode(status)
            time.sleep(0.01)
        return self.status

    def end(self) -> None:
        if self.status is None:
            os.kill(self.pid, signal.SIGKILL)
            os.waitpid(self.pid, 0)
        self.close()


@pytest.fixture(params=[False, True], ids=["SIGHUP as usual", "SIGHUP ignored by the parent"])
def terminal_with_console(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    terminal = Terminal(ignore_hangup=request.param)
    terminal.read_until(b"News HD")
    yield terminal
    terminal.end()


def test_it_ends_when_its_terminal_goes_away(terminal_with_console: Terminal) -> None:
    terminal_with_console.close()
    assert terminal_with_console.wait() == STATUS


def test_it_leaves_in_good_order_on_sighup(terminal_with_console: Terminal) -> None:
    os.kill(terminal_with_console.pid, signal.SIGHUP)
    assert terminal_with_console.wait() == 0
    assert b"SAID: 2 channels stay on air." in terminal_with_console.output


def test_it_leaves_on_q_and_says_what_stays_on_air(terminal_with_console: Terminal) -> None:
    terminal_with_console.write(b"q")
    assert terminal_with_console.wait() == 0
    assert b"SAID: 2 channels stay on air." in terminal_with_console.output
