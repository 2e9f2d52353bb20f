"""All keys, from the action registry; all commands, from theirs; and the language of the filter."""

from itertools import groupby
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from transcoder_tui.console.actions import ACTIONS, Action, KeysOf, shown_key
from transcoder_tui.console.command_line import VERBS
from transcoder_tui.console.query import ALIASES, FIELDS, FIGURES

if TYPE_CHECKING:
    from transcoder_tui.console.app import ConsoleApp

KEYS_WIDTH = 9
"""Cells for an action's keys: ``asterisk`` and pairs such as ``PgUp`` or ``i enter``."""
COMMAND_WIDTH = 24
"""Cells for a command: the longest is ``:acknowledge [CHANNELS]``."""

FILTER = (
    ("news sport", "Both, in name, group, source, output or status; as regular expressions"),
    ('!ok "on air"', "Not this; words that belong together"),
    ("~nws  -f nws", "Letters of a name, in this order"),
    ("status:error", f"In one field: {', '.join([*FIELDS, *ALIASES])}"),
    ("cpu>50", f"A figure: {', '.join(FIGURES)}"),
)
"""What a filter understands, with examples."""


def sections() -> list[tuple[str, list[Action]]]:
    """Headings with their actions, in the registry's order."""
    return [(heading, list(actions)) for heading, actions in groupby(ACTIONS, lambda action: action.section)]


def worded(heading: str, actions: list[Action], keys_of: KeysOf) -> Content:
    """One section of the help. Orders of the table share two lines: ten alike would hide the rest."""
    lines = [Content.styled(heading, "bold $primary")]
    sorts = [action for action in actions if action.name.startswith("sort-")]
    for action in actions:
        if action in sorts:
            continue
        lines.append(_line(" ".join(map(shown_key, keys_of(action))), action.help))
    if sorts:
        half = -(-len(sorts) // 2)
        lines.append(_line("shift", "Sort; the same key again turns the order round:"))
        lines += [
            _line("", "  ".join(_letter(action, keys_of) for action in some)) for some in (sorts[:half], sorts[half:])
        ]
    return Content("\n").join(lines)


def commands() -> Content:
    """The commands of the command line."""
    listed = [_line(verb.words, verb.help, COMMAND_WIDTH) for verb in VERBS]
    return Content("\n").join(
        [Content.styled("Commands, after a colon; they may be shortened", "bold $primary"), *listed]
    )


def filters() -> Content:
    """The language of the filter."""
    heading = Content.styled("Filter", "bold $primary")
    return Content("\n").join([heading, *(_line(example, words, COMMAND_WIDTH) for example, words in FILTER)])


def columns(parts: list[Content]) -> tuple[list[Content], list[Content]]:
    """The parts in two columns of about the same height, in their order."""
    heights = [len(part.plain.splitlines()) + 1 for part in parts]
    split = min(range(len(parts)), key=lambda at: abs(sum(heights[:at]) - sum(heights[at:])))
    return parts[:split], parts[split:]


def _line(keys: str, words: str, width: int = KEYS_WIDTH) -> Content:
    return Content.assemble((f"{keys:{width}}", "bold $accent"), " ", words)


def _letter(action: Action, keys_of: KeysOf) -> str:
    return f"{shown_key(keys_of(action)[0])} {action.name.partition('-')[2]}"


class HelpScreen(ModalScreen[None]):
    """What each key and command does."""

    app: "ConsoleApp"

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
            dialog.border_title = "Keys and commands"
            dialog.border_subtitle = "esc closes"
            keys_of = self.app.keys_of
            parts = [worded(heading, actions, keys_of) for heading, actions in sections()]
            with Container(id="columns"):
                for column in columns([*parts, commands(), filters()]):
                    with Vertical(classes="column"):
                        for part in column:
                            yield Static(part, markup=False, classes="section")

    def action_close(self) -> None:
        """Closes the help."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scrolls on a small terminal."""
        self.query_one("#help").scroll_relative(y=lines, animate=False)
