"""What is sent to the terminal: the cells that differ, and what the terminal makes of them."""

import random
import shutil
import sys
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

import pytest
from rich.console import Console
from rich.segment import Segment
from rich.style import Style
from terminals import PROGRAM
from textual._compositor import LayoutUpdate
from textual.geometry import Region
from textual.strip import Strip
from tmux import Tmux

from transcoder_tui.console.canvas import Canvas

STYLES = [Style.parse(words) for words in ("red on black", "bold white on black", "white on black")]
WIDE = "東"
UNSURE = "e\u0301"
REST_S = 0.5
"""Time after which a screen that did not change is as it will stay."""


@pytest.fixture
def colours() -> Console:
    return Console(color_system="truecolor", force_terminal=True)


def update(y: int, *texts: tuple[str, Style], x: int = 0) -> LayoutUpdate:
    """A line of the screen, or a part of it."""
    strip = Strip([Segment(text, style) for text, style in texts])
    return LayoutUpdate([[strip]], Region(x, y, strip.cell_length, 1))


def test_what_the_terminal_shows_already_is_not_sent_again(colours: Console) -> None:
    canvas = Canvas()
    plain = STYLES[2]
    assert "Weather" in canvas.paint(update(3, ("Weather  25.0 fps", plain)), colours)
    assert canvas.paint(update(3, ("Weather  25.0 fps", plain)), colours) == ""
    sent = canvas.paint(update(3, ("Weather  25.3 fps", plain)), colours)
    assert sent.startswith("\x1b[4;13H")
    assert "3" in sent
    assert "Weather" not in sent
    assert canvas.paint(update(3, ("Weather", STYLES[1]), ("  25.3 fps", plain)), colours).count("Weather") == 1


def test_a_colour_is_told_once_for_all_that_have_it(colours: Console) -> None:
    canvas = Canvas()
    canvas.paint(update(0, ("1 a long text 1 a long text 1", STYLES[0])), colours)
    sent = canvas.paint(update(0, ("2 a long text 2 a long text 2", STYLES[0])), colours)
    assert sent == "\x1b[1;1H\x1b[31;40m2\x1b[1;15H2\x1b[1;29H2\x1b[0m"


def test_what_is_forgotten_is_sent_anew(colours: Console) -> None:
    canvas = Canvas()
    first = canvas.paint(update(0, ("News", STYLES[0])), colours)
    canvas.forget()
    assert canvas.paint(update(0, ("News", STYLES[0])), colours) == first


@pytest.mark.parametrize("odd", [WIDE, UNSURE, "\u0639", "😀"])
def test_a_line_whose_cells_nobody_can_be_sure_of_is_sent_whole(colours: Console, odd: str) -> None:
    canvas = Canvas()
    canvas.paint(update(0, (f"{odd} News 25.0", STYLES[0])), colours)
    assert f"{odd} News 25.1" in canvas.paint(update(0, (f"{odd} News 25.1", STYLES[0])), colours)
    assert "x News 25.1" in canvas.paint(update(0, ("x News 25.1" + " " * 2, STYLES[0])), colours)
    assert len(canvas.paint(update(0, ("x News 25.2", STYLES[0])), colours)) < 60


class Screen:
    """What a terminal makes of movements and texts."""

    def __init__(self) -> None:
        self.cells: dict[tuple[int, int], tuple[str, str]] = {}

    def take(self, sent: str) -> None:
        x = y = 0
        pen = ""
        rest = sent
        while rest:
            if not rest.startswith("\x1b["):
                self.cells[x, y] = (rest[0], pen)
                x, rest = x + 1, rest[1:]
                continue
            end = next(at for at, letter in enumerate(rest) if letter.isalpha())
            if rest[end] == "H":
                y, x = (int(number) - 1 for number in rest[2:end].split(";"))
            else:
                pen = "" if rest[2:end] == "0" else rest[2:end]
            rest = rest[end + 1 :]


def test_whatever_is_painted_the_terminal_shows_it(colours: Console) -> None:
    rng = random.Random(11)
    canvas, screen, whole = Canvas(), Screen(), Screen()
    for _ in range(2000):
        text = [(rng.choice("ab "), rng.choice(STYLES)) for _ in range(rng.randint(1, 12))]
        joined = [("".join(letter for letter, _ in run), style) for style, run in groupby(text, lambda part: part[1])]
        painted = update(rng.randrange(4), *((words, style) for words, style in joined), x=rng.randrange(20))
        whole.take(painted.render_segments(colours))
        screen.take(canvas.paint(painted, colours))
        assert screen.cells == whole.cells


@pytest.fixture
def tmux(tmp_path: Path) -> Iterator[Tmux]:
    """A terminal with a console on a worker that says nothing after the beginning."""
    if shutil.which("tmux") is None:
        pytest.skip("needs tmux")
    program = tmp_path / "console.py"
    program.write_text(PROGRAM.format(here=str(Path(__file__).parent), client="FakeClient"))
    tmux = Tmux(tmp_path, f"{sys.executable} {program}")
    yield tmux
    tmux.end()


def test_a_terminal_shows_the_same_when_all_is_drawn_anew(tmux: Tmux) -> None:
    ways = (
        ((), r"Weather(.*\n)* Log .*following"),
        (("Down", "Down", "Space", "Space"), "2 marked"),
        (("S",), "Status↑"),
        (("l",), r"INFO(.*\n){30}"),
        (("l", "?"), "Keys and commands"),
        (("Escape",), r"INFO(.*\n){20}"),
        (("2",), "Overview|Outputs"),
        (("1", "4"), "Memory"),
        (("1", ":", "t", "h"), "theme"),
        (("Escape",), "Status↑"),
        (("/", "n", "e"), "match"),
        (("Escape",), "Status↑"),
        (("x",), "Stop"),
        (("Escape",), "Status↑"),
        (("+",), "New channel"),
        (("Down", "Down", "PageDown"), "New channel"),
    )
    for keys, words in ways:
        if keys:
            tmux.keys(*keys)
        tmux.shows(words)
        shown = tmux.rests(REST_S)
        tmux.keys("C-l")
        assert tmux.rests(REST_S) == shown, keys
    for columns, lines in ((80, 24), (100, 30), (120, 40)):
        tmux.resize(columns, lines)
        shown = tmux.rests(REST_S)
        tmux.keys("C-l")
        assert tmux.rests(REST_S) == shown, columns
