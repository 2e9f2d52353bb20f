"""All keys, from the action registry; all commands, from theirs; and the language of the filter."""

from textwrap import wrap
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Container, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from transcoder_tui.console.actions import ACTIONS, Action, KeysOf, Scope, scopes_of, shown_key
from transcoder_tui.console.command_line import VERBS
from transcoder_tui.console.query import ALIASES, FIELDS, FIGURES

if TYPE_CHECKING:
    from transcoder_tui.console.app import ConsoleApp

COLUMN = 71
"""Cells of a line: what a terminal of 80 has room for."""
KEYS_WIDTH = 11
"""Cells for an action's keys, such as ``enter space``."""
COMMAND_WIDTH = 20
"""Cells for a command: the longest is ``:acknowledge [WHICH]``."""

Section = tuple[str, list[Action]]

FILTER = (
    ("news sport", "Both, in name, group, source, output or status; as regular expressions"),
    ('!ok "on air"', "Not this; words that belong together"),
    ("~nws  -f nws", "Letters of a name, in this order"),
    ("status:error", f"In one field: {', '.join([*FIELDS, *ALIASES])}"),
    ("cpu>50", f"A figure: {', '.join(FIGURES)}"),
)
"""What a filter understands, with examples."""


def sections(scope: Scope) -> tuple[list[Section], list[Section]]:
    """Headings with their actions, in the registry's order: what is valid in a screen, and what is in others."""
    valid = scopes_of(scope)
    here: dict[str, list[Action]] = {}
    elsewhere: dict[str, list[Action]] = {}
    for action in ACTIONS:
        (here if action.scope in valid else elsewhere).setdefault(action.section, []).append(action)
    return list(here.items()), list(elsewhere.items())


def worded(heading: str, actions: list[Action], keys_of: KeysOf) -> Content:
    """One section of the help. Orders of the table share two lines: ten alike would hide the rest."""
    lines = [Content.styled(heading, "bold $primary")]
    sorts = [action for action in actions if action.name.startswith("sort-")]
    # Esc leads back from five screens alike.
    listed = dict.fromkeys((keys_of(action), action.help) for action in actions if action not in sorts)
    lines += [_line(" ".join(map(shown_key, keys)), words) for keys, words in listed]
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


def _line(keys: str, words: str, width: int = KEYS_WIDTH) -> Content:
    first, *more = wrap(words, COLUMN - width - 1)
    shown = Content.assemble((f"{keys:{width}}", "bold $accent"), " ", first)
    return Content("\n").join([shown, *(Content(" " * (width + 1) + rest) for rest in more)])


def _letter(action: Action, keys_of: KeysOf) -> str:
    return f"{shown_key(keys_of(action)[0])} {action.name.partition('-')[2]}"


class HelpScreen(ModalScreen[None]):
    """What each key and command does; what is valid where it was asked for comes first.

    Args:
        scope: Where that is.
    """

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

    def __init__(self, scope: Scope) -> None:
        super().__init__()
        self._scope = scope

    def compose(self) -> ComposeResult:
        """The sections."""
        with VerticalScroll(classes="dialog", id="help", can_focus=False) as dialog:
            dialog.border_title = "Keys and commands"
            dialog.border_subtitle = "esc closes"
            keys_of = self.app.keys_of
            here, elsewhere = (
                [worded(heading, actions, keys_of) for heading, actions in part] for part in sections(self._scope)
            )
            with Container(id="columns"):
                for column in (here, [commands(), filters(), *elsewhere]):
                    with Vertical(classes="column"):
                        for part in column:
                            yield Static(part, markup=False, classes="section")

    def action_close(self) -> None:
        """Closes the help."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scrolls on a small terminal."""
        self.query_one("#help").scroll_relative(y=lines, animate=False)
