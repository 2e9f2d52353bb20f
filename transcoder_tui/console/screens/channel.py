"""Everything about one channel, kept up to date."""

import os
from datetime import datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Container, VerticalScroll
from textual.content import Content
from textual.widgets import Static

from transcoder_tui.console.actions import bindings_for
from transcoder_tui.console.facts import (
    event_lines,
    figure_lines,
    identity,
    source_lines,
    source_note,
    state_lines,
)
from transcoder_tui.console.plot import has_braille
from transcoder_tui.console.screens.ordering import OrderingView
from transcoder_tui.console.state import Change, Rack
from transcoder_tui.console.tree import tree_lines
from transcoder_tui.console.widgets.graph import FIGURES, Graph
from transcoder_tui.console.widgets.heading import Heading
from transcoder_tui.console.widgets.log_pane import LogPane
from transcoder_tui.console.widgets.panel import Panel
from transcoder_tui.errors import TranscoderError
from transcoder_tui.models.history import Series, Span

if TYPE_CHECKING:
    from transcoder_tui.models.channel import ChannelSpec
    from transcoder_tui.models.event import Event
    from transcoder_tui.models.view import ChannelView

ASK_AGAIN = {Span.MINUTES: timedelta(seconds=5), Span.DAY: timedelta(seconds=60)}
"""How often the figures of a graph are asked for: of minutes there is a new one every 5 s, of a day every 5 min."""
TIMES = {Span.MINUTES: ("10 min ago", "5 min ago", "now"), Span.DAY: ("24 h ago", "12 h ago", "now")}
"""What stands below a graph."""
EVENTS = 30
"""Events that are asked for: more than any terminal shows of one channel."""
LEAST_EVENTS = 5
"""Events that are shown where nothing says that there is room for more."""


class Sections(VerticalScroll, can_focus=False, inherit_bindings=False):
    """What is scrolled; by the screen's own keys, also where the log in it has the focus."""


class ChannelScreen(OrderingView):
    """One channel: the one that is under the table's cursor."""

    CSS_PATH = "channel.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("channel"), *bindings_for("moving")]
    VIEW = "channel"
    AUTO_FOCUS = ""
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-medium"), (170, "-broad")]  # noqa: RUF012 - as Textual declares it

    def __init__(self, rack: Rack, *, read_only: bool) -> None:
        super().__init__(rack, read_only=read_only)
        self._shown: int | None = None
        self._called = ""
        self._span = Span.MINUTES
        self._series: Series | None = None
        self._asked_at: datetime | None = None
        self._spec: ChannelSpec | None = None
        self._known_revision: int | None = None
        self._events: dict[int, Event] = {}

    @property
    def row(self) -> "ChannelView | None":
        """The channel; None where there is none under the cursor, or none any more."""
        return self.rack.channels.get(self.rack.cursor or 0)

    def body(self) -> ComposeResult:
        """From top to bottom; a broad terminal has the graphs at the right."""
        braille = has_braille(os.environ) and not self.app.ascii_only
        yield Heading("Channel", id="channel-heading")
        yield Static(markup=False, id="channel-missing")
        with Sections(id="channel"):
            yield Panel(id="state")
            yield Panel("Figures", id="figures")
            with Container(id="middle"):
                with Container(id="way"):
                    yield Panel("Source", id="sources")
                    yield Panel("Ladder", id="ladder")
                    yield Panel("Events", id="events")
                with Container(id="history"):
                    yield Heading("Graphs", id="graphs-heading")
                    with Container(id="graphs"):
                        for figure in FIGURES:
                            yield Graph(figure, braille=braille)
            yield Heading("Log", id="log-heading")
            yield LogPane(preferences=self.app.preferences, id="log")

    def on_mount(self) -> None:
        """Begins with what is known."""
        self._show()

    def on_resize(self) -> None:
        """Shares the lines out anew, once the parts have their widths."""
        super().on_resize()
        self.call_after_refresh(self._show)

    # What the worker says

    def show_change(self, change: Change) -> None:
        """Draws what is known now."""
        super().show_change(change)
        self._grey(stale=False)
        self._show()
        self.query_one(LogPane).poll()

    def show_lost(self, words: str, advice: str) -> None:
        """Greys everything."""
        super().show_lost(words, advice)
        self._grey(stale=True)
        if self._spec is None:
            self._known_revision = None
        self._asked_at = None

    def _grey(self, *, stale: bool) -> None:
        for part in (*self.query(Panel), *self.query(Graph)):
            part.stale = stale

    def _show(self) -> None:
        row = self.row
        self.query_one(Sections).display = row is not None
        missing = self.query_one("#channel-missing", Static)
        missing.display = row is None
        if row is None:
            self.query_one("#channel-heading", Heading).show(self._called, "")
            missing.update(self._missing_words())
            return
        if row.id != self._shown:
            self._open(row)
        self._called = row.name
        self._ask(row)
        self._events.update((event.id, event) for event in self.rack.events if event.channel_id == row.id)
        self._show_row(row)
        self._show_log_heading()

    def _show_row(self, row: "ChannelView") -> None:
        now, spec = self.rack.at, self._spec
        place = self.rack.position
        count = f"{place + 1} of {len(self.rack.shown)}" if place is not None else ""
        self.query_one("#channel-heading", Heading).show(f"{row.name}  {count}", identity(row))
        self.query_one("#state", Panel).show(partial(state_lines, row, now))
        self.query_one("#figures", Panel).show(partial(figure_lines, row))
        self.query_one("#sources", Panel).show(partial(source_lines, row, spec), source_note(row))
        self.query_one("#ladder", Panel).show(partial(tree_lines, row, spec))
        most = self._room_for_events()
        events = list(self._events.values())
        self.query_one("#events", Panel).show(lambda width: event_lines(events, now, width, most))

    def _room_for_events(self) -> int:
        if self.has_class("-narrow"):
            return LEAST_EVENTS
        beside = self.query_one("#history").size.height
        above = sum(self.query_one(f"#{part}").size.height for part in ("sources", "ladder"))
        return max(LEAST_EVENTS, beside - above - 1)

    def _missing_words(self) -> Content:
        if self.rack.worker is None:
            return Content("Connecting to the worker …")
        if self._shown is not None and self._shown == self.rack.cursor:
            words = Content.styled(f"{self._called} has been deleted", "bold")
        else:
            words = Content.styled(self.rack.unchosen() or "No channel is chosen.", "bold")
        keys = Content.assemble(("]", "bold $accent"), " next channel   ", ("1", "bold $accent"), " all channels")
        return Content("\n\n").join([words, keys])

    def _open(self, row: "ChannelView") -> None:
        """Begins with another channel."""
        self._shown = row.id
        self._series, self._asked_at = None, None
        self._spec, self._known_revision = None, None
        self._events = {}
        self.query_one(Sections).scroll_home(animate=False, immediate=True)
        self.query_one(LogPane).open(self.app.edge, row.id)
        self._show_graphs()
        self._load_events(row.id)

    # What is asked for

    def _ask(self, row: "ChannelView") -> None:
        """Asks for what the live stream does not carry, where it may have changed."""
        if row.revision != self._known_revision:
            self._known_revision = row.revision
            self._load_spec(row.id)
        now = self.rack.at
        if now is not None and (self._asked_at is None or now - self._asked_at >= ASK_AGAIN[self._span]):
            self._asked_at = now
            self._load_history(row.id, self._span)

    @work(group="spec", exclusive=True)
    async def _load_spec(self, channel_id: int) -> None:
        from transcoder_tui.models.channel import ChannelSpec
        from transcoder_tui.models.faults import parse

        edge = self.app.edge
        if edge is None:
            return
        try:
            spec = parse(ChannelSpec, (await edge.channel(channel_id)).spec)
        except TranscoderError:
            return  # the row's own words stay
        if channel_id == self._shown:
            self._spec = spec
            self._show()

    @work(group="history", exclusive=True)
    async def _load_history(self, channel_id: int, span: Span) -> None:
        edge = self.app.edge
        if edge is None:
            return
        try:
            series = await edge.history(channel_id, span)
        except TranscoderError:
            return  # what was drawn stays; the live stream tells of a worker that is gone
        if (channel_id, span) == (self._shown, self._span):
            self._series = series
            self._show_graphs()

    @work(group="events", exclusive=True)
    async def _load_events(self, channel_id: int) -> None:
        edge = self.app.edge
        if edge is None:
            return
        try:
            events = await edge.events(EVENTS, channel_id)
        except TranscoderError:
            return  # those of the live stream are shown all the same
        if channel_id == self._shown:
            self._events.update((event.id, event) for event in events)
            self._show()

    def _show_graphs(self) -> None:
        words = {Span.MINUTES: ("10 minutes", "z  24 hours"), Span.DAY: ("24 hours", "z  10 minutes")}
        self.query_one("#graphs-heading", Heading).show(*words[self._span])
        series = self._series
        for figure, graph in zip(FIGURES, self.query(Graph), strict=True):
            graph.show(() if series is None else figure.read(series), TIMES[self._span])

    @on(LogPane.Moved)
    def _show_log_heading(self) -> None:
        self.query_one("#log-heading", Heading).show("", self.query_one(LogPane).state)

    # Moving

    def go_to(self, channel_id: int) -> None:
        """Shows another channel."""
        self.rack.choose(channel_id)
        self._show()

    def action_go(self, where: str) -> None:
        """To the channel above or below in the table; in the log, along long lines."""
        step = -1 if where == "previous" else 1
        pane = self.query_one(LogPane)
        if pane.has_focus:
            pane.sideways(step)
            return
        self.rack.move(step if self.rack.position is not None else 0)
        self._show()

    def action_move(self, where: str) -> None:
        """Scrolls the screen, or the log where that has the keys."""
        pane, parts = self.query_one(LogPane), self.query_one(Sections)
        if pane.has_focus:
            pane.move(where)
            return
        page = max(1, parts.size.height - 1)
        steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page}
        if where in steps:
            parts.scroll_relative(y=steps[where], animate=False, immediate=True)
        elif where == "first":
            parts.scroll_home(animate=False, immediate=True)
        else:
            parts.scroll_end(animate=False, immediate=True)

    def action_section(self) -> None:
        """To the next section, at last into the log, and on from the top."""
        if self.has_class("-zoomed") or self.row is None:
            return
        pane, parts = self.query_one(LogPane), self.query_one(Sections)
        if pane.has_focus:
            self.set_focus(None)
            parts.scroll_home(animate=False, immediate=True)
            return
        top = parts.scroll_offset.y
        sections = ("figures", "sources", "ladder", "events", "graphs-heading", "log-heading")
        places = (self.query_one(f"#{name}").region.y - parts.region.y + top for name in sections)
        target = next((place for place in places if place > top), None)
        if target is None or top >= parts.max_scroll_y:
            pane.focus()
        else:
            parts.scroll_to(y=target, animate=False, immediate=True)

    def action_span(self) -> None:
        """Graphs of a day, or of ten minutes."""
        self._span = Span.DAY if self._span is Span.MINUTES else Span.MINUTES
        self._series, self._asked_at = None, None
        self._show_graphs()
        self._show()
        self.query_one("#history").scroll_visible(animate=False)

    def action_log(self) -> None:
        """The log over the whole screen, and back."""
        if self.row is None:
            return
        self.toggle_class("-zoomed")
        self.set_focus(self.query_one(LogPane) if self.has_class("-zoomed") else None)

    def action_follow(self) -> None:
        """Follows the log's end, or stays."""
        self.query_one(LogPane).toggle_follow()

    def action_back(self) -> None:
        """Out of the log, else back to all channels."""
        if self.has_class("-zoomed"):
            self.action_log()
        elif self.query_one(LogPane).has_focus:
            self.set_focus(None)
        else:
            self.app.open_view("channels")

    def chosen(self) -> "ChannelView | None":
        """The channel that is shown."""
        if self.row is None:
            self.notify("There is no channel here: ] goes to the next one.", severity="warning", markup=False)
        return self.row
