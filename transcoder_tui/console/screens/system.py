"""What the machine does, and what it has left."""

from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical

from transcoder_tui.console import machine_lines
from transcoder_tui.console.actions import bindings_for
from transcoder_tui.console.machine_lines import Part
from transcoder_tui.console.screens.view import View
from transcoder_tui.console.state import Change, Rack
from transcoder_tui.console.widgets.choice_bar import ChoiceBar
from transcoder_tui.console.widgets.machine_part import Draw, MachinePart
from transcoder_tui.console.widgets.system_strip import SystemStrip
from transcoder_tui.errors import TranscoderError

if TYPE_CHECKING:
    from transcoder_tui.models.machine import Machine

PARTS = ("FFmpeg", "Network", "Multicast", "Cores", "Memory")
"""In the order in which they are gone through: what costs, then where it goes, then what there is."""
RICH = (120, 36)
"""Cells and lines from which on all parts stand side by side."""
CORE_LINES = 12
"""Lines that the cores take at the most beside the other parts: 96 of them on 200 cells with bars."""
SHARE = 0.6
"""Part of a column that its upper part takes at the most, where the lower one needs more than the rest."""
BARS = 3
"""Title, tabs and keys."""


class SystemScreen(View):
    """Cores, memory, disks, network, multicast and FFmpegs; one part at a time where the terminal is small."""

    CSS_PATH = "system.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("system"), *bindings_for("moving")]
    VIEW = "system"
    AUTO_FOCUS = "#part-ffmpeg"

    def __init__(self, rack: Rack, *, read_only: bool) -> None:
        super().__init__(rack, read_only=read_only)
        self._machine: Machine | None = None
        self._fault = ""
        self._chosen = PARTS[0]
        self._whole = False
        self._sort = "cpu"
        self._reverse = True

    def body(self) -> ComposeResult:
        """Everything; what is shown of it depends on the terminal."""
        yield SystemStrip(self.rack, id="strip")
        yield ChoiceBar("System", PARTS, id="choices")
        with Vertical(id="machine"):
            yield MachinePart("Cores", id="part-cores")
            with Horizontal(id="halves"):
                with Vertical(classes="half"):
                    yield MachinePart("FFmpeg", id="part-ffmpeg")
                    yield MachinePart("Multicast", id="part-multicast")
                with Vertical(classes="half"):
                    yield MachinePart("Network", id="part-network")
                    yield MachinePart("Memory", id="part-memory")

    def on_mount(self) -> None:
        """Asks at once."""
        self._lay_out()
        self._ask()

    def on_resize(self) -> None:
        """Chooses between all parts and one."""
        super().on_resize()
        self._lay_out()

    @property
    def is_known(self) -> bool:
        """Whether the worker has told of the machine."""
        return self._machine is not None

    # What the worker says

    def show_change(self, change: Change) -> None:
        """Draws the FFmpegs, and asks for the rest, as long as nothing lies over it."""
        super().show_change(change)
        for part in self.query(MachinePart):
            part.stale = False
        self.query_one(SystemStrip).refresh()
        self._show()
        if self.app.screen is self:
            self._ask()

    def show_lost(self, words: str, advice: str) -> None:
        """Greys what is known."""
        super().show_lost(words, advice)
        self._fault = "the worker does not answer"
        for part in self.query(MachinePart):
            part.stale = True
        self._show()

    @work(group="machine", exclusive=True)
    async def _ask(self) -> None:
        edge = self.app.edge
        if edge is None:
            return
        try:
            self._machine = await edge.machine()
            self._fault = ""
        except TranscoderError as error:
            self._fault = error.faults[0].fault if error.faults else error.title
        self._show()

    # What is shown

    def _show(self) -> None:
        for title, (draw, words) in self._drawn().items():
            self._part(title).show(draw, words=words)
        self._fit()

    def _drawn(self) -> dict[str, tuple[Draw, str]]:
        """How each part is drawn, and what stands there where it has no lines."""
        machine, rack = self._machine, self.rack

        def ffmpegs(width: int, _: int) -> Part:
            return machine_lines.ffmpegs(rack.channels.values(), self._sort, reverse=self._reverse, width=width)

        drawn: dict[str, tuple[Draw, str]] = {"FFmpeg": (ffmpegs, "No FFmpeg runs." if rack.worker else "")}
        if machine is None:
            waiting = self._fault or "Asking the worker …"
            return drawn | {title: (lambda *_: Part(), waiting) for title in PARTS if title != "FFmpeg"}
        return drawn | {
            "Cores": (lambda width, height: machine_lines.cores(machine, width, height), ""),
            "Memory": (lambda width, height: machine_lines.memory(machine, width, height), ""),
            "Network": (
                lambda width, height: machine_lines.network(machine, rack.history, width, height),
                "There is no network interface.",
            ),
            "Multicast": (
                lambda width, height: machine_lines.groups(machine, width, height),
                "No multicast group is read or sent.",
            ),
        }

    def _part(self, title: str) -> MachinePart:
        return self.query_one(f"#part-{title.lower()}", MachinePart)

    @property
    def _is_rich(self) -> bool:
        return not self._whole and self.size.width >= RICH[0] and self.size.height >= RICH[1]

    def _lay_out(self) -> None:
        """All parts, or the chosen one."""
        rich = self._is_rich
        for title in PARTS:
            part = self._part(title)
            part.has_heading = rich
            part.display = rich or title == self._chosen
        self.query_one(SystemStrip).allow(0 if rich else 1)
        self.query_one(ChoiceBar).display = not rich
        halves = self.query_one("#halves", Horizontal)
        halves.display = rich or self._chosen != "Cores"
        for half in self.query(".half").results(Vertical):
            half.display = any(part.display for part in half.query(MachinePart))
        self._part(self._chosen).focus()
        self._fit()
        self._show_note()

    def _fit(self) -> None:
        """Gives the upper part of each column what it needs, and the lower one the rest."""
        cores = self._part("Cores")
        rich = self._is_rich
        taken = cores.wanted(self.size.width, CORE_LINES)
        cores.styles.height = taken if rich else "1fr"
        for title, below in (("FFmpeg", "Multicast"), ("Network", "Memory")):
            upper, lower = self._part(title), self._part(below)
            if not rich:
                upper.styles.height = "1fr"
                continue
            half, room = self.size.width // 2, self.size.height - BARS - taken
            upper.styles.height = min(upper.wanted(half), max(int(room * SHARE), room - lower.wanted(half)))

    @on(MachinePart.Shown)
    def _show_note(self) -> None:
        self.query_one(ChoiceBar).show(self._chosen, self._part(self._chosen).note)

    # Moving

    def on_descendant_focus(self) -> None:
        """A part that was clicked has the keys from then on."""
        if isinstance(self.focused, MachinePart):
            self._chosen = self.focused.title
            self._show_note()

    def action_move(self, where: str) -> None:
        """Moves in the part that has the keys; sideways goes to another part."""
        if where in ("left", "right"):
            self._go(1 if where == "right" else -1)
        else:
            self._part(self._chosen).move(where)

    def action_switch(self) -> None:
        """To the next part."""
        self._go(1)

    def action_switch_back(self) -> None:
        """To the part before."""
        self._go(-1)

    def _go(self, step: int) -> None:
        self._choose(PARTS[(PARTS.index(self._chosen) + step) % len(PARTS)])

    def _choose(self, title: str) -> None:
        self._chosen = title
        self._lay_out()

    @on(ChoiceBar.Picked)
    def _pick(self, event: ChoiceBar.Picked) -> None:
        self._choose(event.choice)

    def action_log(self) -> None:
        """The part that has the keys over the whole screen, and back."""
        self._whole = not self._whole
        self._lay_out()

    def action_sort(self, column: str) -> None:
        """Sorts the FFmpegs; again turns the order round."""
        self._reverse = not self._reverse if column == self._sort else column not in machine_lines.SMALLEST_FIRST
        self._sort = column
        self._choose("FFmpeg")
        self._show()

    def action_open(self) -> None:
        """To the channel under the cursor."""
        row = self._part(self._chosen).current
        if row is None or not row.channel:
            self.notify("No channel is chosen.", markup=False)
            return
        found = next((channel for channel in self.rack.channels.values() if channel.name == row.channel), None)
        if found is None:
            self.notify(f"{row.channel} is no longer there.", markup=False)
            return
        self.rack.choose(found.id)
        self.app.open_view("channel")

    def action_back(self) -> None:
        """Back to all parts, then to all channels."""
        if self._whole:
            self.action_log()
        else:
            self.app.open_view("channels")
