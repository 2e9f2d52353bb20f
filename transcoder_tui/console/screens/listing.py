"""A dialog around a list."""

from typing import ClassVar, TypeVar

from textual.binding import Binding, BindingType
from textual.screen import ModalScreen
from textual.widgets import OptionList

Result = TypeVar("Result")


class ListDialog(ModalScreen[Result]):
    """Moves through its list by letters, as the table does; left, it is dismissed with nothing."""

    CSS_PATH = "dialog.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q", "close", "Close", show=False),
        Binding("k", "move('up')", "Up", show=False),
        Binding("j", "move('down')", "Down", show=False),
    ]

    def action_close(self) -> None:
        """Leaves everything as it is."""
        self.dismiss()

    def action_move(self, where: str) -> None:
        """One line up or down."""
        listed = self.query_one(OptionList)
        if where == "up":
            listed.action_cursor_up()
        else:
            listed.action_cursor_down()
