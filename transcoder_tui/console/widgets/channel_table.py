"""The table of channels: one line each, drawn by the line API."""

from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.cache import LRUCache
from textual.geometry import Region, Size
from textual.message import Message
from textual.reactive import reactive
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
from transcoder_tui.console.widgets.painted import Painted, PaintedScroll

if TYPE_CHECKING:
    from transcoder_tui.models.view import ChannelView

MOST_DRAWN = 256
"""Rows that are kept as they were drawn: more than any terminal has lines."""
TONES: tuple[Tone, ...] = ("good", "busy", "warn", "bad", "muted", "plain")


class ChannelTable(PaintedScroll, can_focus=True, inherit_bindings=False):
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
        self._drawn: LRUCache[Any, Strip] = LRUCache(MOST_DRAWN)
        """Lines by all that makes them look as they do: while the table scrolls, most of them only move."""
        self._said: dict[int, tuple[tuple[str, str], ...]] = {}
        """What the rows say that were drawn since something changed, by the channel's id."""
        self._frame = (0, 0, False, False, Style.null())
        """First row, width, and what makes all lines look as they do."""
        self._cursor_line: int | None = None
        """Where the cursor was drawn last."""

    @property
    def columns(self) -> tuple[Placed, ...]:
        """The columns that fit at present, with their widths."""
        return self._columns

    def show(self, change: Change) -> None:
        """Draws what changed: single lines where rows stayed in place, else everything."""
        self._said.clear()
        self.virtual_size = Size(self.scrollable_content_region.width, len(self._rack.shown))
        if change.layout:
            self.keep_cursor_in_view()
            self._cursor_line = self._rack.position
            self.refresh()
            return
        top = self.scroll_offset.y
        seen = enumerate(self._rack.shown[top : top + self.size.height], top)
        self._refresh_lines(line for line, channel_id in seen if channel_id in change.rows)

    def show_cursor(self) -> None:
        """Draws a moved cursor and keeps it in view."""
        self.keep_cursor_in_view()
        before, self._cursor_line = self._cursor_line, self._rack.position
        self._refresh_lines(line for line in {before, self._cursor_line} if line is not None)

    def _refresh_lines(self, lines: Iterable[int]) -> None:
        regions = (Region(0, line - self.scroll_offset.y, self.size.width, 1) for line in lines)
        for region in regions:
            self.refresh(region)

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
        self._said.clear()
        self.post_message(self.LaidOut())
        self.virtual_size = Size(width, len(self._rack.shown))
        self.keep_cursor_in_view()

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor on the line that was clicked."""
        self.post_message(self.Pointed(event.y + self.scroll_offset.y))

    def render_lines(self, crop: Region) -> list[Strip]:
        """Some lines; what all of them need to know is looked up once."""
        self._frame = (self.scroll_offset.y, self.size.width, self.stale, self.has_focus, self.base)
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One line of the table."""
        top, width, *others = self._frame
        place = top + y
        shown = self._rack.shown
        if place >= len(shown):
            return Strip.blank(width, self.base)
        row = self._rack.channels[shown[place]]
        under_cursor = row.id == self._rack.cursor
        marked = row.id in self._rack.marks
        cells = self._said.get(row.id)
        if cells is None:
            cells = self._said[row.id] = tuple(self._cells(row))
        looks = (cells, under_cursor, marked, width, *others)
        strip = self._drawn.get(looks)
        if strip is None:
            strip = self._drawn[looks] = self._draw(cells, under_cursor=under_cursor, marked=marked)
        return strip

    def _cells(self, row: "ChannelView") -> Iterator[tuple[str, str]]:
        """What a row says, in the width of its columns, each with the name of its style."""
        spoken = self._spoken(row)
        for place, placed in enumerate(self._columns):
            if place not in spoken:
                text, tone = placed.column.read(row, self._rack.at)
                name = "name" if placed.column.key == "name" else tone
                yield fit(text, placed.width, placed.column.align), name
            elif spoken[place][2]:
                words, tone, room = spoken[place]
                yield fit(words, room), tone

    def _draw(self, cells: Iterable[tuple[str, str]], *, under_cursor: bool, marked: bool) -> Strip:
        styles = self._styles(under_cursor, marked)
        gutter = ("▌" if under_cursor else " ") + ("✓" if marked else " ")
        parts: list[tuple[str, Style]] = [(gutter, styles["gutter"])]
        for text, name in cells:
            parts += [(text, styles[name]), (" " * GAP, styles["plain"])]
        return line(parts, self.size.width, styles["plain"])

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

    def _spoken(self, row: "ChannelView") -> dict[int, tuple[str, Tone, int]]:
        """Words that take the place of columns, by the number of the column: the first has their cells, others none.

        What keeps a channel off the air stands where its figures would, and goes on over its source and outputs where
        it is longer. What is the matter with one on air leaves it its figures.
        """
        figures = [place for place, placed in enumerate(self._columns) if placed.column.is_figure]
        texts = [place for place in range(figures[-1] + 1 if figures else 0, len(self._columns)) if figures]
        if instead := instead_of_figures(row, self._rack.at):
            longer = cell_len(instead[0]) > self._width_of(figures)
            places = figures + texts if longer else figures
        elif (instead := instead_of_texts(row)) and self._width_of(texts) >= LEAST_CAUSE:
            places = texts
        else:
            return {}
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
