"""Everything that the worker knows of one channel, kept up to date."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from transcoder_tui.console import format as written
from transcoder_tui.console.state import Rack
from transcoder_tui.console.status import is_live, mark_of
from transcoder_tui.console.widgets.fault_line import retry_text

if TYPE_CHECKING:
    from datetime import datetime

    from transcoder_tui.models.view import ChannelView

LABEL_WIDTH = 11
"""Cells for a label; the longest is ``Renditions``."""


def facts(row: "ChannelView", now: "datetime | None") -> Iterator[tuple[str, str]]:
    """Labels and what stands beside them; a label is empty where a list goes on."""
    since = f" for {written.since(row.since, now)}" if row.since else ""
    yield "Status", f"{mark_of(row).text}{since}, wanted {row.wanted.value}"
    if row.message:
        yield "Fault", row.message
    if row.remedy:
        yield "Remedy", row.remedy
    if retry := retry_text(row, now):
        yield "Retry", retry
    elif row.attempt:
        yield "Attempts", f"{row.attempt} of {row.max_attempts} failed"
    if row.group:
        yield "Group", row.group
    yield "Priority", str(row.priority)
    backup = f" (source {row.source_index + 1} of {row.sources})" if row.sources > 1 else ""
    yield "Source", row.source + (f" on {row.interface}" if row.interface else "") + backup
    yield from _listed("Renditions", row.renditions)
    yield from _listed("Outputs", row.outputs)
    figures = row.telemetry
    if is_live(row):
        yield "On air", written.since(row.on_air_since, now)
        yield "Encoder", f"{written.rate(figures.fps)} fps, speed {written.speed(figures.speed)}"
        yield "Bitrate", f"{written.bitrate(figures.bitrate)}b/s"
        yield "Frames", f"{written.count(figures.drops)} dropped, {written.count(figures.dups)} repeated"
    if row.pid is not None:
        cpu = "" if figures.cpu_percent is None else f", {figures.cpu_percent:.0f}% of one core"
        memory = "" if figures.rss_bytes is None else f", {written.size(figures.rss_bytes)} of memory"
        yield "Process", f"pid {row.pid}{cpu}{memory}"
    yield "Restarts", written.count(row.restarts)
    yield "Channel", f"id {row.id}, revision {row.revision}"


def _listed(label: str, entries: list[str]) -> Iterator[tuple[str, str]]:
    for number, entry in enumerate(entries):
        yield "" if number else label, entry


class DetailsScreen(ModalScreen[None]):
    """One channel.

    Args:
        rack: What is known.
        channel_id: Of which channel.
    """

    CSS_PATH = "details.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,i,enter", "close", "Close", show=False),
        Binding("up,k", "scroll(-1)", "Up", show=False),
        Binding("down,j", "scroll(1)", "Down", show=False),
    ]

    def __init__(self, rack: Rack, channel_id: int) -> None:
        super().__init__()
        self._rack = rack
        self._channel_id = channel_id

    def compose(self) -> ComposeResult:
        """The facts."""
        with VerticalScroll(classes="dialog -wide", id="details", can_focus=False) as dialog:
            dialog.border_subtitle = "esc closes"
            yield Static(markup=False, id="facts")

    def on_mount(self) -> None:
        """Keeps the facts up to date, at the pace of the live stream."""
        self.show()
        self.set_interval(1.0, self.show)

    def show(self) -> None:
        """Draws what is known now; the last of it stays where the channel was deleted."""
        row = self._rack.channels.get(self._channel_id)
        if row is None:
            return
        self.query_one("#details").border_title = Content(row.name).markup
        lines = [
            Content.assemble((f"{label:{LABEL_WIDTH}}", "$foreground 60%"), text)
            for label, text in facts(row, self._rack.at)
        ]
        self.query_one("#facts", Static).update(Content("\n").join(lines))

    def action_close(self) -> None:
        """Closes the details."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scrolls through many renditions and outputs."""
        self.query_one("#details").scroll_relative(y=lines, animate=False)
