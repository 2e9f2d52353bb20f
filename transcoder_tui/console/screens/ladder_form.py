"""The form in which a ladder is made, edited or cloned."""

from typing import TYPE_CHECKING, Any, Literal

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from transcoder_tui.console.edge import Edge
from transcoder_tui.console.orders import Question
from transcoder_tui.console.rung_table import rung_table
from transcoder_tui.console.screens.confirm import ConfirmScreen
from transcoder_tui.console.screens.document_form import DocumentForm
from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.field import written
from transcoder_tui.models.ladder import Ladder

if TYPE_CHECKING:
    from transcoder_tui.models.ladder import LadderView

Kind = Literal["new", "edit", "clone"]


class LadderFormScreen(DocumentForm[Ladder, "LadderView"]):
    """Fills in a ladder; dismissed with the ladder as it was stored, else with nothing.

    Args:
        edge: Stores it.
        kind: Whether it is a new ladder, one to change, or a copy of one.
        ladder: The ladder to change or to copy.
        renditions: What a new one begins with.
    """

    NOUN = "ladder"

    def __init__(
        self,
        edge: Edge,
        kind: Kind,
        ladder: "LadderView | None" = None,
        renditions: list[dict[str, Any]] | None = None,
    ) -> None:
        first: dict[str, Any] = {"renditions": renditions}
        if ladder is not None:
            first = {name: value for name, value in written(ladder).items() if name in Ladder.model_fields}
        title = {"new": "New ladder", "edit": "Edit ", "clone": "New ladder, a copy of "}[kind]
        if ladder is not None:
            title += ladder.name
        if ladder is not None and kind == "clone":
            first["name"] = f"{ladder.name}-copy"
        super().__init__(Ladder, title, first, begun=kind == "new")
        self._edge = edge
        self._comes_along = ladder is not None and kind == "edit" and not ladder.own
        self._replaced = ladder.name if ladder is not None and kind == "edit" and ladder.own else ""
        """The operator's own ladder whose place this one takes."""

    def beside(self) -> ComposeResult:
        """The rungs as a table, where there is room."""
        with VerticalScroll(id="form-rungs", can_focus=False):
            yield Static(markup=False)

    def subject(self) -> str:
        """Says of one that comes along what becomes of it."""
        return "comes along; saved, it is your own in its place" if self._comes_along else ""

    def edited(self, checked: Ladder | None, *, typing: bool) -> None:
        """Shows the rungs; while something is wrong with them, those from before."""
        if checked is not None:
            self.query_one("#form-rungs Static", Static).update(Content("\n").join(rung_table(checked.renditions)))

    async def store(self, checked: Ladder) -> None:
        """Stores the ladder, after asking where it takes the place of one that comes along."""
        there = {ladder.name: ladder for ladder in await self._edge.ladders()}
        asked = self._question(there.get(checked.name))
        if asked is None or await self.app.push_screen_wait(ConfirmScreen(asked)):
            self.dismiss(await self._edge.put_ladder(self._replaced or checked.name, written(checked)))

    def _question(self, there: "LadderView | None") -> Question | None:
        """What is asked where there is a ladder of its name, other than the one that is changed."""
        if there is None or (there.own and there.name == self._replaced):
            return None
        if there.own:
            raise InvalidInput(f"you have a ladder {there.name} already", "choose another name", "name")
        body = f"{there.name} comes along with this program. Yours stands in its place until you delete it."
        return Question(f"Put your own in the place of {there.name}?", body, "Save")
