"""Shows what will change, and asks what is to be done."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.events import Key
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from transcoder_tui.console.widgets.listing import Line, Listing


@dataclass(frozen=True, slots=True)
class Answer:
    """One of the answers."""

    key: str
    label: str
    name: str
    """What the dialog is dismissed with; empty leaves everything as it is."""


CANCEL = Answer("n", "Cancel", "")


@dataclass(frozen=True, slots=True)
class Review:
    """What is asked."""

    title: str
    lead: Sequence[Content]
    """What one has to know first, such as what goes off air."""
    lines: Sequence[Line]
    answers: Sequence[Answer]
    """The last one leaves everything as it is."""
    careful: bool = True
    """Whether something goes off air or is lost; then the last answer is under the return key, else the first."""


class ReviewScreen(ModalScreen[str]):
    """A list of changes with some answers; dismissed with the name of the one that was given.

    Args:
        review: What is asked.
    """

    CSS_PATH = ["dialog.tcss", "review.tcss"]  # noqa: RUF012 - as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "answer('')", "Cancel", show=False),
        Binding("right,tab", "turn(1)", "Next answer", show=False, priority=True),
        Binding("left,shift+tab", "turn(-1)", "Answer before", show=False, priority=True),
        Binding("up,k", "scroll(-1)", "Up", show=False),
        Binding("down,j", "scroll(1)", "Down", show=False),
        Binding("pageup", "scroll(-10)", "Page up", show=False),
        Binding("pagedown", "scroll(10)", "Page down", show=False),
    ]

    def __init__(self, review: Review) -> None:
        super().__init__()
        self._review = review

    def compose(self) -> ComposeResult:
        """What one has to know, the list, and the answers."""
        review = self._review
        with Vertical(classes="dialog -wide -careful" if review.careful else "dialog -wide") as dialog:
            dialog.border_title = Content(review.title).markup
            for words in review.lead:
                yield Static(words, markup=False, classes="lead")
            with VerticalScroll(can_focus=False, id="review"):
                yield Listing(review.lines)
            with Horizontal(classes="buttons"):
                for answer in review.answers:
                    yield Button(Content(f"{answer.key}  {answer.label}"), compact=True)

    def on_mount(self) -> None:
        """Puts the harmless answer under the return key where something would be lost."""
        buttons = list(self.query(Button))
        buttons[-1 if self._review.careful else 0].focus()
        self.query_one("#review").display = bool(self._review.lines)

    def on_key(self, event: Key) -> None:
        """Answers by a letter."""
        for answer in self._review.answers:
            if event.key == answer.key:
                event.stop()
                self.dismiss(answer.name)

    def action_answer(self, name: str) -> None:
        """Answers."""
        self.dismiss(name)

    def action_turn(self, steps: int) -> None:
        """Moves to another answer."""
        buttons = list(self.query(Button))
        at = next((place for place, button in enumerate(buttons) if button.has_focus), 0)
        buttons[(at + steps) % len(buttons)].focus()

    def action_scroll(self, lines: int) -> None:
        """Moves through a long list."""
        self.query_one("#review").scroll_relative(y=lines, animate=False)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answers."""
        place = list(self.query(Button)).index(event.button)
        self.dismiss(self._review.answers[place].name)
