"""What the terminal shows, cell by cell: only cells that differ are sent, because over a slow link bytes are time.

Textual sends whole lines of a widget with all their colours, whatever changed in them: 1,000 channels that changed each
second were 13 kB/s, of which a tenth differed from what the terminal showed already.
"""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import chain, repeat
from operator import eq
from typing import NamedTuple

from rich.cells import cell_len
from rich.color import ColorSystem
from rich.console import Console, ConsoleRenderable
from rich.segment import ControlType, Segment
from rich.style import Style
from textual._compositor import CompositorUpdate
from textual.strip import Strip

NEAR = 4
"""Cells between two changes that are sent again, because a movement of the cursor takes as many bytes."""

_SURE = frozenset(
    map(chr, (*range(0x20, 0x300), *range(0x2010, 0x2028), *range(0x2030, 0x2060), *range(0x2070, 0x2E80)))
)
"""Characters that every terminal gives one cell: Latin letters, punctuation, arrows, lines, blocks. Others combine or
join, or are given more or fewer cells; what stands behind one in a line may be anywhere."""


class Pen(NamedTuple):
    """A style as the terminal is told of it."""

    begin: str
    end: str


_PLAIN = Pen("", "")
Cell = tuple[str, Pen]
"""A character, empty in the second cell of a wide one, and its style."""
Line = list[Cell | None]
"""None is not known."""


@lru_cache(maxsize=1024)
def _pen(style: Style, color_system: ColorSystem) -> Pen:
    begin, _, end = Strip.render_style(style, "\0", color_system).partition("\0")
    return Pen(begin, end)


@lru_cache(maxsize=4096)
def _cells(text: str, style: Style | None, color_system: ColorSystem) -> tuple[Cell, ...]:
    """A text in its cells; most texts are the same as a second before."""
    pen = _pen(style, color_system) if style else _PLAIN
    if text.isascii() or _SURE.issuperset(text):
        return tuple((character, pen) for character in text)
    cells: list[Cell] = []
    for character in text:
        if width := cell_len(character):
            cells += [(character, pen), *repeat(("", pen), width - 1)]
        elif cells:
            cells[-1] = (cells[-1][0] + character, pen)
    return tuple(cells)


class Canvas:
    """What the terminal shows."""

    def __init__(self) -> None:
        self._lines: dict[int, Line] = {}

    def forget(self) -> None:
        """Knows nothing any more: something else wrote to the terminal, or what was to be sent did not go out."""
        self._lines.clear()

    def paint(self, update: ConsoleRenderable, console: Console) -> str:
        """Takes an update over; returns what makes the terminal show it.

        Args:
            update: Lines of the screen, or parts of them.
            console: Whose colours the terminal can show.
        """
        painted: dict[int, Line] = {}
        colors = console._color_system or ColorSystem.TRUECOLOR
        x = y = 0
        for segment in update.__rich_console__(console, console.options):
            assert isinstance(segment, Segment)
            if segment.control:
                x, y = next(_movements(segment), (x, y))
            elif segment.text != "\n":
                line = painted.get(y)
                if line is None:
                    line = painted[y] = list(self._lines.get(y, ()))
                cells = _cells(segment.text, segment.style, colors)
                line += repeat(None, x - len(line))
                line[x : x + len(cells)] = cells
                x += len(cells)
        parts = [part for y, line in painted.items() for part in _difference(y, self._lines.get(y, []), line)]
        self._lines |= painted
        return "".join(_joined(parts))


class Difference(CompositorUpdate):
    """An update that sends what differs from what the terminal shows.

    Args:
        update: The whole of it.
        canvas: What the terminal shows.
    """

    def __init__(self, update: ConsoleRenderable, canvas: Canvas) -> None:
        self._update = update
        self._canvas = canvas

    def render_segments(self, console: Console) -> str:
        """What is sent to the terminal."""
        return self._canvas.paint(self._update, console)


def _movements(segment: Segment) -> Iterator[tuple[int, int]]:
    for kind, *place in segment.control or ():
        if kind is ControlType.CURSOR_MOVE_TO:
            x, y = map(int, place)
            yield x, y


def _difference(y: int, before: Line, after: Line) -> Iterator[tuple[int, int, list[Cell]]]:
    """The parts of a line that have to be sent: line, column and cells."""
    if before == after:
        return
    if _is_unsure(before) or _is_unsure(after):
        before = []
    same = map(eq, after, chain(before, repeat(None)))
    start = end = 0
    for x in (x for x, is_same in enumerate(same) if not is_same):
        if end == 0 or x - end > NEAR or None in after[end:x]:
            if end:
                yield y, start, [cell for cell in after[start:end] if cell]
            start = x
        end = x + 1
    if end:
        yield y, start, [cell for cell in after[start:end] if cell]


def _is_unsure(line: Line) -> bool:
    text = "".join([cell[0] for cell in line if cell])
    return not (text.isascii() or _SURE.issuperset(text))


def _joined(parts: Iterable[tuple[int, int, list[Cell]]]) -> Iterator[str]:
    """Movements and texts; a colour is told again only where it changes."""
    pen = _PLAIN
    for y, x, cells in parts:
        yield f"\x1b[{y + 1};{x + 1}H"
        for character, its in cells:
            if its is not pen:
                yield pen.end
                yield its.begin
                pen = its
            yield character
    yield pen.end
