"""The form in which a channel is created, edited or cloned."""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container
from textual.content import Content
from textual.events import DescendantFocus
from textual.screen import Screen
from textual.timer import Timer
from textual.widgets import Input, Static

from transcoder_tui.console import format as written
from transcoder_tui.console.actions import bindings_for
from transcoder_tui.console.differences import Merged
from transcoder_tui.console.edge import Edge
from transcoder_tui.console.form_fields import parts_of, sections_of, steps_of
from transcoder_tui.console.ladder import next_rung
from transcoder_tui.console.orders import Question
from transcoder_tui.console.saving import Saved, Saving
from transcoder_tui.console.screens.confirm import ConfirmScreen
from transcoder_tui.console.screens.fault import FaultScreen
from transcoder_tui.console.screens.interface import InterfaceScreen
from transcoder_tui.console.screens.ladder_choice import LadderChoiceScreen
from transcoder_tui.console.screens.probe import ProbeScreen
from transcoder_tui.console.screens.review import Review, ReviewScreen
from transcoder_tui.console.status import is_live
from transcoder_tui.console.widgets.command_preview import CommandPreview
from transcoder_tui.console.widgets.cost_line import CostLine
from transcoder_tui.console.widgets.form_field import PICKED, FormField, Names, field_around
from transcoder_tui.console.widgets.form_section import FormBody, FormSection, section_around
from transcoder_tui.console.widgets.heading import Heading
from transcoder_tui.console.widgets.key_bar import KeyBar
from transcoder_tui.errors import Fault, InvalidInput, TranscoderError
from transcoder_tui.models.channel import ChannelFields, ChannelSpec
from transcoder_tui.models.faults import parse
from transcoder_tui.models.probe import DEFAULT_TIME_S
from transcoder_tui.models.source import Source

if TYPE_CHECKING:
    from transcoder_tui.console.app import ConsoleApp
    from transcoder_tui.models.view import ChannelDocument, ChannelView, Interface

Kind = Literal["new", "edit", "clone"]

PAUSE_S = 0.3
"""Seconds after the last key until the worker is asked what it costs and which command it gives."""
BROAD = 132
"""Cells of a terminal from which on the command stands beside the form."""
PARTS = sections_of(ChannelSpec)
"""Sources, renditions and outputs: the parts of a channel of which there may be several."""
CHANNEL, *APART = parts_of(ChannelFields).items()
"""The channel's own lines, and those that stand apart at the end of the form."""


def first_document() -> dict[str, Any]:
    """What a new channel's form holds: one of each part, the rendition ready to use."""
    return {"sources": [{}], "renditions": [next_rung(["1080p"])], "outputs": [{}]}


class FormScreen(Screen[Saved]):
    """Fills in a channel's document; dismissed with the channel as it was stored, else with nothing.

    Args:
        edge: Stores it.
        kind: Whether it is a new channel, one to change, or a copy of one.
        document: The channel to change or to copy.
        channel: The same as the table shows it, to know whether it is on air.
        parts: What a new channel begins with instead of the usual: its sources, its renditions, its outputs.
    """

    CSS_PATH = "form.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-slim"), (72, "-narrow"), (BROAD, "-broad"), (190, "-vast")]  # noqa: RUF012
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("form")]

    app: "ConsoleApp"

    def __init__(
        self,
        edge: Edge,
        kind: Kind,
        document: "ChannelDocument | None",
        channel: "ChannelView | None",
        parts: dict[str, Any] | None = None,
    ) -> None:
        super().__init__()
        self._edge = edge
        self._kind = kind
        self._channel = channel
        self._first = dict(document.spec) if document is not None else first_document() | (parts or {})
        self._title = {"new": "New channel", "edit": "Edit ", "clone": "New channel, a copy of "}[kind]
        if kind != "new":
            self._title += str(self._first.get("name", ""))
        if kind == "clone":
            self._first["name"] = f"{self._first.get('name', '')} copy"
        self._saving = Saving(edge, document if kind == "edit" else None, self._is_live, self._ask)
        self._body = FormBody(id="form")
        self._interfaces: list[Interface] = []
        self._submitted = kind != "new"
        self._refused: list[Fault] = []
        self._names: dict[str, Names] = {PICKED: self._interface_names, "rendition": self._rendition_names}
        self._before: dict[str, Any] = {}
        self._pause: Timer | None = None
        self._wants_command: bool | None = None
        """Whether the operator asked for the command or sent it away; None leaves it to the terminal's width."""

    # Building

    def compose(self) -> ComposeResult:
        """Heading, sections, help and keys."""
        yield Heading(self._title, id="form-heading")
        with Container(id="form-body"):
            with self._body:
                yield from self._filled_in(self._first)
            yield CommandPreview(id="form-command")
        yield CostLine(id="form-cost")
        yield Static(markup=False, id="form-help")
        yield KeyBar("form", id="keys")

    def _filled_in(self, filled: dict[str, Any]) -> Iterator[FormSection]:
        """All sections, as they stand below each other."""
        yield FormSection("Channel", {"": CHANNEL[1]}, filled, "", self._names)
        for part in PARTS:
            for document in filled.get(part) or [{}]:
                yield self._section(part, document)
        for heading, entries in APART:
            yield FormSection(heading, {"": entries}, filled, "", self._names)

    def _section(self, part: str, document: dict[str, Any]) -> FormSection:
        about, model = PARTS[part]
        return FormSection(about.label.removesuffix("s"), parts_of(model), document, part, self._names)

    def on_mount(self) -> None:
        """Remembers what it began with, to notice changes."""
        self._before = self.document()
        self._ask_worker(self._check())
        self.call_after_refresh(self._focus_first)
        self._learn_interfaces()

    def _focus_first(self) -> None:
        self._sections()[0].fields[("name",)].focus_control()

    @work(group="interfaces")
    async def _learn_interfaces(self) -> None:
        try:
            self._interfaces = await self._edge.interfaces()
        except TranscoderError:
            return
        self._show_help()

    @work(group="cost", exclusive=True)
    async def _ask_cost(self, spec: ChannelSpec | None) -> None:
        """Says what the channel will cost; nothing while something is wrong with it, or the worker does not answer."""
        cost = None
        if spec is not None:
            with suppress(TranscoderError):
                cost = await self._edge.cost(spec.document(), self._replaced)
        self.query_one(CostLine).show(cost)

    def _ask_worker(self, spec: ChannelSpec | None) -> None:
        """Has the channel priced, and its command built where that is looked at."""
        self._ask_cost(spec)
        if self.query_one(CommandPreview).display:
            self._ask_command(spec)

    @work(group="command", exclusive=True)
    async def _ask_command(self, spec: ChannelSpec | None) -> None:
        """Shows the command that the channel would give; while something is wrong with it, the one from before."""
        preview = self.query_one(CommandPreview)
        if spec is None:
            preview.wait()
            return
        try:
            preview.show((await self._edge.preview(spec.document(), self._replaced)).argv)
        except TranscoderError as error:
            preview.refuse(error.faults)

    @property
    def _replaced(self) -> int | None:
        """The stored channel whose place this one takes."""
        return self._saving.stored.id if self._saving.stored is not None else None

    def on_resize(self) -> None:
        """Puts the command beside the form where there is room."""
        self._show_command()

    def _show_command(self) -> None:
        preview = self.query_one(CommandPreview)
        before = preview.display
        wanted = self._wants_command
        preview.display = self.size.width >= BROAD if wanted is None else wanted
        self.set_class(preview.display, "-with-command")
        if preview.display and not before:
            self._ask_command(self._check())

    # The document

    def _sections(self, part: str | None = None) -> list[FormSection]:
        sections = (child for child in self._body.children if isinstance(child, FormSection))
        return [section for section in sections if part is None or section.part == part]

    def document(self) -> dict[str, Any]:
        """What is filled in, as a channel's document."""
        document = {name: value for section in self._sections("") for name, value in section.document().items()}
        for part in PARTS:
            document[part] = [section.document() for section in self._sections(part)]
        return document

    def _interface_names(self) -> list[str]:
        return [interface.name for interface in self._interfaces]

    def _rendition_names(self) -> list[str]:
        return [str(section.fields[("name",)].value) for section in self._sections("renditions")]

    def _check(self) -> ChannelSpec | None:
        """Validates what is filled in and shows each fault at its field.

        Returns:
            The channel; None where something is wrong.
        """
        spec: ChannelSpec | None = None
        faults: Sequence[Fault] = self._refused
        try:
            spec = parse(ChannelSpec, self.document())
        except InvalidInput as error:
            faults = [*error.faults, *self._refused]
        self._show_faults(faults)
        return None if faults else spec

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
        self.query_one("#form-heading", Heading).show("", note)
        return homeless

    def _field_for(self, fault: Fault) -> FormField | None:
        steps = steps_of(fault.field)
        if len(steps) >= 2 and steps[0] in PARTS and isinstance(steps[1], int):
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
        spec = self._check()
        if self._pause is not None:
            self._pause.stop()
        self._pause = self.set_timer(PAUSE_S, lambda: self._ask_worker(spec))

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
        more = [f"Allowed: {about.range}." if about.range else ""]
        if field.entry.path[-1] == PICKED and self._interfaces:
            more.append(f"Here: {', '.join(self._interface_names())}. Space lists them with what they carry.")
        words = " ".join(text for text in (about.help, *more) if text)
        self.query_one("#form-help", Static).update(Content.assemble((f"{about.label}: ", "bold $primary"), words))

    def action_next(self) -> None:
        """To the next field."""
        self.focus_next()

    def action_previous(self) -> None:
        """To the previous field."""
        self.focus_previous()

    async def action_add(self) -> None:
        """Adds another of the part that the operator is in."""
        section = section_around(self.focused)
        if section is None or not section.part:
            self.notify("Go to a source, rendition or output first.", markup=False)
            return
        taken = self._rendition_names()
        added = self._section(section.part, next_rung(taken) if section.part == "renditions" else {})
        await self._body.mount(added, after=section)
        self._check()
        next(iter(added.fields.values())).focus_control()
        # Only after the layout is known where the section lies, and how much of it is shown.
        self.call_after_refresh(self._body.scroll_to_widget, added, top=True, animate=False)

    async def action_remove(self) -> None:
        """Removes the part that the operator is in, unless it is the last of its sort."""
        section = section_around(self.focused)
        if section is None or not section.part:
            self.notify("Go to a source, rendition or output first.", markup=False)
            return
        others = self._sections(section.part)
        if len(others) == 1:
            self.notify("A channel needs at least one of these.", severity="warning", markup=False)
            return
        place = others.index(section)
        await section.remove()
        left = self._sections(section.part)
        next(iter(left[min(place, len(left) - 1)].fields.values())).focus_control()
        self._check()

    def action_command(self) -> None:
        """Shows the FFmpeg command, or hides it."""
        self._wants_command = not self.query_one(CommandPreview).display
        self._show_command()

    def action_scroll_command(self, where: str) -> None:
        """Moves through the command."""
        self.query_one(CommandPreview).move(3 if where == "down" else -3)

    @work(group="interfaces", exclusive=True)
    async def action_interfaces(self) -> None:
        """Lists the host's interfaces with what they carry; the one that is chosen is filled in."""
        section, field = section_around(self.focused), field_around(self.focused)
        if section is None or field is None or field.entry.path[-1] != PICKED:
            self.notify("Go to the interface of a source or an output first.", markup=False)
            return
        try:
            self._interfaces = await self._edge.interfaces()
        except TranscoderError as error:
            self.app.push_screen(FaultScreen(error.title, error.faults))
            return
        way: Literal["rx", "tx"] = "rx" if section.part == "sources" else "tx"
        listed = InterfaceScreen(self._interfaces, self.app.rack, way, str(field.value))
        chosen = await self.app.push_screen_wait(listed)
        if chosen is not None:
            field.fill(chosen)
            self.on_form_field_edited()

    @work(group="probe", exclusive=True)
    async def action_probe(self) -> None:
        """Looks into the source that the operator is in; a program that is chosen there is taken over."""
        section = section_around(self.focused)
        if section is None or section.part != "sources":
            self.notify("Go to a source first.", markup=False)
            return
        for field in section.fields.values():
            field.touched = True
        self._check()
        try:
            source = parse(Source, section.document())
        except InvalidInput:
            self._focus_fault()
            return
        document = source.model_dump(mode="json", exclude_none=True)
        taken = await self.app.push_screen_wait(ProbeScreen(self._edge, document, source.words, DEFAULT_TIME_S))
        taking = section.field_for(["program"]) if taken is not None else None
        if taken is not None and taken.program is not None and taking is not None:
            taking.fill(str(taken.program.number))
            self.on_form_field_edited()
            # Its fold may just have been opened.
            self.call_after_refresh(taking.focus_control)

    @work(group="ladder", exclusive=True)
    async def action_ladder(self) -> None:
        """Takes the renditions from a ladder, in the place of those that are filled in."""
        try:
            ladders = await self._edge.ladders()
        except TranscoderError as error:
            self.app.push_screen(FaultScreen(error.title, error.faults))
            return
        chosen = await self.app.push_screen_wait(LadderChoiceScreen(ladders))
        if chosen is None:
            return
        before = self._sections("renditions")
        taken = [self._section("renditions", document) for document in chosen.document()]
        await self._body.mount(*taken, after=before[-1])
        for section in before:
            await section.remove()
        self._check()
        next(iter(taken[0].fields.values())).focus_control()
        self.call_after_refresh(self._body.scroll_to_widget, taken[0], top=True, animate=False)

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
        """Stores the channel, or shows why not."""
        self._submitted = True
        self._refused = []
        spec = self._check()
        if spec is None:
            self._focus_fault()
            return
        try:
            done = await self._saving.save(spec)
        except TranscoderError as error:
            self._show_refusal(error)
            return
        if isinstance(done, Merged):
            await self._fill_in(done.document)
        elif done is not None:
            self.dismiss(done)

    def _is_live(self) -> bool:
        """Whether the channel is on air by now."""
        row = self._channel and self.app.rack.channels.get(self._channel.id)
        return row is not None and is_live(row)

    async def _ask(self, review: Review) -> str:
        return await self.app.push_screen_wait(ReviewScreen(review)) or ""

    async def _fill_in(self, document: dict[str, Any]) -> None:
        """Puts another document in the place of what is filled in."""
        with self.app.batch_update():
            await self._body.remove_children()
            await self._body.mount(*self._filled_in(document))
        self._ask_worker(self._check())
        self._focus_first()

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
