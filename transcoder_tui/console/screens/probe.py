"""Looks into a source of the form and shows what it carries."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from transcoder_tui.client.findings import (
    codec_words,
    format_words,
    pid_text,
    program_title,
    program_words,
    rate_of,
    summary,
)
from transcoder_tui.console import format as written
from transcoder_tui.console.edge import Edge
from transcoder_tui.console.screens.fault import worded
from transcoder_tui.console.screens.listing import ListDialog
from transcoder_tui.errors import TranscoderError

if TYPE_CHECKING:
    from transcoder_tui.models.probe import Probe, ProbedProgram, ProbedStream

SCROLLBAR = 2
"""Cells that the list keeps free at its right."""


class Taken(NamedTuple):
    """That the source is to be used."""

    program: "ProbedProgram | None"
    """Which of its programs; None where it has none, or only one."""


class ProbeScreen(ListDialog[Taken]):
    """Shows a source's programs and streams; dismissed with the chosen program, else with nothing.

    Args:
        edge: Has it looked into.
        source: The source's document.
        words: Address and interface, secrets masked.
        time_s: Seconds at most.
        taking: What the return key does with the source; without it, a program is chosen where there are several.
    """

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f4", "close", "Close", show=False),
        Binding("r", "look", "Look again", show=False),
    ]

    def __init__(self, edge: Edge, source: dict[str, Any], words: str, time_s: float, taking: str = "") -> None:
        super().__init__()
        self._taking = taking
        self._edge = edge
        self._source = source
        self._words = words
        self._time_s = time_s
        self._found: Probe | None = None
        self._programs: list[ProbedProgram | None] = []

    def compose(self) -> ComposeResult:
        """What is going on, and the list."""
        with Vertical(classes="dialog -wide", id="probe") as dialog:
            dialog.border_title = Content(self._words).markup
            yield Static(markup=False, id="probe-state")
            yield OptionList(markup=False, compact=True, id="streams")

    def on_mount(self) -> None:
        """Looks at once."""
        self.action_look()

    @work(group="probe", exclusive=True)
    async def action_look(self) -> None:
        """Looks into the source, again where it was asked for."""
        self._found = None
        self._say(Content(f"Looking into it, for {self._time_s:g} s at most …"), "esc gives up")
        try:
            found = await self._edge.probe(self._source, self._time_s)
        except TranscoderError as error:
            self._say(Content("\n").join(map(worded, error.faults)), "r looks again, esc closes", bad=True)
            return
        self._found = found
        rate = f", {written.bitrate(found.bitrate)}b/s in all" if found.bitrate else ""
        measured = f", measured over {found.measured_s:g} s" if found.measured_s else ""
        over = "return takes the program over" if len(found.programs) > 1 else ""
        keys = ", ".join(filter(None, (self._taking or over, "r looks again", "esc closes")))
        self._say(Content(f"{summary(found)}{rate}{measured}"), keys)
        self.call_after_refresh(self._list)

    def _say(self, state: Content, keys: str, *, bad: bool = False) -> None:
        dialog = self.query_one("#probe")
        dialog.set_class(bad, "-bad")
        dialog.border_subtitle = keys
        self.query_one("#probe-state", Static).update(state)
        self.query_one(OptionList).display = self._found is not None

    def on_resize(self) -> None:
        """Breaks long lines anew."""
        self.call_after_refresh(self._list)

    def _list(self) -> None:
        if self._found is None:
            return
        listed = self.query_one(OptionList)
        room = max(20, listed.size.width - SCROLLBAR)
        lines = list(_lines(self._found, room))
        self._programs = [program for program, _ in lines]
        at = listed.highlighted or 0
        listed.set_options(Option(content) for _, content in lines)
        listed.highlighted = at
        listed.focus()

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Chooses the program that the line belongs to."""
        program = self._programs[event.option_index]
        if program is not None or self._taking:
            several = self._found is not None and len(self._found.programs) > 1
            self.dismiss(Taken(program if several or not self._taking else None))


def _lines(found: "Probe", room: int) -> "Iterator[tuple[ProbedProgram | None, Content]]":
    """A line for each program and each of its streams, with the program."""
    for program in found.programs:
        about = program_words(program)
        yield program, _hanging(Content.styled(f"{program_title(found, program)}  ", "bold $primary"), about, 2, room)
        for stream in found.streams_of(program):
            yield program, _stream(stream, room)
    loose = found.loose_streams()
    if loose and found.programs:
        yield None, Content.styled("In no program", "bold $primary")
    for stream in loose:
        yield None, _stream(stream, room)


def _stream(stream: "ProbedStream", room: int) -> Content:
    pid = f"{pid_text(stream.pid):11} " if stream.pid is not None else ""
    rate = written.bitrate(rate_of(stream))
    head = f"  {pid}{stream.kind:8} {rate:>5}  {stream.language:3}  "
    words = ", ".join(filter(None, (codec_words(stream), format_words(stream))))
    return _hanging(Content(head), words, len(head), room)


def _hanging(head: Content, words: str, indent: int, room: int) -> Content:
    """A head with words behind it, which go on below each other where the line is too short."""
    first, *more = Content(words).wrap(max(10, room - max(indent, head.cell_length))) or [Content("")]
    return Content("\n").join([head + first, *(Content(" " * indent) + line for line in more)])
