"""The console in a real terminal: it starts, leaves with its words, and ends with the terminal."""

import os
import re
import signal
from collections.abc import Iterator

import pytest
from terminals import Terminal

from transcoder_tui.console.ascii import needs_ascii
from transcoder_tui.console.hangup import STATUS


@pytest.fixture(params=[False, True], ids=["SIGHUP as usual", "SIGHUP ignored by the parent"])
def terminal_with_console(request: pytest.FixtureRequest) -> Iterator[Terminal]:
    with Terminal(ignore_hangup=request.param) as terminal:
        terminal.read_until(b"News HD")
        yield terminal


def test_it_ends_when_its_terminal_goes_away(terminal_with_console: Terminal) -> None:
    terminal_with_console.close()
    assert terminal_with_console.wait() == STATUS


def test_it_leaves_in_good_order_on_sighup(terminal_with_console: Terminal) -> None:
    os.kill(terminal_with_console.pid, signal.SIGHUP)
    assert terminal_with_console.wait() == 0
    assert b"SAID: 2 channels stay on air." in terminal_with_console.output


@pytest.mark.parametrize(
    ("keys", "shown"),
    [(b"jx", b"Cancel"), (b"+", b"New channel"), (b":", b"mark !ok")],
    ids=["dialog", "form", "command line"],
)
def test_it_ends_with_its_terminal_whatever_is_open(keys: bytes, shown: bytes) -> None:
    with Terminal(size=(120, 40)) as hung_up, Terminal(size=(120, 40), ignore_hangup=True) as gone:
        for terminal in (hung_up, gone):
            terminal.read_until(b"News HD")
            terminal.write(keys)
            terminal.read_until(shown)
        gone.close()
        os.kill(hung_up.pid, signal.SIGHUP)
        assert gone.wait() == STATUS
        assert hung_up.wait() == 0
        assert b"SAID: 2 channels stay on air." in hung_up.output


def test_it_leaves_on_q_and_says_what_stays_on_air(terminal_with_console: Terminal) -> None:
    terminal_with_console.write(b"q")
    assert terminal_with_console.wait() == 0
    assert b"SAID: 2 channels stay on air." in terminal_with_console.output


def test_it_restores_the_terminal_when_it_is_asked_to_end() -> None:
    with Terminal() as terminal:
        terminal.read_until(b"News HD")
        os.kill(terminal.pid, signal.SIGTERM)
        assert terminal.wait() == 0
        assert terminal.output.index(b"\x1b[?1049l") < terminal.output.index(b"SAID: ")


ESCAPES = re.compile(rb"\x1b(\[[0-9;?<>=$]*[a-zA-Z]|\][^\x07]*\x07)")


@pytest.mark.parametrize(
    "environment",
    [{"TERM": "linux"}, {"TERM": "vt100"}, {"LANG": "C", "LC_ALL": "", "LC_CTYPE": ""}, {"LC_ALL": "de_DE.ISO-8859-1"}],
    ids=["Linux console", "VT100", "no locale", "Latin 1"],
)
def test_it_draws_with_ascii_where_the_terminal_has_little_else(environment: dict[str, str]) -> None:
    with Terminal(**environment) as terminal:
        terminal.read_until(b"News HD")
        terminal.write(b"q")
        assert terminal.wait() == 0
        assert b"* on air" in terminal.output
        assert ESCAPES.sub(b"", terminal.output).isascii()


def test_it_uses_the_glyphs_of_a_terminal_that_has_them() -> None:
    for environment in (
        {},
        {"LANG": "en_GB.UTF-8"},
        {"LANG": "C", "LC_CTYPE": "en_US.UTF-8"},
        {"LC_CTYPE": "C.UTF-8"},
        {"LANG": "C", "LC_ALL": "C.utf8", "TERM": "xterm"},
    ):
        assert not needs_ascii(environment)


def test_it_refuses_a_terminal_that_prints_lines_only() -> None:
    with Terminal(TERM="dumb") as terminal:
        assert terminal.wait() == 1
        assert b"can only print lines" in terminal.output
        assert b"\x1b" not in terminal.output
