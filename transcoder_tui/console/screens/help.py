"""All keys, from the action registry."""

from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from transcoder_tui.console.actions import ACTIONS, Action, shown_key

KEYS_WIDTH = 9
"""Cells for an action's keys: ``asterisk`` and pairs such as ``PgUp`` or ``i enter``."""


def sections() -> list[tuple[str, list[Action]]]:
    """Headings with their actions, in the registry's order; what is on two screens is listed once."""
    return [(heading, list(actions)) for heading, actions in groupby(ACTIONS, lambda action: action.section)]


def worded(heading: str, actions: list[Action]) -> Content:
    """One section of the help."""
    lines = [Content.styled(heading, "bold $primary")]
    for action in actions:
        keys = " ".join(map(shown_key, action.keys))
        lines.append(Content.assemble((f"{keys:{KEYS_WIDTH}}", "bold $accent"), " ", action.help))
    return Content("\n").join(lines)


class HelpScreen(ModalScreen[None]):
    """What each key does."""

    CSS_PATH = "help.tcss"
    HORIZONTAL_BREAKPOINTS: ClassVar[list[tuple[int, str]] | None] = [(0, "-narrow"), (132, "-broad")]
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark,f1", "close", "Close", show=False),
        Binding("up,k", "scroll(-1)", "Up", show=False),
        Binding("down,j", "scroll(1)", "Down", show=False),
        Binding("pageup", "scroll(-15)", "Page up", show=False),
        Binding("pagedown,space", "scroll(15)", "Page down", show=False),
    ]

    def compose(self) -> ComposeResult:
        """The sections."""
        with VerticalScroll(classes="dialog", id="help", can_focus=False) as dialog:
            dialog.border_title = "Keys"
            dialog.border_subtitle = "esc closes"
            with Grid():
                for heading, actions in sections():
                    yield Static(worded(heading, actions), markup=False, classes="section")

    def action_close(self) -> None:
        """Closes the help."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scrolls on a small terminal."""
        self.query_one("#help").scroll_relative(y=lines, animate=False)
