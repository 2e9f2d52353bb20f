"""Asks to which of its sources a channel is to change, where it has more than two."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from transcoder_tui.console.screens.listing import ListDialog
from transcoder_tui.console.sources import effect

if TYPE_CHECKING:
    from transcoder_tui.models.view import ChannelView


class SourceScreen(ListDialog[int]):
    """A list of the sources; dismissed with the position of another one, else with nothing.

    Args:
        row: The channel.
        sources: Its sources in words.
    """

    AUTO_FOCUS = "#sources"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("o", "close", "Close", show=False),
        *(Binding(str(number), f"choose({number})", f"Source {number}", show=False) for number in range(1, 10)),
    ]

    def __init__(self, row: "ChannelView", sources: Sequence[str]) -> None:
        super().__init__()
        self._row = row
        self._sources = sources

    def compose(self) -> ComposeResult:
        """The sources, the active one chosen: the return key alone changes nothing."""
        with Vertical(classes="dialog -careful -wide") as dialog:
            dialog.border_title = Content(f"Change the source of {self._row.name}").markup
            dialog.border_subtitle = "return chooses, esc leaves it"
            listed = OptionList(*map(self._option, range(len(self._sources))), markup=False, compact=True, id="sources")
            listed.highlighted = self._row.source_index
            yield listed
            yield Static(Content(effect(self._row)), markup=False)

    def _option(self, position: int) -> Content:
        used = "  (in use)" if position == self._row.source_index else ""
        return Content.assemble((f"{position + 1:2} ", "bold"), self._sources[position], used)

    def action_choose(self, number: int) -> None:
        """Puts the cursor on a source by its number; return then chooses it."""
        if number <= len(self._sources):
            self.query_one(OptionList).highlighted = number - 1

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Chooses; the source in use leaves everything as it is."""
        self.dismiss(None if event.option_index == self._row.source_index else event.option_index)
