"""All keys, from the action registry."""

from itertools import groupby
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from transcoder_tui.console.actions import ACTIONS, Action, shown_key

KEYS_WIDTH = 9
"""Cells for an action's keys: ``asterisk`` and pairs such as ``PgUp`` or ``i enter``."""


FIRST_COLUMN = 2
"""Sections that stand in the first column of a broad terminal; the others have about as many lines together."""


def sections() -> list[tuple[str, list[Action]]]:
    """Headings with their actions, in the registry's order."""
    return [(heading, list(actions)) for heading, actions in groupby(ACTIONS, lambda action: action.section)]


def worded(heading: str, actions: list[Action]) -> Content:
    """One section of the help. Orders of the table share two lines: ten alike would hide the rest."""
    lines = [Content.styled(heading, "bold $primary")]
    sorts = [action for action in actions if action.name.startswith("sort-")]
    for action in actions:
        if action in sorts:
            continue
        lines.append(_line(" ".join(map(shown_key, action.keys)), action.help))
    if sorts:
        half = -(-len(sorts) // 2)
        lines.append(_line("shift", "Sort; the same key again turns the order round:"))
        lines += [_line("", "  ".join(_letter(action) for action in some)) for some in (sorts[:half], sorts[half:])]
    return Content("\n").join(lines)


def _line(keys: str, words: str) -> Content:
    return Content.assemble((f"{keys:{KEYS_WIDTH}}", "bold $accent"), " ", words)


def _letter(action: Action) -> str:
    return f"{action.keys[0]} {action.name.partition('-')[2]}"


class HelpScreen(ModalScreen[None]):
    """What each key does."""

    CSS_PATH = "help.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (132, "-broad")]  # noqa: RUF012 - as Textual declares it
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
            listed = sections()
            with Container(id="columns"):
                for column in (listed[:FIRST_COLUMN], listed[FIRST_COLUMN:]):
                    with Vertical(classes="column"):
                        for heading, actions in column:
                            yield Static(worded(heading, actions), markup=False, classes="section")

    def action_close(self) -> None:
        """Closes the help."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scrolls on a small terminal."""
        self.query_one("#help").scroll_relative(y=lines, animate=False)
