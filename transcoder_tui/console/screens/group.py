"""Asks for the group that some channels are to be in."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import SuggestFromList
from textual.widgets import Input, Static

from transcoder_tui.console.orders import group_fault, named
from transcoder_tui.console.screens.fault import worded

if TYPE_CHECKING:
    from transcoder_tui.models.view import ChannelView


class GroupScreen(ModalScreen[str]):
    """A field that completes the groups there are; dismissed with a name, or with an empty text for no group.

    Args:
        channels: Which channels.
        everybody: All channels, whose groups are offered.
        hidden: What is to be said about channels that the operator does not see.
    """

    CSS_PATH = "dialog.tcss"
    AUTO_FOCUS = "#group"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False, priority=True),
        Binding("tab", "complete", "Complete", show=False, priority=True),
    ]

    def __init__(self, channels: "Sequence[ChannelView]", everybody: "Iterable[ChannelView]", hidden: str = "") -> None:
        super().__init__()
        self._channels = channels
        self._known = Counter(row.group for row in everybody if row.group)
        self._hidden = hidden

    def compose(self) -> ComposeResult:
        """For whom, the field, and the groups that there are."""
        channels = self._channels
        groups = {row.group or "" for row in channels}
        one = groups.pop() if len(groups) == 1 else ""
        subject = channels[0].name if len(channels) == 1 else f"{len(channels)} channels"
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(f"Group of {subject}").markup
            dialog.border_subtitle = "return moves them, esc leaves them, tab completes"
            if len(channels) > 1:
                yield Static(Content(f"{named([row.name for row in channels])}.{self._hidden}"), markup=False)
            yield Input(
                one,
                placeholder="none: out of their groups" if any(row.group for row in channels) else "name of a group",
                suggester=SuggestFromList(sorted(self._known), case_sensitive=False),
                compact=True,
                id="group",
            )
            yield Static(self._offered(), markup=False, id="groups")

    def _offered(self) -> Content:
        if not self._known:
            return Content.styled("There is no group yet.", "$foreground 70%")
        listed = "   ".join(f"{group} {number}" for group, number in sorted(self._known.items()))
        return Content.assemble(("There are:  ", "$foreground 70%"), listed)

    def on_mount(self) -> None:
        """Does not blink."""
        self.query_one(Input).cursor_blink = False

    def action_close(self) -> None:
        """Leaves them as they are."""
        self.dismiss(None)

    def action_complete(self) -> None:
        """Takes the suggestion over."""
        self.query_one(Input).action_cursor_right()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Chooses the group."""
        group = event.value.strip()
        fault = group_fault(group) if group else None
        if fault is None:
            self.dismiss(group)
        else:
            self.query_one("#groups", Static).update(worded(replace(fault, field="")))
