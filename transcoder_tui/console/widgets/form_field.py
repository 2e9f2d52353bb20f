"""One line of a form to fill in."""

from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, Static

from transcoder_tui.console.form_fields import Entry
from transcoder_tui.console.widgets.choice import Choice
from transcoder_tui.errors import Fault

Names = Callable[[], Iterable[str]]

PICKED = "interface"
"""Name of the fields that are also filled in from a list, with the space bar: what they hold has no blanks."""


class KnownNames(Suggester):
    """Completes what is typed to a name that exists at that moment.

    Args:
        names: Says which names there are.
    """

    def __init__(self, names: Names) -> None:
        super().__init__(use_cache=False)
        self._names = names

    async def get_suggestion(self, value: str) -> str | None:
        """The first name that begins with what is typed."""
        return next((name for name in self._names() if name.startswith(value)), None) if value else None


class PickInput(Input):
    """A text that can be picked from a list."""

    # The field would write a blank otherwise, so that the screen never sees the key.
    BINDINGS: ClassVar[list[BindingType]] = [Binding("space", "screen.interfaces", "List", show=False, priority=True)]


class FormField(Vertical):
    """A label, a control and a unit, and below them what is wrong with the value.

    Args:
        entry: What is filled in.
        value: What it holds at first.
        names: Names to complete to, where it refers to something.
    """

    class Edited(Message):
        """The value was changed."""

    def __init__(self, entry: Entry, value: Any, names: Names | None) -> None:
        super().__init__(classes="-wide" if entry.wide else "")
        self.entry = entry
        self.touched = False
        """Whether the operator changed it; before that, nothing is held against it."""
        self._control = self._made(value, names)
        # Kept at hand: a fault may have to be shown before the field is mounted, where its fold was just opened.
        self._fault = Static(markup=False, classes="field-fault")
        self._fault.display = False

    def _made(self, value: Any, names: Names | None) -> Input | Choice:
        if self.entry.options:
            return Choice(self.entry.options, value)
        example = self.entry.about.example
        kind = PickInput if self.entry.path[-1] == PICKED else Input
        field = kind(
            str(value),
            placeholder=f"such as {example}" if example else "",
            compact=True,
            select_on_focus=False,
            suggester=KnownNames(names) if names else None,
        )
        field.cursor_blink = False
        return field

    def compose(self) -> ComposeResult:
        """The line, and room for a fault."""
        about = self.entry.about
        label = f"{about.label} *" if about.required else about.label
        with Horizontal(classes="field-line"):
            yield Static(Content(label), markup=False, classes="field-label")
            yield self._control
            yield Static(Content(about.unit), markup=False, classes="field-unit")
        yield self._fault

    @property
    def value(self) -> Any:
        """What it holds; an empty text where nothing is given."""
        value = self._control.value
        return value.strip() if isinstance(value, str) else value

    def fill(self, value: str) -> None:
        """Writes a value into it, in the operator's place."""
        self._control.value = value
        self.touched = True

    def focus_control(self) -> None:
        """Puts the operator into the field."""
        self._control.focus()

    def show_fault(self, fault: Fault | None) -> None:
        """Says what is wrong with the value; nothing where it is right."""
        self._fault.display = fault is not None
        self.set_class(fault is not None, "-faulty")
        if fault is not None:
            self._fault.update(Content(f"✖ {fault.fault}" + (f"; {fault.remedy}" if fault.remedy else "")))

    def on_input_changed(self, event: Input.Changed) -> None:
        """Notes that the operator wrote something."""
        event.stop()
        self._edited()

    def on_choice_changed(self, event: Choice.Changed) -> None:
        """Notes that the operator chose something."""
        event.stop()
        self._edited()

    def _edited(self) -> None:
        self.touched = True
        self.post_message(self.Edited())


def field_around(widget: Widget | None) -> FormField | None:
    """The field that a control stands in."""
    while widget is not None and not isinstance(widget, FormField):
        parent = widget.parent
        widget = parent if isinstance(parent, Widget) else None
    return widget
