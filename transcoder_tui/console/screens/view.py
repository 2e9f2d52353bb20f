"""What all screens with a number share: title, tabs and keys around a body, kept up to date with the live stream."""

from typing import TYPE_CHECKING, ClassVar

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.events import DescendantBlur, DescendantFocus
from textual.screen import Screen

from transcoder_tui.console.actions import ViewName, bindings_for
from transcoder_tui.console.state import Change, Rack
from transcoder_tui.console.widgets.key_bar import KeyBar
from transcoder_tui.console.widgets.log_pane import LogPane
from transcoder_tui.console.widgets.tab_bar import TabBar
from transcoder_tui.console.widgets.title_bar import TitleBar

if TYPE_CHECKING:
    from transcoder_tui.console.app import ConsoleApp


class View(Screen[None]):
    """A screen with a number.

    Args:
        rack: What is shown.
        read_only: Whether the console may only look.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("view")]
    VIEW: ClassVar[ViewName]
    """Its name, by which keys and the command line find it."""

    app: "ConsoleApp"

    def __init__(self, rack: Rack, *, read_only: bool) -> None:
        super().__init__()
        self.rack = rack
        self.read_only = read_only
        self._styled = False

    def compose(self) -> ComposeResult:
        """From top to bottom."""
        yield TitleBar(self.rack, read_only=self.read_only, id="title")
        yield TabBar(self.VIEW, id="tabs")
        yield from self.body()
        yield KeyBar(self.VIEW, read_only=self.read_only, id="keys")

    def update_node_styles(self, animate: bool = True) -> None:
        """Works the styles out anew where that is not the first time, when all parts have just got theirs."""
        if self._styled:
            super().update_node_styles(animate=animate)
        self._styled = True

    def body(self) -> ComposeResult:
        """What stands between title and keys."""
        raise NotImplementedError

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Takes no keys while a form or dialog is on its way: over a slow line they come in bursts.

        None either while a line is typed: there they are letters, or go through completions and history.
        """
        return not self.app.opening and (self.focused is None or self.focused.id != "entry")

    def on_resize(self) -> None:
        """Gives the tabs a line where there is one to spare."""
        self.query_one(TabBar).fit(self.size.height)

    @on(DescendantFocus)
    @on(DescendantBlur)
    def _offer_keys(self) -> None:
        """Offers the keys of the part that has them now; the two messages come in either order."""
        self.query_one(KeyBar).offer("log" if isinstance(self.focused, LogPane) else self.VIEW)

    # What the worker says

    def show_change(self, change: Change) -> None:
        """Draws what a message of the live stream changed; called once a second while the worker answers."""
        self.query_one(TitleBar).show()

    def show_progress(self, words: str) -> None:
        """Says how far an order for many channels is that goes on in the background."""
        self.query_one(KeyBar).tell(words)

    def show_lost(self, words: str, advice: str) -> None:
        """Greys what is shown and says since when and why; called once a second while the worker does not answer.

        Args:
            words: For the title bar.
            advice: What would help, shown where there is nothing else to show.
        """
        self.query_one(TitleBar).show(words)

    def flash(self) -> None:
        """Catches the eye: there is a new alarm."""
        self.query_one(TitleBar).flash()

    # The console

    def go_to(self, channel_id: int) -> None:
        """Shows a channel: in the table, where the screen is not itself about one."""
        self.app.go_to_channel(channel_id)

    def action_next_alarm(self) -> None:
        """To the next channel with an alarm that nobody has acknowledged."""
        self.app.go_to_alarm()

    async def action_command_line(self) -> None:
        """Takes commands, in the place of the keys.

        The line has the focus before the next key is looked at: what follows in a burst belongs to the command.
        """
        from textual.widgets import Input

        from transcoder_tui.console.commands import Commands
        from transcoder_tui.console.widgets.command_field import CommandField

        if isinstance(self.focused, Input) or self.query(CommandField):
            raise SkipAction
        before = self.focused
        keys = self.query_one(KeyBar)

        def leave() -> None:
            # First, so that the framework does not look for something else to focus.
            self.set_focus(before)
            line.remove()
            keys.display = True

        line = CommandField(self.rack, self.app.preferences, Commands(self.app).prepare, leave)
        keys.display = False
        await self.mount(line, after=keys)
        self.set_focus(line.entry)

    def action_view(self, name: ViewName) -> None:
        """Opens a screen by its name."""
        self.app.open_view(name)

    def action_last(self) -> None:
        """Back to the last screen."""
        self.app.open_last_view()

    def action_undo(self) -> None:
        """Undoes the last change of the configuration."""
        self.app.undo()

    def action_help(self) -> None:
        """The keys."""
        self.app.open_help()

    def action_progress(self) -> None:
        """How far an order for many channels is."""
        self.app.open_batch()

    def action_leave(self) -> None:
        """Leaves; the channels stay on air."""
        self.app.ask_to_leave()
