"""Asks for a text on the last line of the screen, with the log bright above it."""

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.screen import ModalScreen
from textual.widgets import Input, Static

WORDS = {
    "/": "search: return goes to the nearest hit above, then n and N; small letters stand for capitals too",
    "&": "only lines with a text; with ! in front, those without; nothing shows all",
}
"""What each sign asks for."""


class LogPrompt(ModalScreen[str]):
    """A field behind a sign; dismissed with what was typed, else with nothing.

    Args:
        sign: ``/`` or ``&``.
        text: What is in force.
        preview: Is told of each letter.
    """

    CSS_PATH = "log_prompt.tcss"
    AUTO_FOCUS = "Input"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,ctrl+c", "close", "Close", show=False, priority=True)]

    def __init__(self, sign: str, text: str, preview: Callable[[str], None] | None) -> None:
        super().__init__()
        self._sign = sign
        self._text = text
        self._preview = preview

    def compose(self) -> ComposeResult:
        """The line."""
        with Horizontal(id="prompt"):
            yield Static(self._sign, markup=False, id="sign")
            yield Input(self._text, placeholder=WORDS[self._sign], compact=True, select_on_focus=True)

    def take_keys(self) -> None:
        """Has the next key go into the field, although the screen is not drawn yet."""
        field = self.query_one(Input)
        field.cursor_blink = False
        self.set_focus(field)

    def action_close(self) -> None:
        """Leaves everything as it was."""
        self.dismiss(None)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Shows at once what it would find."""
        event.stop()
        if self._preview is not None and self.is_current:
            self._preview(event.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Takes it."""
        event.stop()
        self.dismiss(event.value)
