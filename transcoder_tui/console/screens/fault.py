"""Says what went wrong and what would be right."""

from collections.abc import Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button, Static

from transcoder_tui.errors import Fault


def worded(fault: Fault) -> Content:
    """A fault on up to three lines: where, what, and what would be right."""
    lines = [Content.styled(fault.field, "bold $primary")] if fault.field else []
    lines.append(Content.assemble(("✖ ", "$error"), fault.fault))
    if fault.remedy:
        lines.append(Content.assemble(("→ ", "$success"), fault.remedy))
    return Content("\n").join(lines)


class FaultScreen(ModalScreen[None]):
    """All faults of one action in one dialog.

    Args:
        title: What did not work.
        faults: Why, one for each field or channel.
    """

    CSS_PATH = "dialog.tcss"
    AUTO_FOCUS = "#close"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", show=False),
        Binding("up,k", "scroll(-1)", "Up", show=False),
        Binding("down,j", "scroll(1)", "Down", show=False),
    ]

    def __init__(self, title: str, faults: Sequence[Fault]) -> None:
        super().__init__()
        self._heading = title
        self._faults = tuple(faults)

    def compose(self) -> ComposeResult:
        """The faults and a button."""
        with Vertical(classes="dialog -bad") as dialog:
            dialog.border_title = Content(self._heading).markup
            with VerticalScroll(can_focus=False, id="faults"):
                for fault in self._faults:
                    yield Static(worded(fault), markup=False, classes="fault")
            with Horizontal(classes="buttons"):
                yield Button(Content("Close"), compact=True, id="close")

    def action_close(self) -> None:
        """Closes the dialog."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scrolls through many faults."""
        self.query_one("#faults").scroll_relative(y=lines, animate=False)

    def on_button_pressed(self) -> None:
        """Closes the dialog."""
        self.dismiss()
