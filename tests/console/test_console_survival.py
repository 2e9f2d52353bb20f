"""What a terminal does to a console, and what the console makes of it: stalls, storms of sizes, garbage."""

import os
import random
import signal
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from pilots import screen_lines, settled, until
from rich.cells import cell_len
from terminals import JOURNAL, Terminal, comes_true
from textual.events import Key, Paste
from textual.geometry import Region
from textual.message import Message

from transcoder_tui.console.app import ConsoleApp
from transcoder_tui.console.hangup import STATUS
from transcoder_tui.console.typed import LONGEST, Typed
from transcoder_tui.console.widgets.title_bar import TitleBar

ESC_S = 1.0
"""After so long an ESC is a key by itself, also on a machine that has its hands full."""


@pytest.fixture
def journal(tmp_path: Path) -> Path:
    path = tmp_path / "journal"
    path.touch()
    return path


@pytest.fixture
def busy(journal: Path) -> Iterator[Terminal]:
    with Terminal("BusyClient", **{JOURNAL: str(journal)}) as terminal:
        terminal.read_until(b"Tick")
        yield terminal


@pytest.fixture
def calm(journal: Path) -> Iterator[Terminal]:
    with Terminal("CalmClient", **{JOURNAL: str(journal)}, COLUMNS="80", LINES="24") as terminal:
        terminal.read_until(b"Tick")
        yield terminal


def ticks(journal: Path) -> int:
    return journal.read_text().count("tick")


def test_a_stalled_link_holds_up_the_picture_and_nothing_else(busy: Terminal, journal: Path) -> None:
    before = busy.memory
    seen = ticks(journal)
    comes_true(lambda: ticks(journal) > seen + 100)  # more frames than terminal, buffers and queue can hold
    busy.type_blindly(b"s")
    comes_true(lambda: "start" in journal.read_text())
    seen = ticks(journal)
    comes_true(lambda: ticks(journal) > seen + 100)
    assert busy.memory < before + 10_000_000
    busy.forget()
    busy.read_until(b"Weather")  # whose row has not changed since the beginning: all is drawn anew
    busy.read_until(f"Tick {seen // 100:04}".encode()[:-1])
    busy.write(b"q")
    assert busy.wait() == 0
    assert b"SAID: " in busy.output


def test_a_stalled_link_does_not_keep_it_from_ending(busy: Terminal, journal: Path) -> None:
    seen = ticks(journal)
    comes_true(lambda: ticks(journal) > seen + 100)
    os.kill(busy.pid, signal.SIGHUP)
    assert busy.wait(reading=False) == STATUS


def test_it_bears_a_storm_of_sizes(calm: Terminal) -> None:
    rng = random.Random(5)
    for _ in range(200):
        calm.resize(rng.randint(1, 300), rng.randint(1, 100))
        calm.read()
    calm.resize(1, 1)
    calm.read_until(b"Tick")
    calm.forget()
    calm.resize(100, 30)
    calm.read_until(b"Weather")
    calm.write(b"q")
    assert calm.wait() == 0


async def test_a_console_that_is_held_up_still_takes_a_new_size(
    console: ConsoleApp, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = count()
    async with console.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        monkeypatch.setattr("textual._time.get_time", lambda: next(looks) * 0.02)  # between two looks at the clock
        await pilot.resize_terminal(100, 30)
        await until(pilot, lambda: fits(screen_lines(console), (100, 30)))


async def test_a_part_that_has_just_left_is_drawn_blank(console: ConsoleApp) -> None:
    async with console.run_test(size=(80, 24)) as pilot:
        await settled(pilot)
        title = console.screen.query_one(TitleBar)
        await title.remove()
        (strip,) = title.render_lines(Region(0, 0, 20, 1))
        assert strip.text == " " * 20


def test_pasted_garbage_is_no_order(busy: Terminal, journal: Path) -> None:
    garbage = bytes(random.Random(7).choices(range(256), k=100_000)).replace(b"\x1b[201~", b"")
    for field in (b"", b"/", b":", b"l/"):
        busy.write(field)
        busy.forget()
        busy.write(b"\x1b[200~" + garbage + b"\x1b[201~")
        busy.write(b"\x1b\x1b")
        busy.read_for(ESC_S)
        busy.forget()
        busy.write(b"\x0c")
        busy.read_until(b"Tick")
    busy.write(b"\x1b\x1b+")
    busy.read_until(b"New channel")
    busy.write(b"\x1b[200~" + garbage + b"\x1b[201~")
    busy.forget()
    busy.write(b"\x1b")
    busy.read_until(b"Cancel")
    os.kill(busy.pid, signal.SIGTERM)
    assert busy.wait() == 0
    assert "start" not in journal.read_text()


def read(octets: bytes, at_once: int) -> list[Message]:
    typed = Typed()
    parts = (octets[start : start + at_once] for start in range(0, len(octets), at_once))
    return [event for part in parts for event in typed.feed(part)]


@pytest.mark.parametrize("at_once", [1, 2, 3, 5, 7, 4096])
def test_nothing_within_a_paste_is_a_key_however_it_arrives(at_once: int) -> None:
    pasted = "x\x1bx\x1b\x1bd" + "y" * 40 + "\x1b[A\x1b[200~\x00\x9b\u202e é\r\nz"
    events = read(b"a\x1b[200~" + pasted.encode() + b"\x1b[201~b\x1b[B", at_once)
    keys = [event.key for event in events if isinstance(event, Key)]
    (paste,) = (event.text for event in events if isinstance(event, Paste))
    assert keys == ["a", "b", "down"]
    assert paste.endswith("\ufffd\ufffd é\nz")
    assert all(letter.isprintable() or letter == "\n" for letter in paste)


def test_noise_is_read_over() -> None:
    noise = (b"\xff\xfe\xc3", b"\x1b[99999999999u", b"\x1b[1114112;2u", b"\x1b[<0;0;0M")
    for part in noise:
        events = read(part + b"q", 1)
        assert isinstance(events[-1], Key)
        assert events[-1].key == "q", part


def test_an_endless_paste_takes_no_memory() -> None:
    typed = Typed()
    assert not list(typed.feed(b"\x1b[200~"))
    for _ in range(1000):
        assert not list(typed.feed(b"x" * 4096))
    (paste, key) = typed.feed(b"\x1b[201~q")
    assert isinstance(paste, Paste)
    assert paste.text == "x" * LONGEST
    assert isinstance(key, Key)


def fits(lines: list[str], size: tuple[int, int]) -> bool:
    """Whether a screen has the size of its terminal."""
    return len(lines) <= size[1] and {cell_len(line) for line in lines} <= {size[0]}


@pytest.mark.parametrize("size", [(1, 1), (20, 5), (40, 10)], ids=["1x1", "20x5", "40x10"])
async def test_everything_opens_in_a_terminal_of_any_size(console: ConsoleApp, size: tuple[int, int]) -> None:
    async with console.run_test(size=size) as pilot:
        await settled(pilot)
        for keys in (
            *("1", "2", "2 tab tab l escape", "3", "4", "4 tab l escape", "5", "6", "question_mark pagedown escape"),
            *("1 l pagedown escape", "slash s p escape", "colon t h tab escape", "down x escape", "y escape"),
            *("plus down down f6 f9 escape", "escape", "y", "E escape", "I escape", "p escape", "m escape"),
        ):
            for key in keys.split():
                await pilot.press(key)
            await pilot.resize_terminal(size[1], size[0])
            await pilot.resize_terminal(*size)
            await until(pilot, lambda: fits(screen_lines(pilot), size), keys)
