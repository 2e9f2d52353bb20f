"""What the screens share on which channels take orders."""

from typing import TYPE_CHECKING, ClassVar

from textual.binding import BindingType

from transcoder_tui.console.actions import bindings_for
from transcoder_tui.console.screens.view import View

if TYPE_CHECKING:
    from transcoder_tui.console.orders import Order
    from transcoder_tui.models.view import ChannelView


class OrderingView(View):
    """A screen on which channels are started, stopped, changed and looked into."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("orders")]

    def chosen(self) -> "ChannelView | None":
        """The channel that an order for one is for; where there is none, says so."""
        raise NotImplementedError

    def targets(self) -> "list[ChannelView]":
        """The channels that an order for many is for; where there are none, says so."""
        channel = self.chosen()
        return [channel] if channel is not None else []

    def action_start(self) -> None:
        """Starts them."""
        self._order("start")

    def action_stop(self) -> None:
        """Stops them."""
        self._order("stop")

    def action_restart(self) -> None:
        """Restarts them."""
        self._order("restart")

    def action_delete(self) -> None:
        """Deletes them."""
        self._order("delete")

    def _order(self, order: "Order") -> None:
        self.app.order(order, self.targets())

    def action_group(self) -> None:
        """Moves them to a group."""
        self.app.ask_group(self.targets())

    def action_acknowledge(self) -> None:
        """Acknowledges their alarms."""
        if channels := self.targets():
            self.app.acknowledge(channels)

    def action_new(self) -> None:
        """Opens an empty form."""
        self.app.open_form("new", None)

    def action_edit(self) -> None:
        """Opens the channel in the form."""
        if channel := self.chosen():
            self.app.open_form("edit", channel)

    def action_clone(self) -> None:
        """Opens a copy of the channel in the form."""
        if channel := self.chosen():
            self.app.open_form("clone", channel)

    def action_source(self) -> None:
        """Changes the channel to another of its sources."""
        if channel := self.chosen():
            self.app.change_source(channel)

    def action_command(self) -> None:
        """The FFmpeg command of the channel."""
        if channel := self.chosen():
            self.app.open_command(channel)
