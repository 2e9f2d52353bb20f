"""What every form does that fills in a document: sections made from a model, validation as one types, parts."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Generic, Literal, TypeVar

from pydantic import BaseModel
from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.events import DescendantFocus
from textual.screen import Screen
from textual.widgets import Input, Static

from transcoder_tui.console import format as written
from transcoder_tui.console.actions import Scope, bindings_for
from transcoder_tui.console.form_fields import parts_of, sections_of, steps_of
from transcoder_tui.console.ladder import next_rung
from transcoder_tui.console.orders import Question
from transcoder_tui.console.screens.confirm import ConfirmScreen
from transcoder_tui.console.screens.fault import FaultScreen
from transcoder_tui.console.widgets.form_field import FormField, Names, field_around
from transcoder_tui.console.widgets.form_section import FormBody, FormSection, section_around
from transcoder_tui.console.widgets.heading import Heading
from transcoder_tui.console.widgets.key_bar import KeyBar
from transcoder_tui.errors import Fault, InvalidInput, TranscoderError
from transcoder_tui.models.faults import parse

if TYPE_CHECKING:
    from transcoder_tui.console.app import ConsoleApp

Model = TypeVar("Model", bound=BaseModel)
Result = TypeVar("Result")

BROAD = 132
"""Cells of a terminal from which on something stands beside the form."""


class DocumentForm(Screen[Result], Generic[Model, Result]):
    """Fills in the document of a model, one section for its own lines and one for each of its parts.

    Args:
        model: What is filled in.
        title: Of the whole form.
        first: The document that it begins with.
        names: Names to complete to, by field name.
        begun: Whether nothing is filled in yet; then only what the operator touched is held against him.
    """

    CSS_PATH = "form.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (72, "-narrow"), (BROAD, "-broad"), (190, "-vast")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("form")]
    KEYS: ClassVar[Scope] = "form"
    """Whose keys the footer shows."""
    NOUN: ClassVar[str]
    """What the document is of: ``channel``."""

    app: "ConsoleApp"

    def __init__(
        self,
        model: type[Model],
        title: str,
        first: dict[str, Any],
        *,
        names: Mapping[str, Names] | None = None,
        begun: bool = False,
    ) -> None:
        super().__init__()
        self._model = model
        self._heading = title
        self._first = first
        self._names: dict[str, Names] = {"rendition": self._rendition_names, **(names or {})}
        self._repeated = sections_of(model)
        self._body = FormBody(id="form")
        self._submitted = not begun
        self._refused: list[Fault] = []
        self._before: dict[str, Any] = {}

    # What a form of its own adds

    def beside(self) -> ComposeResult:
        """What stands beside the sections where there is room."""
        yield from ()

    def below(self) -> ComposeResult:
        """What stands below the sections."""
        yield from ()

    def edited(self, checked: Model | None, *, typing: bool) -> None:
        """Called once there is something filled in, and whenever it changes.

        Args:
            checked: What it is by now; None where something is wrong with it.
            typing: Whether more may follow with the next key.
        """

    def hint(self, field: FormField) -> str:
        """What the help line says about a field besides its own description."""
        return ""

    async def store(self, checked: Model) -> None:
        """Stores what is filled in, and leaves the form.

        Raises:
            TranscoderError: Where the worker refuses it.
        """
        raise NotImplementedError

    # Building

    def compose(self) -> ComposeResult:
        """Heading, sections, help and keys."""
        yield Heading(self._heading, id="form-heading")
        with Container(id="form-body"):
            with self._body:
                yield from self._filled_in(self._first)
            yield from self.beside()
        yield from self.below()
        yield Static(markup=False, id="form-help")
        yield KeyBar(self.KEYS, id="keys")

    def _filled_in(self, filled: dict[str, Any]) -> Iterator[FormSection]:
        """All sections, as they stand below each other: the document's own lines, its parts, what stands apart."""
        (_, own), *apart = parts_of(self._model).items()
        yield FormSection(self.NOUN.capitalize(), {"": own}, filled, "", self._names)
        for part in self._repeated:
            for document in filled.get(part) or [{}]:
                yield self._section(part, document)
        for heading, entries in apart:
            yield FormSection(heading, {"": entries}, filled, "", self._names)

    def _section(self, part: str, document: dict[str, Any]) -> FormSection:
        about, model = self._repeated[part]
        return FormSection(about.label.removesuffix("s"), parts_of(model), document, part, self._names)

    def on_mount(self) -> None:
        """Remembers what it began with, to notice changes."""
        self._before = self.document()
        self.edited(self._check(), typing=False)
        self.call_after_refresh(self._focus_first)

    def _focus_first(self) -> None:
        self._sections()[0].fields[("name",)].focus_control()

    async def _fill_in(self, document: dict[str, Any]) -> None:
        """Puts another document in the place of what is filled in."""
        with self.app.batch_update():
            await self._body.remove_children()
            await self._body.mount(*self._filled_in(document))
        self.edited(self._check(), typing=False)
        self._focus_first()

    # The document

    def _sections(self, part: str | None = None) -> list[FormSection]:
        sections = (child for child in self._body.children if isinstance(child, FormSection))
        return [section for section in sections if part is None or section.part == part]

    def document(self) -> dict[str, Any]:
        """What is filled in."""
        document = {name: value for section in self._sections("") for name, value in section.document().items()}
        for part in self._repeated:
            document[part] = [section.document() for section in self._sections(part)]
        return document

    def _rendition_names(self) -> list[str]:
        return [str(section.fields[("name",)].value) for section in self._sections("renditions")]

    def _check(self) -> Model | None:
        """Validates what is filled in and shows each fault at its field.

        Returns:
            What it is; None where something is wrong.
        """
        checked: Model | None = None
        faults: Sequence[Fault] = self._refused
        try:
            checked = parse(self._model, self.document())
        except InvalidInput as error:
            faults = [*error.faults, *self._refused]
        self._show_faults(faults)
        return None if faults else checked

    def _show_faults(self, faults: Sequence[Fault]) -> list[Fault]:
        """Shows faults at their fields.

        Returns:
            The ones that belong to no field.
        """
        at: dict[FormField, Fault] = {}
        homeless: list[Fault] = []
        for fault in faults:
            field = self._field_for(fault)
            if field is None:
                homeless.append(fault)
            else:
                at.setdefault(field, fault)
        number: Counter[str] = Counter()
        for section in self._sections():
            for field in section.fields.values():
                field.show_fault(at.get(field) if field.touched or self._submitted else None)
            number[section.part] += 1
            section.show_heading(number[section.part] if section.part else None, "")
        left = len(at) + len(homeless)
        note = f"✖ {written.plural(left, 'field')} to correct" if left else "✓ complete"
        self.query_one("#form-heading", Heading).show(self.subject(), note)
        return homeless

    def subject(self) -> str:
        """What the heading says behind the title."""
        return ""

    def _field_for(self, fault: Fault) -> FormField | None:
        steps = steps_of(fault.field)
        if len(steps) >= 2 and steps[0] in self._repeated and isinstance(steps[1], int):
            sections = self._sections(str(steps[0]))
            return sections[steps[1]].field_for(steps[2:]) if steps[1] < len(sections) else None
        fields = (section.field_for(steps) for section in self._sections(""))
        return next((field for field in fields if field is not None), None)

    # What the operator does

    def on_form_field_edited(self) -> None:
        """Validates as one types."""
        self._refused = []
        for section in self._sections():
            section.show_belonging()
        self.edited(self._check(), typing=True)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """The return key goes on to the next field."""
        event.stop()
        self.focus_next()

    def on_descendant_focus(self, _: DescendantFocus) -> None:
        """Explains the field that the operator came to."""
        self._show_help()

    def _show_help(self) -> None:
        field = field_around(self.focused)
        if field is None:
            return
        about = field.entry.about
        more = (f"Allowed: {about.range}." if about.range else "", self.hint(field))
        words = " ".join(text for text in (about.help, *more) if text)
        self.query_one("#form-help", Static).update(Content.assemble((f"{about.label}: ", "bold $primary"), words))

    def action_next(self) -> None:
        """To the next field."""
        self.focus_next()

    def action_previous(self) -> None:
        """To the previous field."""
        self.focus_previous()

    def action_section(self, where: Literal["next", "previous"]) -> None:
        """To the first field of the next section, or of the one before."""
        sections = self._sections()
        here = section_around(self.focused)
        place = sections.index(here) if here is not None else 0
        there = sections[max(0, min(len(sections) - 1, place + (1 if where == "next" else -1)))]
        next(iter(there.fields.values())).focus_control()

    async def action_add(self) -> None:
        """Adds another of the part that the operator is in."""
        section = self._part_around()
        if section is None:
            return
        taken = self._rendition_names()
        added = self._section(section.part, next_rung(taken) if section.part == "renditions" else {})
        await self._body.mount(added, after=section)
        self.on_form_field_edited()
        next(iter(added.fields.values())).focus_control()
        # Only after the layout is known where the section lies, and how much of it is shown.
        self.call_after_refresh(self._body.scroll_to_widget, added, top=True, animate=False)

    async def action_remove(self) -> None:
        """Removes the part that the operator is in, unless it is the last of its sort."""
        section = self._part_around()
        if section is None:
            return
        others = self._sections(section.part)
        if len(others) == 1:
            self.notify(f"A {self.NOUN} needs at least one of these.", severity="warning", markup=False)
            return
        place = others.index(section)
        await section.remove()
        left = self._sections(section.part)
        next(iter(left[min(place, len(left) - 1)].fields.values())).focus_control()
        self.on_form_field_edited()

    def _part_around(self) -> FormSection | None:
        """The part that the operator is in; where he is in none, he is told where to go."""
        section = section_around(self.focused)
        if section is not None and section.part:
            return section
        *others, last = (about.label.removesuffix("s").lower() for about, _ in self._repeated.values())
        words = f"{', '.join(others)} or {last}" if others else last
        self.notify(f"Go to a {words} first.", markup=False)
        return None

    @work(group="close", exclusive=True)
    async def action_close(self) -> None:
        """Leaves the form, after asking where something would be lost."""
        if self.document() != self._before:
            asked = Question("Leave without saving?", "What you changed would be lost.", "Leave")
            if not await self.app.push_screen_wait(ConfirmScreen(asked)):
                return
        self.dismiss(None)

    # Storing

    @work(group="save", exclusive=True)
    async def action_save(self) -> None:
        """Stores the document, or shows why not."""
        self._submitted = True
        self._refused = []
        checked = self._check()
        if checked is None:
            self._focus_fault()
            return
        try:
            await self.store(checked)
        except TranscoderError as error:
            self._show_refusal(error)

    def _show_refusal(self, error: TranscoderError) -> None:
        """Shows what the worker refused: at its fields where it named them, else in a dialog."""
        self._refused = list(error.faults) if isinstance(error, InvalidInput) else []
        homeless = self._show_faults(self._refused)
        if not isinstance(error, InvalidInput) or homeless:
            self.app.push_screen(FaultScreen(error.title, homeless or error.faults))
        self._refused = [fault for fault in self._refused if fault not in homeless]
        self._focus_fault()

    def _focus_fault(self) -> None:
        faulty = next(iter(self.query(FormField).filter(".-faulty")), None)
        if faulty is not None:
            # Its fold may just have been opened.
            self.call_after_refresh(faulty.focus_control)
