"""The second line of a tall terminal: the screens with their numbers."""

from typing import ClassVar

from textual.strip import Strip

from transcoder_tui.console.actions import VIEWS, ViewName
from transcoder_tui.console.widgets.cells import line
from transcoder_tui.console.widgets.painted import Painted

LEAST_HEIGHT = 30
"""Lines of a terminal that has one to spare for the tabs; a smaller one finds the screens in the help."""


class TabBar(Painted):
    """Shows which screens there are and which one is open.

    Args:
        chosen: The open one.
    """

    PREFIX = "tab-bar"
    COMPONENT_CLASSES: ClassVar[set[str]] = {"tab-bar--key", "tab-bar--label", "tab-bar--chosen"}

    def __init__(self, chosen: ViewName, id: str | None = None) -> None:  # noqa: A002 - Textual's name for it
        super().__init__(id=id)
        self._chosen = chosen

    def fit(self, height: int) -> None:
        """Stands there, or not, as the terminal's height allows."""
        self.display = height >= LEAST_HEIGHT

    def render_line(self, y: int) -> Strip:
        """The line of tabs."""
        key, label, chosen = (self.tone(name) for name in ("key", "label", "chosen"))
        parts = []
        for number, (name, title, _) in enumerate(VIEWS, 1):
            is_chosen = name == self._chosen
            parts += [(f" {number}", chosen if is_chosen else key), (f" {title} ", chosen if is_chosen else label)]
        parts += [(" ?", key), (" Help ", label)]
        return line(parts, self.size.width, self.base)
