"""Everything that the worker knows of one channel, kept up to date."""

from collections.abc import Iterator
from itertools import chain, repeat
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Static

from transcoder_tui.client.outlook import outlook
from transcoder_tui.console import format as written
from transcoder_tui.console.state import Rack
from transcoder_tui.console.status import is_live, life_of

if TYPE_CHECKING:
    from datetime import datetime

    from transcoder_tui.models.view import ChannelView

LABEL_WIDTH = 11
"""Cells for a label; the longest is ``Renditions``."""


def facts(row: "ChannelView", now: "datetime | None") -> Iterator[tuple[str, str]]:
    """Labels and what stands beside them; a label is empty where a list goes on."""
    since = f" for {written.since(row.since, now)}" if row.since else ""
    yield "Status", f"{life_of(row).text}{since}, wanted {row.wanted.value}"
    if not row.is_unwell:
        yield from _labelled("Fault", row.message)
        yield from _labelled("Remedy", row.remedy)
    if coming := outlook(row, now):
        yield "Next", coming
    elif row.attempt:
        yield "Attempts", f"{row.attempt} of {row.max_attempts} failed"
    yield from _alarms(row, now)
    if row.group:
        yield "Group", row.group
    yield "Priority", str(row.priority)
    yield "Source", row.source + (f" on {row.interface}" if row.interface else "")
    if row.sources > 1:
        yield "", f"{row.source_index + 1} of {row.sources}{', chosen by an operator' if row.pinned else ''}"
    yield from _listed("Renditions", row.renditions)
    yield from _listed("Encoders", [picture.words for picture in row.encoders])
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
    yield from _labelled("Limits", row.limits)
    yield "Restarts", written.count(row.restarts)
    if row.gap_s is not None:
        yield "Last gap", f"{row.gap_s:g} s off air at the last interruption"
    yield "Channel", f"id {row.id}, revision {row.revision}"


def _labelled(label: str, text: str) -> Iterator[tuple[str, str]]:
    if text:
        yield label, text


def _alarms(row: "ChannelView", now: "datetime | None") -> Iterator[tuple[str, str]]:
    """Each alarm with since when, why and its remedy; what stands above them already is not said again."""
    said = {""} if row.is_unwell else {"", row.message, row.remedy}
    for alarm in row.alarms:
        begun = alarm.since.strftime("%Y-%m-%d %H:%M:%S UTC")
        yield "Alarm", f"{alarm.health.value} for {written.since(alarm.since, now)}, since {begun}"
        if alarm.message not in said:
            yield "", alarm.message
        if alarm.remedy not in said:
            yield "", f"→ {alarm.remedy}"


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
        self.call_after_refresh(self.show)
        self.set_interval(1.0, self.show)

    def on_resize(self) -> None:
        """Breaks long lines anew."""
        self.call_after_refresh(self.show)

    def show(self) -> None:
        """Draws what is known now; the last of it stays where the channel was deleted."""
        row = self._rack.channels.get(self._channel_id)
        if row is None:
            return
        self.query_one("#details").border_title = Content(row.name).markup
        listed = self.query_one("#facts", Static)
        room = max(1, listed.size.width - LABEL_WIDTH)
        lines = [
            Content.assemble((f"{label:{LABEL_WIDTH}}", "$foreground 60%"), part)
            for label, text in facts(row, self._rack.at)
            for label, part in zip(chain([label], repeat("")), Content(text).wrap(room), strict=False)
        ]
        listed.update(Content("\n").join(lines))

    def action_close(self) -> None:
        """Closes the details."""
        self.dismiss()

    def action_scroll(self, lines: int) -> None:
        """Scrolls through many renditions and outputs."""
        self.query_one("#details").scroll_relative(y=lines, animate=False)
