"""What is wrong with the channel under the cursor, what would help, and when it is tried again."""

from datetime import datetime, timedelta
from math import ceil
from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from textual.strip import Strip

from transcoder_tui.console.status import mark_of
from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import Painted

if TYPE_CHECKING:
    from transcoder_tui.models.view import ChannelView


def retry_text(row: "ChannelView", now: datetime | None) -> str:
    """``next retry in 12 s (3 of 5)`` while a channel waits for one, else nothing."""
    if row.status != "retrying" or row.next_retry_at is None or now is None:
        return ""
    seconds = max(0, ceil((row.next_retry_at - now) / timedelta(seconds=1)))
    when = f"in {seconds} s" if seconds else "now"
    return f"next retry {when} ({row.attempt} of {row.max_attempts})"


class FaultLine(Painted):
    """One line, or two where message and remedy do not fit one; none where nothing is wrong."""

    PREFIX = "fault-line"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "fault-line--remedy",
        "fault-line--retry",
        *(f"fault-line--{tone}" for tone in ("good", "busy", "warn", "bad", "muted", "plain")),
    }

    def __init__(self, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._row: ChannelView | None = None
        self._now: datetime | None = None
        self._two = False

    def show(self, row: "ChannelView | None", now: datetime | None) -> None:
        """Draws a channel's fault.

        Args:
            row: The channel under the cursor.
            now: The worker's clock, for the wait until the next retry.
        """
        self._row, self._now = row, now
        self.refresh()

    def wanted(self, width: int) -> int:
        """Lines that it needs in ``width`` cells; none where nothing is wrong."""
        row = self._row
        if row is None or not (row.message or row.remedy or retry_text(row, self._now)):
            return 0
        head, remedy, retry = self._texts()
        needed = cell_len(head) + cell_len(remedy) + cell_len(retry) + 4
        return 2 if remedy and needed > width else 1

    def allow(self, lines: int) -> None:
        """Takes as many lines as there are for it; none hides it."""
        self._two = lines > 1
        self.display = lines > 0
        self.styles.height = max(1, lines)

    def _texts(self) -> tuple[str, str, str]:
        if self._row is None:
            return "", "", ""
        return f" {mark_of(self._row).glyph} {self._row.message}", self._row.remedy, retry_text(self._row, self._now)

    def render_line(self, y: int) -> Strip:
        """The fault, its remedy and the next retry at the right."""
        width, base = self.size.width, self.base
        if self._row is None:
            return Strip.blank(width, base)
        head, remedy, retry = self._texts()
        style = self.tone(mark_of(self._row).tone)
        soft = self.tone("remedy")
        retry_style = self.tone("retry")
        if y == 1:
            return line([(fit(f"   {remedy}", width), soft)], width, base)
        room = max(0, width - cell_len(retry) - 2)
        then = "" if self._two or not remedy else f"  {remedy}"
        first = min(cell_len(head), room)
        parts = [(fit(head, first), style), (fit(then, room - first), soft), (f" {retry} ", retry_style)]
        return line(parts, width, base)
