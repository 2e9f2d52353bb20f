"""What is wrong with the channel under the cursor, what would help, and what comes next."""

from datetime import datetime
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.strip import Strip

from transcoder_tui.client.outlook import outlook
from transcoder_tui.console import format as written
from transcoder_tui.console.alarms import seen_by
from transcoder_tui.console.status import mark_of
from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import Painted

if TYPE_CHECKING:
    from transcoder_tui.models.view import ChannelView

MOST_LINES = 3
"""Fault, remedy, what comes next."""

Texts = tuple[str, str, str]
"""What stands on one line: the fault, its remedy, and at the right what comes next; each may be empty."""


def arranged(fault: str, remedy: str, coming: str, width: int, lines: int) -> list[Texts]:
    """Shares texts out over as few lines as hold them, without cutting one that a further line would hold.

    Args:
        fault: What is wrong.
        remedy: What would help.
        coming: What comes next.
        width: Cells of a line.
        lines: How many there may be.
    """

    def fits(*texts: str) -> bool:
        return sum(cell_len(text) + 2 for text in texts if text) <= width

    indented = f"   {remedy}" if remedy else ""
    if lines == 1 or fits(fault, remedy, coming):
        return [(fault, f"  {remedy}" if remedy else "", coming)]
    if fits(fault, coming):
        return [(fault, "", coming), ("", indented, "")]
    if lines == 2 or not remedy or fits(indented, coming):
        return [(fault, "", ""), ("", indented, coming)]
    return [(fault, "", ""), ("", indented, ""), ("", "", coming)]


class FaultLine(Painted):
    """One line, or more where they do not fit one; none where nothing is wrong."""

    PREFIX = "fault-line"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "fault-line--remedy",
        "fault-line--coming",
        *(f"fault-line--{tone}" for tone in ("good", "busy", "warn", "bad", "muted", "plain")),
    }

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._row: ChannelView | None = None
        self._now: datetime | None = None
        self._lines = 1

    def show(self, row: "ChannelView | None", now: datetime | None) -> None:
        """Draws a channel's fault.

        Args:
            row: The channel under the cursor.
            now: The worker's clock, for the wait until the next retry.
        """
        before = self._said
        self._row, self._now = row, now
        if self._said != before:
            self.refresh()

    @property
    def _said(self) -> tuple[Texts, str] | None:
        """What is said of the channel, and the name of its style."""
        return (self._texts(self._row), mark_of(self._row).tone) if self._row is not None else None

    def wanted(self, width: int) -> int:
        """Lines that it needs in ``width`` cells; none where nothing is wrong."""
        row = self._row
        if row is None or not (row.message or row.remedy or outlook(row, self._now)):
            return 0
        return len(arranged(*self._texts(row), width, MOST_LINES))

    def allow(self, lines: int) -> None:
        """Takes as many lines as there are for it; none hides it."""
        self._lines = lines
        self.display = lines > 0
        self.styles.height = max(1, lines)

    def _texts(self, row: "ChannelView") -> Texts:
        more = len(row.alarms) - 1
        others = f"+{written.plural(more, 'alarm')} (i)" if more > 0 and row.status == "running" else ""
        who = f"✓ seen by {who}" if (who := seen_by(row)) else ""
        return f" {mark_of(row).glyph} {row.message}", row.remedy, outlook(row, self._now) or who or others

    def render_line(self, y: int) -> Strip:
        """The fault, its remedy and what comes next."""
        width, base = self.size.width, self.base
        texts = arranged(*self._texts(self._row), width, self._lines) if self._row is not None else []
        if self._row is None or y >= len(texts):
            return Strip.blank(width, base)
        fault, remedy, coming = texts[y]
        coming = f" {coming} " if coming else ""
        room = max(0, width - cell_len(coming))
        first = min(cell_len(fault), room)
        parts = [
            (fit(fault, first), self.tone(mark_of(self._row).tone)),
            (fit(remedy, room - first), self.tone("remedy")),
            (coming, self.tone("coming")),
        ]
        return line(parts, width, base)
