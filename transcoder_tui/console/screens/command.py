"""The FFmpeg command of a channel, to read and to copy."""

from pathlib import PurePath
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import Button

from transcoder_tui.console.widgets.command_preview import CommandText

if TYPE_CHECKING:
    from transcoder_tui.models.view import CommandView


class CommandScreen(ModalScreen[None]):
    """Shows a command laid out to be read, and copies it as a shell would take it.

    Args:
        channel: Whose command.
        command: The command, secrets masked.
    """

    CSS_PATH: ClassVar[list[str | PurePath]] = ["dialog.tcss", "command.tcss"]
    AUTO_FOCUS = "#close"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,y", "close", "Close", show=False),
        Binding("c", "copy", "Copy", show=False),
        Binding("up,k", "scroll(-1)", "Up", show=False),
        Binding("down,j", "scroll(1)", "Down", show=False),
        Binding("pageup", "scroll(-15)", "Page up", show=False),
        Binding("pagedown,space", "scroll(15)", "Page down", show=False),
    ]

    def __init__(self, channel: str, command: "CommandView") -> None:
        super().__init__()
        self._channel = channel
        self._command = command

    def compose(self) -> ComposeResult:
        """The command and two buttons."""
        with Vertical(classes="dialog -wide") as dialog:
            dialog.border_title = Content(f"FFmpeg command of {self._channel}, secrets masked").markup
            with VerticalScroll(can_focus=False, id="shell"):
                text = CommandText()
                text.argv = self._command.argv
                yield text
            with Horizontal(classes="buttons"):
                yield Button(Content("c  Copy"), compact=True, id="copy")
                yield Button(Content("Close"), compact=True, id="close")

    def action_close(self) -> None:
        """Closes the dialog."""
        self.dismiss()

    def action_copy(self) -> None:
        """Copies the command by OSC 52, which also works over SSH where the terminal allows it."""
        self.app.copy_to_clipboard(self._command.shell)
        self.notify("Copied, if the terminal allows it (OSC 52).", markup=False)

    def action_scroll(self, lines: int) -> None:
        """Scrolls through a long command."""
        self.query_one("#shell").scroll_relative(y=lines, animate=False)

    def on_button_pressed(self, event: Button.Pressed) -> None:
        """Copies or closes."""
        if event.button.id == "copy":
            self.action_copy()
        else:
            self.dismiss()
