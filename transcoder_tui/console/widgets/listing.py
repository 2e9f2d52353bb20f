"""Lines of a dialog with a sign, a name and words, which go on below each other where there is not enough room."""

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content
from textual.geometry import Size
from textual.widget import Widget

from transcoder_tui.console.widgets.cells import fit

WIDEST = 30
"""Cells that names take at most, a third of the line where it is short."""


@dataclass(frozen=True, slots=True)
class Line:
    """One entry."""

    sign: str
    """A character at the left, which says what sort of line it is; a blank where it is of none."""
    tone: str
    """Colour of the sign, as Textual's styles have it."""
    name: str
    """What it is about."""
    words: Content


class Listing(Widget):
    """Shows lines below each other, their words in one column.

    Args:
        lines: What is shown.
    """

    def __init__(self, lines: Sequence[Line], id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._lines = lines

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as it takes at this width."""
        return len(self._laid_out(width))

    def render(self) -> Content:
        """The lines."""
        return Content("\n").join(self._laid_out(self.size.width))

    def _laid_out(self, width: int) -> list[Content]:
        widest = max((Content(line.name).cell_length for line in self._lines), default=0)
        column = min(widest, WIDEST, max(10, width // 3))
        room = max(10, width - column - 5)
        return [part for line in self._lines for part in _wrapped(line, column, room)]


def _wrapped(line: Line, column: int, room: int) -> list[Content]:
    first, *more = line.words.wrap(room) or [Content("")]
    head = Content.assemble((f" {line.sign} ", line.tone), (fit(line.name, column), "$foreground 80%"), "  ")
    return [head + first, *(Content(" " * (column + 5)) + part for part in more)]
