"""The rack: machine, channels, and the log of the channel under the cursor."""

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import BindingType

from transcoder_tui.console.actions import bindings_for
from transcoder_tui.console.heights import NOTICE_SHARE, TITLES, share_out
from transcoder_tui.console.screens.ordering import OrderingView
from transcoder_tui.console.state import Change, Rack
from transcoder_tui.console.widgets.channel_table import ChannelTable, TableHeader
from transcoder_tui.console.widgets.empty import EmptyState
from transcoder_tui.console.widgets.fault_line import FaultLine
from transcoder_tui.console.widgets.heading import Heading
from transcoder_tui.console.widgets.log_pane import LogPane
from transcoder_tui.console.widgets.notice import Notice, worker_faults
from transcoder_tui.console.widgets.system_strip import SystemStrip
from transcoder_tui.console.widgets.tab_bar import TabBar

if TYPE_CHECKING:
    from transcoder_tui.models.view import ChannelView


class MainScreen(OrderingView):
    """What an operator has in front of him all day."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("channels"), *bindings_for("moving")]
    VIEW = "channels"
    AUTO_FOCUS = "#table"

    def __init__(self, rack: Rack, *, read_only: bool) -> None:
        super().__init__(rack, read_only=read_only)
        self._lost: str = ""

    def body(self) -> ComposeResult:
        """From top to bottom."""
        table = ChannelTable(self.rack, id="table")
        yield Notice(id="notice")
        yield SystemStrip(self.rack, id="system")
        yield Heading("Table", id="narrowed")
        yield TableHeader(table, id="columns")
        yield table
        yield EmptyState(id="empty")
        yield Heading("Log", id="log-heading")
        yield FaultLine(id="fault")
        yield LogPane(preferences=self.app.preferences, id="log")

    def on_mount(self) -> None:
        """Begins with what is known, which is nothing yet."""
        self.show_everything()

    def on_screen_resume(self) -> None:
        """Shows where the cursor is now: the screen of one channel moves it, too."""
        self.show_everything()
        self.query_one(ChannelTable).show_cursor()

    def on_resize(self) -> None:
        """Shares the height between table and log anew."""
        super().on_resize()
        self._share_height()

    # What the worker says

    def show_change(self, change: Change) -> None:
        """Draws what a message of the stream changed."""
        super().show_change(change)
        self._lost = ""
        self.query_one(Notice).show(worker_faults(self.rack.worker))
        self.query_one(SystemStrip).refresh()
        table = self.query_one(ChannelTable)
        table.stale = False
        table.show(change)
        if change.layout:
            self._show_layout()
        self._show_channel()
        self.query_one(LogPane).poll()

    def show_lost(self, words: str, advice: str) -> None:
        """Greys what is shown and says since when and why."""
        super().show_lost(words, advice)
        self._lost = advice
        self.query_one(Notice).show([])
        self.query_one(ChannelTable).stale = True
        self._show_layout()

    def show_everything(self) -> None:
        """Draws everything anew, after the operator changed what is shown."""
        self.query_one(ChannelTable).show(Change(layout=True))
        self._show_layout()
        self._show_channel()

    def _show_layout(self) -> None:
        """What depends on how many rows there are, and which."""
        rack = self.rack
        empty = not rack.channels
        zoomed = self.has_class("-zoomed")
        narrowed = self.query_one("#narrowed", Heading)
        narrowed.display = bool(rack.filter or rack.marks) and not zoomed
        narrowed.show(*self._narrowed_words())
        self.query_one(TableHeader).refresh()
        self.query_one(EmptyState).show(rack, self._lost, read_only=self.read_only)
        for part in ("#columns", "#table"):
            self.query_one(part).display = not empty and not zoomed
        self._share_height()

    def _narrowed_words(self) -> tuple[str, str]:
        rack = self.rack
        total = len(rack.channels)
        subject = f"{len(rack.shown)} of {total} channels match {rack.filter!r}" if rack.filter else f"all {total}"
        hidden = rack.hidden_marks()
        marked = f"✓ {len(rack.marks)} marked" + (f", {hidden} of them hidden by the filter" if hidden else "")
        return subject, marked if rack.marks else ""

    def _share_height(self) -> None:
        strip, fault, log = self.query_one(SystemStrip), self.query_one(FaultLine), self.query_one(LogPane)
        zoomed = self.has_class("-zoomed")
        asked = self.query_one("#narrowed").display + len(self.query("#filter"))
        width, height = self.size
        notice = self.query_one(Notice)
        said = min(notice.wanted(width), max(1, int(height * NOTICE_SHARE)))
        notice.allow(said)
        room = height - TITLES - said - asked - self.query_one(TabBar).display
        shares = share_out(room, strip=strip.wanted(width), rows=len(self.rack.shown), fault=fault.wanted(width))
        strip.allow(0 if zoomed else shares.strip)
        fault.allow(fault.wanted(width) if zoomed else shares.fault)
        self.query_one(ChannelTable).styles.height = shares.table
        if log.has_focus and not (zoomed or shares.log):
            self.query_one(ChannelTable).focus()
        for part in (self.query_one("#log-heading"), log):
            part.display = bool(self.rack.channels) and (zoomed or shares.log)

    def _show_channel(self) -> None:
        """What depends on the channel under the cursor."""
        row = self.rack.current
        self.query_one(FaultLine).show(row, self.rack.at)
        self._share_height()
        pane = self.query_one(LogPane)
        if pane.channel_id != (row.id if row else None):
            pane.open(self.app.edge, row.id if row else None)
        self._show_log_heading()

    @on(LogPane.Moved)
    def _show_log_heading(self) -> None:
        row = self.rack.current
        note = self.query_one(LogPane).state if row is not None else ""
        self.query_one("#log-heading", Heading).show(row.name if row else "", note)

    # Moving

    def action_move(self, where: str) -> None:
        """Moves the table's cursor, or the log where that has the keys."""
        if (pane := self.query_one(LogPane)).has_focus:
            pane.move(where)
            return
        table = self.query_one(ChannelTable)
        page = max(1, table.size.height - 1)
        steps = {"up": -1, "down": 1, "page_up": -page, "page_down": page}
        if where == "first":
            self.rack.go(0)
        elif where == "last":
            self.rack.go(len(self.rack.shown) - 1)
        elif where in steps:
            self.rack.move(steps[where])
        table.show_cursor()
        self._show_channel()

    @on(ChannelTable.LaidOut)
    def _show_titles(self) -> None:
        self.query_one(TableHeader).refresh()

    @on(ChannelTable.Pointed)
    def _point(self, event: ChannelTable.Pointed) -> None:
        self.rack.go(event.line)
        self.query_one(ChannelTable).show_cursor()
        self._show_channel()

    def action_switch(self) -> None:
        """Gives the keys to the log, or back to the table."""
        if self.rack.channels and not self.has_class("-zoomed"):
            pane, table = self.query_one(LogPane), self.query_one(ChannelTable)
            (table if pane.has_focus or not pane.display else pane).focus()

    # The log

    def action_log(self) -> None:
        """The log over the whole screen, and back."""
        if not self.rack.channels:
            return
        self.toggle_class("-zoomed")
        self._show_layout()
        (self.query_one(LogPane) if self.has_class("-zoomed") else self.query_one(ChannelTable)).focus()

    def action_follow(self) -> None:
        """Follows the log's end, or stays."""
        self.query_one(LogPane).toggle_follow()

    # The table

    def action_sort(self, column: str) -> None:
        """Sorts by a column; again turns the order round."""
        self.app.sort_by(column)

    def action_mark(self) -> None:
        """Marks the channel under the cursor and goes on to the next."""
        if not self.chosen():
            return
        self.rack.toggle_mark()
        self.rack.move(1)
        self.show_everything()

    def action_mark_range(self) -> None:
        """Marks everything from the last mark to the cursor."""
        if self.chosen():
            self.rack.mark_range()
            self.show_everything()

    def action_mark_on(self, where: str) -> None:
        """Marks the channel under the cursor, and the one above or below it."""
        if self.chosen():
            self.rack.mark_on(1 if where == "down" else -1)
            self.show_everything()

    def action_invert_marks(self) -> None:
        """Marks what is not marked."""
        self.rack.invert_marks()
        self.show_everything()

    def action_mark_shown(self) -> None:
        """Marks everything in the table."""
        self.rack.mark_shown()
        self.show_everything()

    async def action_filter(self) -> None:
        """Asks for a text to filter by.

        The field has the focus before the next key is looked at: what follows in a burst is text and not an order.
        """
        from transcoder_tui.console.widgets.filter_field import FilterField

        if self.query(FilterField) or self.query_one(LogPane).has_focus:
            raise SkipAction
        field = FilterField(self.rack, self.app.preferences, self.show_everything, self._leave_filter)
        await self.mount(field, before="#columns")
        self.set_focus(field.entry)

    def _leave_filter(self) -> None:
        self.set_focus(self.query_one(ChannelTable))
        self.query("#filter").remove()

    def action_back(self) -> None:
        """Out of the filter's field, the log, the marks, the filter: in this order."""
        if self.query("#filter"):
            self.rack.narrow("")
            self._leave_filter()
        elif self.has_class("-zoomed"):
            self.action_log()
            return
        elif self.query_one(LogPane).has_focus:
            self.query_one(ChannelTable).focus()
        elif self.rack.marks:
            self.rack.marks.clear()
        else:
            self.rack.narrow("")
        self.show_everything()

    # The configuration

    def action_export(self) -> None:
        """Writes a line-up file."""
        self.app.ask_export(self.rack.targets() if self.rack.marks else [])

    def action_import(self) -> None:
        """Applies a line-up file."""
        self.app.ask_import()

    def action_probe(self) -> None:
        """Looks into an address."""
        self.app.probe_address()

    def action_demo(self) -> None:
        """Starts the demonstration, where there is nothing yet."""
        if self.rack.channels or self.rack.worker is None:
            raise SkipAction
        self.app.import_demonstration()

    # Channels

    def chosen(self) -> "ChannelView | None":
        """The channel under the cursor."""
        if words := self.rack.unchosen():
            self.notify(words, severity="warning", markup=False)
        return self.rack.current

    def targets(self) -> "list[ChannelView]":
        """The marked channels, else the one under the cursor."""
        return self.rack.targets() if self.rack.marks else super().targets()

    def choose(self, channel_id: int) -> None:
        """Puts the cursor on a channel."""
        self.rack.choose(channel_id)
        self.show_everything()

    def action_details(self) -> None:
        """Everything about the channel under the cursor."""
        if self.chosen():
            self.app.open_view("channel")
