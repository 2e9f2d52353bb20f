"""The settings in force and where each comes from; those of the console are changed here."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

from textual import on, work
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.content import Content
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from transcoder_tui.console.actions import bindings_for
from transcoder_tui.console.preferences import written_file
from transcoder_tui.console.screens.view import View
from transcoder_tui.console.setting_line import SettingLine, console_lines, worker_lines
from transcoder_tui.console.state import Change, Rack
from transcoder_tui.console.theme import NAMES
from transcoder_tui.console.widgets.cells import fit
from transcoder_tui.console.widgets.heading import Heading
from transcoder_tui.console.widgets.moves import move_through
from transcoder_tui.errors import TranscoderError

if TYPE_CHECKING:
    from transcoder_tui.models.setting import Setting

NAME_WIDTH = 26
"""Cells of a name; the longest is ``sources.hold_down_max_s``."""
VALUE_SHARE = 0.4
"""Part of a line that a value takes at the most."""


class SettingsScreen(View):
    """A list of all settings, and the help of the one under the cursor."""

    CSS_PATH = "settings.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [*bindings_for("settings"), *bindings_for("moving")]
    VIEW = "settings"
    AUTO_FOCUS = "#settings"

    def __init__(self, rack: Rack, *, read_only: bool) -> None:
        super().__init__(rack, read_only=read_only)
        self._settings: Sequence[Setting] | None = None
        self._lines: list[SettingLine | None] = []
        """By position in the list; None is a heading."""
        self._fault = ""

    def body(self) -> ComposeResult:
        """The list, and what helps."""
        yield Heading("Settings", id="settings-heading")
        yield OptionList(markup=False, compact=True, id="settings")
        yield Static(markup=False, id="setting-help")

    def on_mount(self) -> None:
        """Shows the console's own at once, and asks for the worker's."""
        self._show()
        self._ask()

    def on_resize(self) -> None:
        """Gives the columns their widths."""
        super().on_resize()
        self.call_after_refresh(self._show)

    def show_change(self, change: Change) -> None:
        """Asks again where the worker did not answer."""
        super().show_change(change)
        if self._settings is None or self._fault:
            self._ask()

    @work(group="settings", exclusive=True)
    async def _ask(self) -> None:
        edge = self.app.edge
        if edge is None:
            return
        try:
            self._settings = await edge.settings()
            self._fault = ""
        except TranscoderError as error:
            self._fault = error.title
        self._show()

    def _show(self) -> None:
        listed = self.query_one(OptionList)
        place = listed.highlighted
        own = list(console_lines(self.app.preferences, self.app.theme, written_file()))
        theirs = list(worker_lines(self._settings or ()))
        self._lines = [None, *own, None, *theirs]
        note = self._fault or ("asking the worker …" if self._settings is None else "")
        options = [
            self._title("This console", "return changes it"),
            *(Option(self._worded(line)) for line in own),
            self._title("The worker", note),
            *(Option(self._worded(line)) for line in theirs),
        ]
        listed.set_options(options)
        listed.highlighted = 1 if place is None else min(place, len(options) - 1)
        changed = sum(not line.is_default for line in [*own, *theirs])
        self.query_one("#settings-heading", Heading).show("", f"{changed} not as by default")

    @staticmethod
    def _title(words: str, note: str) -> Option:
        return Option(Content.assemble((words, "bold $primary"), (f"  {note}", "$foreground 70%")), disabled=True)

    def _worded(self, line: SettingLine) -> Content:
        room = max(10, int((self.size.width - NAME_WIDTH) * VALUE_SHARE))
        value = fit(line.value, room)
        emphasis = "" if line.is_default else "bold $accent"
        return Content.assemble(
            f" {line.name:{NAME_WIDTH}}", (value, emphasis), " ", (line.origin, emphasis or "$foreground 70%")
        )

    @on(OptionList.OptionHighlighted)
    def _show_help(self, event: OptionList.OptionHighlighted) -> None:
        line = self._lines[event.option_index]
        if line is not None:
            words = Content.assemble((line.name, "bold $primary"), f"  {line.value}\n{line.help}")
            self.query_one("#setting-help", Static).update(words)

    @on(OptionList.OptionSelected)
    def _change(self, event: OptionList.OptionSelected) -> None:
        line = self._lines[event.option_index]
        if line is None or not line.own:
            return
        if line.name == "theme":
            self.app.choose_theme(NAMES[(NAMES.index(self.app.theme) + 1) % len(NAMES)])
        else:
            self.app.preferences.keep(**{line.name: line.value == "off"})
        self._show()

    def action_select(self) -> None:
        """Changes the setting under the cursor, where it is the console's own."""
        self.query_one(OptionList).action_select()

    def action_move(self, where: str) -> None:
        """Moves through the list."""
        move_through(self.query_one(OptionList), where)

    def action_back(self) -> None:
        """Back to all channels."""
        self.app.open_view("channels")
