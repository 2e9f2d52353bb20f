"""A line above a part of the screen: what it shows, and in what state it is."""

from typing import ClassVar

from rich.cells import cell_len
from textual.strip import Strip

from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import Painted


class Heading(Painted):
    """A title at the left, a note at the right."""

    PREFIX = "heading"
    COMPONENT_CLASSES: ClassVar[set[str]] = {"heading--title", "heading--subject", "heading--note"}

    def __init__(self, title: str, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._title = title
        self.subject = ""
        """What the part shows at present."""
        self.note = ""
        """Its state."""

    def show(self, subject: str, note: str) -> None:
        """Draws another subject and note."""
        if (subject, note) != (self.subject, self.note):
            self.subject, self.note = subject, note
            self.refresh()

    def render_line(self, y: int) -> Strip:
        """The line."""
        width = self.size.width
        title = f" {self._title} "
        note = f" {self.note} " if self.note else ""
        room = max(0, width - cell_len(title) - cell_len(note))
        parts = [(title, "title"), (fit(f" {self.subject}", room), "subject"), (note, "note")]
        return line(((text, self.tone(name)) for text, name in parts), width, self.base)
