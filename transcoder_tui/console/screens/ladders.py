"""The ladders: what each is made of, and what can be done with it."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.content import Content
from textual.widgets import OptionList, Static

from transcoder_tui.console import format as written
from transcoder_tui.console.actions import bindings_for
from transcoder_tui.console.orders import Question
from transcoder_tui.console.rung_table import rung_table
from transcoder_tui.console.screens.view import View
from transcoder_tui.console.state import Change, Rack
from transcoder_tui.console.widgets.heading import Heading
from transcoder_tui.console.widgets.moves import move_through
from transcoder_tui.errors import TranscoderError

if TYPE_CHECKING:
    from transcoder_tui.console.edge import Edge
    from transcoder_tui.console.screens.ladder_form import Kind
    from transcoder_tui.models.ladder import LadderView


class LaddersScreen(View):
    """A list of ladders beside the rungs of the one under the cursor."""

    CSS_PATH = "ladders.tcss"
    HORIZONTAL_BREAKPOINTS = [(0, "-narrow"), (110, "-broad")]  # noqa: RUF012 - as Textual declares it
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("ladders"), *bindings_for("moving")]
    VIEW = "ladders"
    AUTO_FOCUS = "#ladders"

    def __init__(self, rack: Rack, *, read_only: bool) -> None:
        super().__init__(rack, read_only=read_only)
        self._ladders: Sequence[LadderView] | None = None
        self._fault = ""

    def body(self) -> ComposeResult:
        """The list and the rungs."""
        yield Heading("Ladders", id="ladders-heading")
        with Horizontal(id="beside"):
            yield OptionList(markup=False, compact=True, id="ladders")
            with VerticalScroll(id="ladder", can_focus=False):
                yield Static(markup=False, id="ladder-about")

    def on_mount(self) -> None:
        """Asks for them."""
        self._show()
        self.ask()

    def show_change(self, change: Change) -> None:
        """Asks again where the worker did not answer."""
        super().show_change(change)
        if self._ladders is None or self._fault:
            self.ask()

    @work(group="ladders", exclusive=True)
    async def ask(self, chosen: str = "") -> None:
        """Asks the worker for the ladders.

        Args:
            chosen: Name of the one that comes under the cursor; empty: it stays where it is.
        """
        edge = self.app.edge
        if edge is None:
            return
        try:
            self._ladders = await edge.ladders()
            self._fault = ""
        except TranscoderError as error:
            self._fault = error.title
        self._show(chosen)

    @property
    def current(self) -> "LadderView | None":
        """The ladder under the cursor."""
        place = self.query_one(OptionList).highlighted
        return self._ladders[place] if self._ladders and place is not None else None

    def _show(self, chosen: str = "") -> None:
        ladders = self._ladders or ()
        listed = self.query_one(OptionList)
        names = [ladder.name for ladder in ladders]
        place = names.index(chosen) if chosen in names else min(listed.highlighted or 0, max(0, len(names) - 1))
        listed.set_options(map(self._option, ladders))
        listed.highlighted = place if ladders else None
        own = sum(ladder.own for ladder in ladders)
        note = self._fault or ("asking the worker …" if self._ladders is None else f"{own or 'none'} of them your own")
        self.query_one("#ladders-heading", Heading).show(written.plural(len(ladders), "ladder"), note)

    @staticmethod
    def _option(ladder: "LadderView") -> Content:
        origin = "own, in place" if ladder.overrides else "own" if ladder.own else ""
        rungs = written.plural(len(ladder.renditions), "rung")
        return Content.assemble((f" {ladder.name:20} ", "bold"), f"{rungs:9}", (origin, "$accent"))

    @on(OptionList.OptionHighlighted)
    def _show_ladder(self) -> None:
        ladder = self.current
        if ladder is not None:
            origin = "Your own, in the place of one that comes along." if ladder.overrides else ""
            origin = origin or ("Your own." if ladder.own else "Comes along with the program.")
            about = [ladder.help, f"Figures: {ladder.figures}" if ladder.figures else "", origin]
            words = Content("\n").join(
                [Content.styled(ladder.name, "bold $primary"), *map(Content, filter(None, about)), Content("")]
            )
            self.query_one("#ladder-about", Static).update(Content("\n").join([words, *rung_table(ladder.renditions)]))

    def action_select(self) -> None:
        """A new channel with the ladder under the cursor."""
        if self.current is not None:
            self.app.open_form("new", None, renditions=self.current.document())

    def action_put(self) -> None:
        """Puts the ladder under the cursor into the marked channels."""
        if not self.rack.marks:
            self.notify("Mark channels in the table first, with space.", markup=False)
        elif self.current is not None:
            self.app.put_ladder(self.current, self.rack.targets())

    def action_edit(self) -> None:
        """Changes the ladder under the cursor."""
        self._open_form("edit")

    def action_clone(self) -> None:
        """A new ladder from the one under the cursor."""
        self._open_form("clone")

    def _open_form(self, kind: "Kind") -> None:
        if self.current is not None and self.app.edge is not None and self.app.may_write():
            self.app.opening = True
            self._fill_in(self.app.edge, kind, self.current)

    @work(group="ladder")
    async def _fill_in(self, edge: "Edge", kind: "Kind", ladder: "LadderView") -> None:
        from transcoder_tui.console.screens.ladder_form import LadderFormScreen

        try:
            stored = await self.app.push_screen_wait(LadderFormScreen(edge, kind, ladder))
        finally:
            self.app.opening = False
        if stored is not None:
            self.notify(f"Saved: ladder {stored.name}", markup=False)
            self.ask(stored.name)

    def action_delete(self) -> None:
        """Deletes the ladder under the cursor, after asking."""
        ladder = self.current
        if ladder is None or self.app.edge is None or not self.app.may_write():
            return
        if not ladder.own:
            self.notify(f"{ladder.name} comes along: it stays.", markup=False)
            return
        self.app.opening = True
        self._delete(self.app.edge, ladder)

    @work(group="ladder")
    async def _delete(self, edge: "Edge", ladder: "LadderView") -> None:
        from transcoder_tui.console.screens.confirm import ConfirmScreen

        body = "Channels keep the renditions that they took from it."
        if ladder.overrides:
            body += "\nThe one of this name that comes along is back then."
        try:
            if not await self.app.push_screen_wait(ConfirmScreen(Question(f"Delete {ladder.name}?", body, "Delete"))):
                return
            await edge.delete_ladder(ladder.name)
        except TranscoderError as error:
            self.app.show_faults(error.title, error.faults)
            return
        finally:
            self.app.opening = False
        self.notify(
            f"Back as it comes along: {ladder.name}" if ladder.overrides else f"Deleted: {ladder.name}", markup=False
        )
        self.ask(ladder.name)

    def action_move(self, where: str) -> None:
        """Moves through the list."""
        move_through(self.query_one(OptionList), where)

    def action_back(self) -> None:
        """Back to all channels."""
        self.app.open_view("channels")
