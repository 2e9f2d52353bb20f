"""Everything about one channel, kept up to date."""

from itertools import chain, repeat
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from transcoder_tui.console.actions import bindings_for
from transcoder_tui.console.facts import facts
from transcoder_tui.console.screens.view import View
from transcoder_tui.console.state import Change, Rack
from transcoder_tui.console.widgets.heading import Heading

LABEL_WIDTH = 11
"""Cells for a label; the longest is ``Renditions``."""


class ChannelScreen(View):
    """One channel: the one that is under the cursor when it is opened."""

    CSS_PATH = "channel.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("channel")]
    VIEW = "channel"

    def __init__(self, rack: Rack, *, read_only: bool) -> None:
        super().__init__(rack, read_only=read_only)
        self._channel_id = rack.cursor

    def body(self) -> ComposeResult:
        """The facts."""
        yield Heading("Channel", id="channel-heading")
        with VerticalScroll(id="channel"):
            yield Static(markup=False, id="facts")

    def on_mount(self) -> None:
        """Begins with what is known."""
        self.call_after_refresh(self._show)

    def on_resize(self) -> None:
        """Breaks long lines anew."""
        super().on_resize()
        self.call_after_refresh(self._show)

    def show_change(self, change: Change) -> None:
        """Draws what is known now."""
        super().show_change(change)
        self._show()

    def _show(self) -> None:
        row = self.rack.channels.get(self._channel_id or 0)
        if row is None:
            return
        self.query_one("#channel-heading", Heading).show(row.name, row.group or "")
        listed = self.query_one("#facts", Static)
        room = max(1, listed.size.width - LABEL_WIDTH)
        lines = [
            Content.assemble((f"{label:{LABEL_WIDTH}}", "$foreground 70%"), part)
            for label, text in facts(row, self.rack.at)
            for label, part in zip(chain([label], repeat("")), Content(text).wrap(room), strict=False)
        ]
        listed.update(Content("\n").join(lines))

    def action_back(self) -> None:
        """Back to all channels."""
        self.app.open_view("channels")
