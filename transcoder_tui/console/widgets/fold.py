"""Lines of a form that are rarely used: folded under their heading until the operator opens it."""

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

from rich.cells import cell_len
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Vertical
from textual.message import Message
from textual.strip import Strip

from transcoder_tui.console.form_fields import Entry, Path, has, value_at
from transcoder_tui.console.widgets.cells import fit, line
from transcoder_tui.console.widgets.form_field import FormField
from transcoder_tui.console.widgets.painted import Painted


class FoldHeading(Painted, can_focus=True):
    """The line that opens and closes a fold."""

    PREFIX = "fold"
    COMPONENT_CLASSES: ClassVar[set[str]] = {"fold--title", "fold--note"}
    BINDINGS: ClassVar[list[BindingType]] = [Binding("enter,space", "fold", "Open or close", show=False)]

    class Toggled(Message):
        """The operator opens or closes it."""

    def __init__(self, title: str, note: Callable[[], str]) -> None:
        super().__init__()
        self._title = title
        self._note = note
        self.is_open = False

    def action_fold(self) -> None:
        """Opens or closes it."""
        self.post_message(self.Toggled())

    def on_click(self) -> None:
        """Opens or closes it."""
        self.action_fold()

    def render_line(self, y: int) -> Strip:
        """An arrow, the title, and what is set in it."""
        title = f" {'▾' if self.is_open else '▸'} {self._title} "
        room = max(0, self.size.width - cell_len(title))
        parts = [(title, "title"), (fit(self._note(), room), "note")]
        return line(((text, self.tone(name)) for text, name in parts), self.size.width, self.base)


class Fold(Vertical):
    """A heading, and the lines below it, which are made when they are first looked at.

    Args:
        title: The heading.
        entries: The lines.
        document: What they hold at first.
    """

    def __init__(self, title: str, entries: Sequence[Entry], document: dict[str, Any]) -> None:
        super().__init__()
        self._entries = entries
        self._document = document
        self._heading = FoldHeading(title, self._set)
        self.fields: dict[Path, FormField] = {}
        """The lines; none before it was opened."""

    def compose(self) -> ComposeResult:
        """The heading only."""
        yield self._heading

    @property
    def is_open(self) -> bool:
        """Whether its lines are shown."""
        return self._heading.is_open

    @property
    def entries(self) -> Sequence[Entry]:
        """The lines, whether or not they are made."""
        return self._entries

    def value(self, entry: Entry) -> Any:
        """What a line holds; an empty text where it was not made and nothing is given for it."""
        field = self.fields.get(entry.path)
        if field is not None:
            return field.value
        return value_at(self._document, entry) if has(self._document, entry) else ""

    def on_fold_heading_toggled(self, event: FoldHeading.Toggled) -> None:
        """Opens or closes."""
        event.stop()
        self.unfold(not self.is_open)

    def unfold(self, is_open: bool = True) -> None:
        """Shows the lines, or hides them."""
        if is_open and not self.fields:
            self.fields = {
                entry.path: FormField(entry, value_at(self._document, entry), None) for entry in self._entries
            }
            self.mount(Grid(*self.fields.values(), classes="fields"))
        self._heading.is_open = is_open
        for field in self.fields.values():
            field.display = is_open
        self._heading.refresh()
        self.post_message(self.Toggled())

    class Toggled(Message):
        """Its lines were shown or hidden."""

    def _set(self) -> str:
        """What is set in it, in a few words, as long as it is closed."""
        if self.is_open:
            return ""
        given = [entry for entry in self._entries if self.value(entry) not in ("", entry.default)]
        return ", ".join(f"{entry.about.label} {self.value(entry)}" for entry in given)
