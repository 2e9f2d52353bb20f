"""The form in which a channel is created, edited or cloned."""

from contextlib import suppress
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from textual import work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.timer import Timer

from transcoder_tui.console.actions import bindings_for
from transcoder_tui.console.differences import Merged
from transcoder_tui.console.edge import Edge
from transcoder_tui.console.ladder import next_rung
from transcoder_tui.console.saving import Saved, Saving
from transcoder_tui.console.screens.document_form import BROAD, DocumentForm
from transcoder_tui.console.screens.fault import FaultScreen
from transcoder_tui.console.screens.interface import InterfaceScreen
from transcoder_tui.console.screens.ladder_choice import LadderChoiceScreen
from transcoder_tui.console.screens.ladder_form import LadderFormScreen
from transcoder_tui.console.screens.probe import ProbeScreen
from transcoder_tui.console.screens.review import Review, ReviewScreen
from transcoder_tui.console.status import is_live
from transcoder_tui.console.widgets.command_preview import CommandPreview
from transcoder_tui.console.widgets.cost_line import CostLine
from transcoder_tui.console.widgets.form_field import PICKED, FormField, field_around
from transcoder_tui.console.widgets.form_section import section_around
from transcoder_tui.errors import InvalidInput, TranscoderError
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.faults import parse
from transcoder_tui.models.probe import DEFAULT_TIME_S
from transcoder_tui.models.source import Source

if TYPE_CHECKING:
    from transcoder_tui.models.view import ChannelDocument, ChannelView, Interface

Kind = Literal["new", "edit", "clone"]

PAUSE_S = 0.3
"""Seconds after the last key until the worker is asked what it costs and which command it gives."""


def first_document() -> dict[str, Any]:
    """What a new channel's form holds: one of each part, the rendition ready to use."""
    return {"sources": [{}], "renditions": [next_rung(["1080p"])], "outputs": [{}]}


class FormScreen(DocumentForm[ChannelSpec, Saved]):
    """Fills in a channel's document; dismissed with the channel as it was stored, else with nothing.

    Args:
        edge: Stores it.
        kind: Whether it is a new channel, one to change, or a copy of one.
        document: The channel to change or to copy.
        channel: The same as the table shows it, to know whether it is on air.
        parts: What a new channel begins with instead of the usual: its sources, its renditions, its outputs.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("channel_form")]
    KEYS = "channel_form"
    NOUN = "channel"

    def __init__(
        self,
        edge: Edge,
        kind: Kind,
        document: "ChannelDocument | None",
        channel: "ChannelView | None",
        parts: dict[str, Any] | None = None,
    ) -> None:
        first = dict(document.spec) if document is not None else first_document() | (parts or {})
        title = {"new": "New channel", "edit": "Edit ", "clone": "New channel, a copy of "}[kind]
        if kind != "new":
            title += str(first.get("name", ""))
        if kind == "clone":
            first["name"] = f"{first.get('name', '')} copy"
        super().__init__(ChannelSpec, title, first, names={PICKED: self._interface_names}, begun=kind == "new")
        self._edge = edge
        self._channel = channel
        self._saving = Saving(edge, document if kind == "edit" else None, self._is_live, self._ask)
        self._interfaces: list[Interface] = []
        self._pause: Timer | None = None
        self._wants_command: bool | None = None
        """Whether the operator asked for the command or sent it away; None leaves it to the terminal's width."""

    def beside(self) -> ComposeResult:
        """The command."""
        yield CommandPreview(id="form-command")

    def below(self) -> ComposeResult:
        """What it costs."""
        yield CostLine(id="form-cost")

    def on_mount(self) -> None:
        """Learns which interfaces there are."""
        self._learn_interfaces()

    def edited(self, checked: ChannelSpec | None, *, typing: bool) -> None:
        """Has the channel priced and its command built, once the operator pauses."""
        if self._pause is not None:
            self._pause.stop()
        if typing:
            self._pause = self.set_timer(PAUSE_S, lambda: self._ask_worker(checked))
        else:
            self._ask_worker(checked)

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

    def _interface_names(self) -> list[str]:
        return [interface.name for interface in self._interfaces]

    def hint(self, field: FormField) -> str:
        """Names the interfaces that there are."""
        if field.entry.path[-1] != PICKED or not self._interfaces:
            return ""
        return f"Here: {', '.join(self._interface_names())}. Space lists them with what they carry."

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

    @work(group="ladder", exclusive=True)
    async def action_keep(self) -> None:
        """Keeps the renditions as a ladder."""
        renditions = self.document()["renditions"]
        ladder = await self.app.push_screen_wait(LadderFormScreen(self._edge, "new", renditions=renditions))
        if ladder is not None:
            self.notify(f"Saved: ladder {ladder.name}", markup=False)

    async def store(self, checked: ChannelSpec) -> None:
        """Stores the channel, after asking where that interrupts it, or somebody else changed it meanwhile."""
        done = await self._saving.save(checked)
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
