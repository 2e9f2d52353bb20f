"""Parts of a form: one line to fill in, and a section of such lines."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Grid, Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.suggester import Suggester
from textual.widget import Widget
from textual.widgets import Input, Static

from transcoder_tui.console.form_fields import Entry, Path, put, value_at
from transcoder_tui.console.widgets.choice import Choice
from transcoder_tui.console.widgets.heading import Heading
from transcoder_tui.errors import Fault

Names = Callable[[], Iterable[str]]


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

    def _made(self, value: Any, names: Names | None) -> Input | Choice:
        if self.entry.options:
            return Choice(self.entry.options, value)
        example = self.entry.about.example
        field = Input(
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
        yield Static(markup=False, classes="field-fault")

    @property
    def value(self) -> Any:
        """What it holds; an empty text where nothing is given."""
        value = self._control.value
        return value.strip() if isinstance(value, str) else value

    def focus_control(self) -> None:
        """Puts the operator into the field."""
        self._control.focus()

    def show_fault(self, fault: Fault | None) -> None:
        """Says what is wrong with the value; nothing where it is right."""
        line = self.query_one(".field-fault", Static)
        line.display = fault is not None
        self.set_class(fault is not None, "-faulty")
        if fault is not None:
            line.update(Content(f"✖ {fault.fault}" + (f"; {fault.remedy}" if fault.remedy else "")))

    def on_mount(self) -> None:
        """Begins without a fault."""
        self.show_fault(None)

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


class FormBody(VerticalScroll, can_focus=False, inherit_bindings=False):
    """All sections, below each other; scrolls by the page, as the arrows lead from field to field."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("pageup", "page_up", "Page up", show=False),
        Binding("pagedown", "page_down", "Page down", show=False),
    ]


class FormSection(Vertical):
    """The lines of one model, or some of them: the channel itself, a source, a rendition, an output.

    Args:
        title: What it is, such as ``Source``.
        entries: The lines.
        document: What they hold at first.
        part: The field of the channel's list that it belongs to; empty for the channel itself.
        names: Names to complete to, by field name.
    """

    def __init__(
        self, title: str, entries: Iterable[Entry], document: dict[str, Any], part: str, names: dict[str, Names]
    ) -> None:
        super().__init__()
        self.part = part
        self._title = title
        self.fields = {
            entry.path: FormField(entry, value_at(document, entry), names.get(entry.path[-1])) for entry in entries
        }

    def compose(self) -> ComposeResult:
        """A heading, and the fields in a grid."""
        yield Heading(self._title)
        with Grid(classes="fields"):
            yield from self.fields.values()

    def on_mount(self) -> None:
        """Shows only what belongs to the address."""
        self.show_belonging()

    def show_heading(self, number: int | None, note: str) -> None:
        """Draws the heading.

        Args:
            number: Position in its list, from 1 on; None where there is no list.
            note: Keys that apply here.
        """
        name = self.fields.get(("name",))
        words = f"{number}" if number is not None else ""
        if name is not None and number is not None and name.value:
            words = f"{number}  {name.value}"
        self.query_one(Heading).show(words, note)

    def show_belonging(self) -> None:
        """Hides the fields that the kind of address does not have, and those of a part that is switched off."""
        for path, field in self.fields.items():
            field.display = self._belongs(path, field.entry)

    def document(self) -> dict[str, Any]:
        """What is filled in, as the model's document; without what is empty or hidden."""
        document: dict[str, Any] = {}
        for path, field in self.fields.items():
            if not self._belongs(path, field.entry):
                continue
            if field.entry.switches:
                put(document, path, {} if field.value else None)
            elif field.value != "":
                put(document, path, field.value)
        return document

    def field_for(self, steps: Sequence[str | int]) -> FormField | None:
        """The field to which a fault belongs, or the one whose part it concerns."""
        path = tuple(str(step) for step in steps)
        for length in range(len(path), 0, -1):
            field = self.fields.get(path[:length])
            if field is not None and field.display:
                return field
        return None

    def _belongs(self, path: Path, entry: Entry) -> bool:
        switch = self.fields.get(path[:-1]) if len(path) > 1 else None
        if switch is not None and switch.entry.switches and not switch.value:
            return False
        address = self.fields.get(("url",))
        if not entry.about.kinds or address is None:
            return True
        return str(address.value).partition("://")[0].lower() in entry.about.kinds


def section_around(widget: Widget | None) -> FormSection | None:
    """The section that a widget stands in."""
    while widget is not None and not isinstance(widget, FormSection):
        parent = widget.parent
        widget = parent if isinstance(parent, Widget) else None
    return widget


def field_around(widget: Widget | None) -> FormField | None:
    """The field that a control stands in."""
    while widget is not None and not isinstance(widget, FormField):
        parent = widget.parent
        widget = parent if isinstance(parent, Widget) else None
    return widget
