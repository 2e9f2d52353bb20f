"""How the lines of a log lie on the rows of the screen: one row each, or as many as a wrapped line needs. Pure."""

from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

from rich.cells import cell_len, chop_cells

from transcoder_tui.console.log_line import read_line


class Rows:
    """The rows of some lines.

    Args:
        lines: As they are kept.
        width: Cells of a row where long lines are wrapped; None gives each line one row.
        times: Whether lines are drawn with their times.
    """

    def __init__(self, lines: Sequence[str], width: int | None, *, times: bool) -> None:
        self._lines = lines
        self._width = width
        self._times = times
        self._starts: list[int] | None = None
        if width is not None:
            self._starts = list(accumulate(map(self._height, lines), initial=0))

    def __len__(self) -> int:
        return self._starts[-1] if self._starts else len(self._lines)

    def at(self, row: int) -> tuple[int, int]:
        """The line that is on a row, and which of its rows this is."""
        if self._starts is None:
            return row, 0
        line = bisect_right(self._starts, row) - 1
        return line, row - self._starts[line]

    def of(self, line: int) -> int:
        """The first row of a line; of one behind the last, the row behind the last."""
        if self._starts is None:
            return line
        return self._starts[max(0, min(line, len(self._lines)))]

    def _height(self, line: str) -> int:
        if self._width is None:
            return 1
        if len(line) <= self._width and line.isascii():
            return 1
        return len(wrapped(read_line(line).shown(times=self._times), self._width))


def wrapped(text: str, width: int) -> list[str]:
    """A text in rows of ``width`` cells, cut wherever they are full: logs have few blanks where it matters."""
    if width <= 0:
        return [text]
    if text.isascii():
        return [text[at : at + width] for at in range(0, len(text), width)] or [""]
    return chop_cells(text, width) if cell_len(text) > width else [text]
