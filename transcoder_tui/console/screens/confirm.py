"""Asks before something goes off air, is deleted, or is lost."""

from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from transcoder_tui.console.orders import Question


class ConfirmScreen(ModalScreen[bool]):
    """A question with two answers; the harmless one is under the return key.

    Args:
        question: What is asked.
    """

    CSS_PATH = "dialog.tcss"
    AUTO_FOCUS = "#no"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("y", "answer(True)", "Yes", show=False),
        Binding("n,escape", "answer(False)", "No", show=False),
        Binding("left,right,tab,shift+tab", "other", "The other answer", show=False, priority=True),
    ]

    def __init__(self, question: Question) -> None:
        super().__init__()
        self._question = question

    def compose(self) -> ComposeResult:
        """The question and its answers."""
        with Vertical(classes="dialog -careful") as dialog:
            dialog.border_title = "Please confirm"
            yield Static(Content.styled(self._question.title, "bold"), markup=False, id="asked")
            yield Static(Content(self._question.body), markup=False)
            with Horizontal(classes="buttons"):
                yield Button(Content(f"y  {self._question.answer}"), compact=True, id="yes")
                yield Button(Content("n  Cancel"), compact=True, id="no")

    def action_answer(self, yes: bool) -> None:
        """Answers."""
        self.dismiss(yes)

    def action_other(self) -> None:
        """Moves to the other answer."""
        self.query_one("#yes" if self.query_one("#no").has_focus else "#no").focus()

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Answers."""
        self.dismiss(event.button.id == "yes")
