"""Asks which ladder takes the place of a form's renditions."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.app import ComposeResult
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import OptionList, Static

from transcoder_tui.console.screens.listing import ListDialog
from transcoder_tui.models.units import format_bitrate

if TYPE_CHECKING:
    from transcoder_tui.models.ladder import Ladder


class LadderChoiceScreen(ListDialog["Ladder"]):
    """A list of the ladders; dismissed with the chosen one, else with nothing.

    Args:
        ladders: Those that there are.
    """

    AUTO_FOCUS = "#ladders"

    def __init__(self, ladders: "Sequence[Ladder]") -> None:
        super().__init__()
        self._ladders = ladders

    def compose(self) -> ComposeResult:
        """The ladders, and what the one under the cursor is."""
        with Vertical(classes="dialog -careful -wide") as dialog:
            dialog.border_title = "Renditions from a ladder"
            dialog.border_subtitle = "return takes it in place of the renditions here, esc leaves them"
            yield OptionList(*map(self._option, self._ladders), markup=False, compact=True, id="ladders")
            yield Static(markup=False, id="ladder-about")

    @staticmethod
    def _option(ladder: "Ladder") -> Content:
        count = len(ladder.renditions)
        rungs = f"{count} rungs" if count > 1 else "1 rung"
        return Content.assemble((f"{ladder.name:18} ", "bold"), f"{rungs:8} ", ladder.help)

    def on_option_list_option_highlighted(self, event: OptionList.OptionHighlighted) -> None:
        """Says what the ladder under the cursor is made of."""
        ladder = self._ladders[event.option_index]
        videos = [(rung.name, rung.video) for rung in ladder.renditions]
        rungs = ", ".join(f"{name} {video.codec} {format_bitrate(video.bitrate)}" for name, video in videos)
        self.query_one("#ladder-about", Static).update(Content(f"{rungs}\nFigures: {ladder.figures or 'own'}"))

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        """Chooses."""
        self.dismiss(self._ladders[event.option_index])
