"""The table of channels: one line each, drawn by the line API."""

from typing import TYPE_CHECKING, ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
from textual.scroll_view import ScrollView
from textual.strip import Strip

from transcoder_tui.console.columns import (
    GAP,
    GUTTER,
    LEAST_CAUSE,
    Placed,
    instead_of_figures,
    instead_of_texts,
    lay_out,
)
from transcoder_tui.console.state import Change, Rack
from transcoder_tui.console.status import Tone
from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import Painted

if TYPE_CHECKING:
    from transcoder_tui.models.view import ChannelView

TONES: tuple[Tone, ...] = ("good", "busy", "warn", "bad", "muted", "plain")


class ChannelTable(Painted, ScrollView, can_focus=True, inherit_bindings=False):
    """Shows a rack. Holds no rows of its own: what is drawn is what the rack says at that moment.

    Args:
        rack: The rows, their order, the cursor and the marks.
    """

    PREFIX = "channel-table"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "channel-table--cursor",
        "channel-table--cursor-blurred",
        "channel-table--header",
        "channel-table--marked",
        "channel-table--stale",
        *(f"channel-table--{tone}" for tone in TONES),
    }

    stale = reactive(False)
    """Whether the rows are the last known ones of a worker that does not answer."""

    class Pointed(Message):
        """The operator clicked on a line."""

        def __init__(self, line: int) -> None:
            self.line = line
            super().__init__()

    class LaidOut(Message):
        """The columns changed with the terminal's width."""

    def __init__(self, rack: Rack, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._rack = rack
        self._columns: tuple[Placed, ...] = ()
        self._causes: set[int] = set()
        """Channels of which a cause is drawn, which takes the place of cells that otherwise never change."""

    @property
    def columns(self) -> tuple[Placed, ...]:
        """The columns that fit at present, with their widths."""
        return self._columns

    def show(self, change: Change) -> None:
        """Draws what changed: single lines where rows stayed in place, else everything."""
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rack.shown))
        if change.layout:
            self.keep_cursor_in_view()
            self.refresh()
            return
        places = {channel_id: place for place, channel_id in enumerate(self._rack.shown)}
        top = self.scroll_offset.y
        for channel_id in change.rows:
            place = places.get(channel_id)
            if place is not None and top <= place < top + self.size.height:
                row = self._rack.channels[channel_id]
                whole = channel_id in self._causes or instead_of_texts(row) or instead_of_figures(row, self._rack.at)
                width = self.size.width if whole else self._changing_width
                self.refresh(Region(0, place - top, width, 1))

    def show_cursor(self) -> None:
        """Draws a moved cursor and keeps it in view."""
        self.keep_cursor_in_view()
        self.refresh()

    def keep_cursor_in_view(self) -> None:
        """Scrolls so far that the cursor's line can be seen."""
        place = self._rack.position
        height = self.scrollable_content_region.height
        if place is None or height <= 0:
            return
        top = round(self.scroll_target_y)
        if not top <= place < top + height:
            self.scroll_to(y=place if place < top else place - height + 1, animate=False, immediate=True)

    def watch_stale(self) -> None:
        """Greys the rows, or gives them their colours back."""
        self.refresh()

    def on_resize(self) -> None:
        """Chooses the columns for the new width."""
        width = self.scrollable_content_region.width
        self._columns = lay_out(width)
        self.post_message(self.LaidOut())
        self.virtual_size = Size(width, len(self._rack.shown))
        self.keep_cursor_in_view()

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor on the line that was clicked."""
        self.post_message(self.Pointed(event.y + self.scroll_offset.y))

    def render_line(self, y: int) -> Strip:
        """One line of the table."""
        width = self.size.width
        base = self.base
        place = self.scroll_offset.y + y
        shown = self._rack.shown
        if place >= len(shown):
            return Strip.blank(width, base)
        row = self._rack.channels[shown[place]]
        under_cursor = row.id == self._rack.cursor
        marked = row.id in self._rack.marks
        styles = self._styles(under_cursor, marked)
        gutter = ("▌" if under_cursor else " ") + ("✓" if marked else " ")
        parts: list[tuple[str, Style]] = [(gutter, styles["gutter"])]
        spoken = self._spoken(row)
        for place, placed in enumerate(self._columns):
            if place in spoken:
                words, tone, room = spoken[place]
                if room:
                    parts += [(fit(words, room), styles[tone]), (" " * GAP, styles["plain"])]
                continue
            text, tone = placed.column.read(row, self._rack.at)
            emphasis = "name" if placed.column.key == "name" else tone
            parts.append((fit(text, placed.width, placed.column.align), styles[emphasis]))
            parts.append((" " * GAP, styles["plain"]))
        return line(parts, width, styles["plain"])

    def header(self, width: int) -> Strip:
        """The line of titles; the column that it is sorted by carries an arrow."""
        style = self.tone("header")
        chosen = style + Style(bold=True, underline=True)
        parts: list[tuple[str, Style]] = [(" " * GUTTER, style)]
        arrow = "↓" if self._rack.reverse else "↑"
        for placed in self._columns:
            column = placed.column
            sorted_by = column.key == self._rack.sort
            title = column.title + arrow if sorted_by else column.title
            if len(title) > placed.width and sorted_by:
                title = column.title[: placed.width - 1] + arrow
            parts.append((fit(title, placed.width, column.align), chosen if sorted_by else style))
            parts.append((" " * GAP, style))
        return line(parts, width, style)

    @property
    def _changing_width(self) -> int:
        width = end = GUTTER
        for placed in self._columns:
            width += placed.width + GAP
            if placed.column.changes:
                end = width
        return end

    def _spoken(self, row: "ChannelView") -> dict[int, tuple[str, Tone, int]]:
        """Words that take the place of columns, by the number of the column: the first has their cells, others none.

        What keeps a channel off the air stands where its figures would, and goes on over its source and outputs where
        it is longer. What is the matter with one on air leaves it its figures.
        """
        figures = [place for place, placed in enumerate(self._columns) if placed.column.is_figure]
        texts = [place for place in range(figures[-1] + 1 if figures else 0, len(self._columns)) if figures]
        self._causes.discard(row.id)
        if instead := instead_of_figures(row, self._rack.at):
            longer = cell_len(instead[0]) > self._width_of(figures)
            places = figures + texts if longer else figures
        elif (instead := instead_of_texts(row)) and self._width_of(texts) >= LEAST_CAUSE:
            places = texts
        else:
            return {}
        self._causes.add(row.id)
        room = self._width_of(places)
        return {place: (*instead, room if place == places[0] else 0) for place in places}

    def _width_of(self, places: list[int]) -> int:
        return max(0, sum(self._columns[place].width + GAP for place in places) - GAP)

    def _styles(self, under_cursor: bool, marked: bool) -> dict[str, Style]:
        base = self.base
        if marked:
            base = self.over(base, "marked")
        if under_cursor:
            base = self.over(base, "cursor" if self.has_focus else "cursor-blurred")
        styles: dict[str, Style] = {}
        inverted = under_cursor and self.app.native_ansi_color
        for tone in TONES:
            # A cursor in reverse video keeps one colour: sixteen colours on each other are often unreadable.
            styles[tone] = base if inverted else self.over(base, "stale" if self.stale else tone)
        styles["name"] = styles["plain"] + Style(bold=not self.stale)
        styles["gutter"] = styles["good" if not self.stale else "muted"] + Style(bold=True)
        return styles


class TableHeader(Painted):
    """The titles above a table, which stay while it scrolls.

    Args:
        table: The table below.
    """

    def __init__(self, table: ChannelTable, id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._table = table

    def render_line(self, y: int) -> Strip:
        """The titles."""
        return self._table.header(self.size.width) if y == 0 else Strip.blank(self.size.width, self.base)
