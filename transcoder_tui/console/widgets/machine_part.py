"""A part of the machine: a heading with its sum, titles, and lines that scroll below them."""

from collections.abc import Callable
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from transcoder_tui.console.machine_lines import Part, Row
from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import Painted

Draw = Callable[[int, int], Part]
"""Makes a part for a width, and for a height in which all of it should be seen where it can."""

WHEEL = 3
"""Lines that a turn of the mouse wheel scrolls."""


class MachinePart(Painted, can_focus=True):
    """Draws anew only the lines that differ from what it showed. Its cursor stays on what it is on, by the row's key.

    Args:
        title: Its heading.
    """

    PREFIX = "machine-part"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"machine-part--{name}"
        for name in (
            *(
                "heading",
                "heading-chosen",
                "note",
                "fault",
                "title",
                "title-chosen",
                "cursor",
                "cursor-blurred",
                "stale",
            ),
            *("label", "name", "figure", "in", "out", "warn", "bad", "muted", "plain"),
        )
    }

    stale = reactive(False)
    """Whether its lines are the last known of a worker that does not answer."""

    class Shown(Message):
        """What its heading says has changed."""

        def __init__(self, part: "MachinePart") -> None:
            self.part = part
            super().__init__()

    def __init__(self, title: str, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self.title = title
        self._draw: Draw | None = None
        self._part = Part()
        self._words = ""
        self._top = 0
        self._cursor = ""
        self._place = 0
        self.has_heading = True
        """Whether its heading stands above it; else somebody else says it."""

    @property
    def note(self) -> str:
        """What needs an eye, the sum, and which lines of how many can be seen."""
        part, room = self._part, self._room
        seen = ""
        if len(part.rows) > room > 0:
            seen = f"{self._top + 1}–{min(len(part.rows), self._top + room)} of {len(part.rows)}"  # noqa: RUF001
        return "  ".join(filter(None, (part.fault, part.note, seen)))

    @property
    def current(self) -> Row | None:
        """The row under the cursor; None where there is nothing to choose."""
        rows = self._part.rows
        return rows[self._place] if self._place < len(rows) and rows[self._place].key else None

    def show(self, draw: Draw, *, words: str = "") -> None:
        """Takes over what is to be shown.

        Args:
            draw: Makes the part.
            words: What stands there where it has no lines.
        """
        self._draw, self._words = draw, words
        self._arrange()

    def wanted(self, width: int, height: int = 0) -> int:
        """Lines that it needs in ``width`` cells; at least one below its heading.

        Args:
            width: Cells.
            height: Lines in which all of it should be seen where it can; 0 where that makes no difference.
        """
        part = self._part
        if self._draw is not None and (height or not part.rows):
            part = self._draw(width, height)
        return 1 + bool(part.titles) + max(1, len(part.rows))

    def on_resize(self) -> None:
        """Arranges the lines for another size."""
        self._arrange(whole=True)

    def watch_stale(self) -> None:
        """Greys the lines, or gives them their colours back."""
        self.refresh()

    def watch_has_focus(self, has_focus: bool) -> None:
        """Shows or hides the cursor."""
        super().watch_has_focus(has_focus)
        self.refresh()

    def move(self, where: str) -> None:
        """Moves the cursor, or the lines where there is nothing to choose."""
        rows, room = self._part.rows, max(1, self._room)
        chooses = bool(rows and rows[0].key)
        begin = self._place if chooses else self._top
        last = len(rows) - 1 if chooses else max(0, len(rows) - room)
        steps = {
            "up": -1,
            "down": 1,
            "page_up": 1 - room,
            "page_down": room - 1,
            "first": -len(rows),
            "last": len(rows),
        }
        place = max(0, min(begin + steps.get(where, 0), last))
        if chooses:
            self._point(place)
        else:
            self._top = place
        self._keep_in_view()
        self.refresh()
        self.post_message(self.Shown(self))

    def on_click(self, event: events.Click) -> None:
        """Puts the cursor on the line that was clicked."""
        place = self._top + event.y - self._head
        if 0 <= place < len(self._part.rows) and event.y >= self._head:
            self._point(place)
            self.refresh()

    def on_mouse_scroll_down(self) -> None:
        """Scrolls down."""
        self._scroll(WHEEL)

    def on_mouse_scroll_up(self) -> None:
        """Scrolls up."""
        self._scroll(-WHEEL)

    def _scroll(self, lines: int) -> None:
        self._top = max(0, min(self._top + lines, len(self._part.rows) - self._room))
        self.refresh()
        self.post_message(self.Shown(self))

    def _point(self, place: int) -> None:
        self._place = place
        self._cursor = self._part.rows[place].key

    @property
    def _head(self) -> int:
        return self.has_heading + bool(self._part.titles)

    @property
    def _room(self) -> int:
        return max(0, self.size.height - self._head)

    def _arrange(self, *, whole: bool = False) -> None:
        width, height = self.size
        if self._draw is None or not width:
            return
        before, top, note = self._part, self._top, self.note
        self._part = self._draw(width, max(1, height - self.has_heading))
        keys = [row.key for row in self._part.rows]
        if self._cursor in keys:
            self._place = keys.index(self._cursor)
        self._place = max(0, min(self._place, len(keys) - 1))
        self._keep_in_view()
        if whole or top != self._top or before.titles != self._part.titles or not (before.rows and keys):
            self.refresh()
        else:
            old, new = before.rows[top : top + self._room], self._part.rows[top : top + self._room]
            for place in range(max(len(old), len(new))):
                if old[place : place + 1] != new[place : place + 1]:
                    self.refresh(Region(0, self._head + place, width, 1))
            if note != self.note and self.has_heading:
                self.refresh(Region(0, 0, width, 1))
        self.post_message(self.Shown(self))

    def _keep_in_view(self) -> None:
        room, rows = self._room, self._part.rows
        self._top = max(0, min(self._top, len(rows) - room))
        if rows and rows[0].key and room:
            self._top = max(self._place - room + 1, min(self._top, self._place))

    def render_line(self, y: int) -> Strip:
        """The heading, the titles, then the lines."""
        width = self.size.width
        if y == 0 and self.has_heading:
            return self._heading(width)
        if y < self._head:
            return line(((text, self.tone(name)) for text, name in self._part.titles), width, self.tone("title"))
        place = self._top + y - self._head
        if place >= len(self._part.rows):
            words = f"  {self._words}" if not self._part.rows and y == self._head else ""
            return line([(fit(words, width), self.tone("muted"))], width, self.base)
        row = self._part.rows[place]
        chosen = bool(row.key) and place == self._place
        parts = ((text, self._style(name, chosen=chosen)) for text, name in row.parts)
        return line(parts, width, self._style("plain", chosen=chosen))

    def _heading(self, width: int) -> Strip:
        title = f" {self.title} "
        note = f" {self.note} " if self.note else ""
        room = max(0, width - cell_len(title))
        parts = [
            (title, self.tone("heading-chosen" if self.has_focus else "heading")),
            (fit(note, room, "right"), self.tone("fault" if self._part.fault else "note")),
        ]
        return line(parts, width, self.tone("note"))

    def _style(self, name: str, *, chosen: bool) -> Style:
        # Grey on the cursor's colour could not be read.
        name = ("plain" if chosen else "stale") if self.stale else name
        cursor = "cursor" if self.has_focus else "cursor-blurred"
        return self.over(self.over(self.base, cursor) if chosen else self.base, name)
