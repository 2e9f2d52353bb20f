"""A choice of a few values on one line, turned with the arrow keys or the space bar."""

from collections.abc import Sequence
from typing import ClassVar

from rich.cells import cell_len
from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive
from textual.strip import Strip

from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.painted import Painted

ARROWS = ("\N{SINGLE LEFT-POINTING ANGLE QUOTATION MARK} ", " \N{SINGLE RIGHT-POINTING ANGLE QUOTATION MARK}")
"""What stands around a value, to say that there are others."""

Value = str | int | bool


class Choice(Painted, can_focus=True):
    """One of several values.

    Args:
        options: Each value with the word that is shown for it.
        value: The one that is chosen at first.
    """

    PREFIX = "choice"
    COMPONENT_CLASSES: ClassVar[set[str]] = {"choice--arrow", "choice--value"}
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("right,space", "turn(1)", "Next value", show=False),
        Binding("left", "turn(-1)", "Previous value", show=False),
    ]

    value: reactive[Value] = reactive("", init=False)
    """What is chosen."""

    class Changed(Message):
        """Another value was chosen."""

        def __init__(self, choice: "Choice") -> None:
            self.choice = choice
            super().__init__()

        @property
        def control(self) -> "Choice":
            """Where it was chosen."""
            return self.choice

    def __init__(self, options: Sequence[tuple[str, Value]], value: Value) -> None:
        super().__init__()
        self._options = list(options)
        self.set_reactive(Choice.value, value)

    @property
    def words(self) -> str:
        """What is shown for the value."""
        return next((words for words, value in self._options if value == self.value), str(self.value))

    def action_turn(self, steps: int) -> None:
        """Goes on to the next value, or back; behind the last comes the first."""
        values = [value for _, value in self._options]
        place = values.index(self.value) if self.value in values else 0
        self.value = values[(place + steps) % len(values)]

    def on_click(self) -> None:
        """Goes on to the next value."""
        self.action_turn(1)

    def watch_value(self) -> None:
        """Tells the form."""
        self.post_message(self.Changed(self))

    def render_line(self, y: int) -> Strip:
        """The value between two arrows."""
        arrow = self.tone("arrow")
        value = self.tone("value")
        widest = min(max((cell_len(words) for words, _ in self._options), default=1), max(1, self.size.width - 4))
        left, right = ARROWS
        return line([(left, arrow), (fit(self.words, widest), value), (right, arrow)], self.size.width, self.base)
