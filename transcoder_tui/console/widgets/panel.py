"""A part of a screen with a heading and lines of text, as tall as they need."""

from collections.abc import Callable
from typing import ClassVar

from rich.cells import cell_len
from rich.style import Style
from textual.geometry import Region
from textual.reactive import reactive
from textual.strip import Strip

from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import Painted

Line = list[tuple[str, str]]
"""Texts, each with the name of its style."""
Lines = list[Line]


class Panel(Painted):
    """Draws anew only the lines that differ from what it showed.

    Args:
        title: Its heading; empty for none.
    """

    PREFIX = "panel"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        f"panel--{name}"
        for name in (
            *("heading", "note", "stale", "label", "strong", "branch"),
            *("good", "busy", "warn", "bad", "muted", "plain"),
        )
    }

    stale = reactive(False)
    """Whether its lines are the last known of a worker that does not answer."""

    def __init__(self, title: str = "", id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._title = title
        self._note = ""
        self._draw: Callable[[int], Lines] = lambda _: []
        self._lines: Lines = []

    def show(self, draw: Callable[[int], Lines], note: str = "") -> None:
        """Takes over what is to be shown.

        Args:
            draw: Makes the lines for a width.
            note: Stands at the right of the heading.
        """
        self._draw = draw
        if note != self._note:
            self._note = note
            self.refresh(Region(0, 0, self.size.width, 1))
        self._arrange()

    def on_resize(self) -> None:
        """Arranges the lines for another width."""
        self._arrange()

    def _arrange(self) -> None:
        width = self.size.width
        if not width:
            return
        before, self._lines = self._lines, self._draw(width)
        above = bool(self._title)
        if len(before) != len(self._lines):
            self.styles.height = max(1, len(self._lines) + above)
            self.set_class(not self._lines, "-empty")
            self.refresh()
            return
        for place, (old, new) in enumerate(zip(before, self._lines, strict=True)):
            if old != new:
                self.refresh(Region(0, place + above, width, 1))

    def render_line(self, y: int) -> Strip:
        """The heading, then the lines."""
        width = self.size.width
        if y == 0 and self._title:
            return self._heading(width)
        place = y - bool(self._title)
        if place >= len(self._lines):
            return Strip.blank(width, self.base)
        return line(((text, self._style(name)) for text, name in self._lines[place]), width, self.base)

    def _heading(self, width: int) -> Strip:
        title, note = f" {self._title} ", f" {self._note} " if self._note else ""
        room = max(0, width - cell_len(note))
        return line([(fit(title, room), self.tone("heading")), (note, self.tone("note"))], width, self.base)

    def _style(self, name: str) -> Style:
        return self.tone("stale" if self.stale else name)
