"""A line of choices, one of which is chosen, with a note at the right."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual import events
from textual.message import Message
from textual.strip import Strip

from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import Painted


class ChoiceBar(Painted):
    """Says what is shown below it, and what else could be.

    Args:
        title: What the choices are of.
        choices: Their words.
    """

    PREFIX = "choice-bar"
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "choice-bar--title",
        "choice-bar--choice",
        "choice-bar--chosen",
        "choice-bar--note",
    }

    class Picked(Message):
        """The operator clicked on a choice."""

        def __init__(self, choice: str) -> None:
            self.choice = choice
            super().__init__()

    def __init__(self, title: str, choices: Sequence[str], id: str | None = None) -> None:  # noqa: A002
        super().__init__(id=id)
        self._title = f" {title} "
        self._choices = choices
        self.chosen = choices[0]
        """The word that is chosen."""
        self.note = ""
        """What stands at the right."""

    def show(self, chosen: str, note: str) -> None:
        """Draws another choice and note."""
        if (chosen, note) != (self.chosen, self.note):
            self.chosen, self.note = chosen, note
            self.refresh()

    def on_click(self, event: events.Click) -> None:
        """Tells which choice was clicked."""
        end = cell_len(self._title)
        for choice in self._choices:
            end += cell_len(choice) + 2
            if event.x < end:
                self.post_message(self.Picked(choice))
                return

    def render_line(self, y: int) -> Strip:
        """The line; where it is too narrow for the choices, the note goes first."""
        width = self.size.width
        parts = [(self._title, self.tone("title"))]
        for choice in self._choices:
            parts.append((f" {choice} ", self.tone("chosen" if choice == self.chosen else "choice")))
        taken = sum(cell_len(text) for text, _ in parts)
        parts.append((fit(f" {self.note} " if self.note else "", max(0, width - taken), "right"), self.tone("note")))
        return line(parts, width, self.base)
