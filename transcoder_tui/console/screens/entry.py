"""Asks for one line: the path of a file, the address of a source."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.screen import ModalScreen
from textual.suggester import Suggester
from textual.widgets import Input, Static

from transcoder_tui.errors import InvalidInput


class FileNames(Suggester):
    """Completes what is typed to the path of a directory or of a line-up file that is there."""

    def __init__(self) -> None:
        super().__init__(use_cache=False, case_sensitive=True)

    async def get_suggestion(self, value: str) -> str | None:
        """The first path that begins with what is typed."""
        return await asyncio.to_thread(_completed, value)


class EntryScreen(ModalScreen[str]):
    """A field; dismissed with what was written, or with nothing.

    Args:
        title: What is asked for.
        about: What it is for, and what will be done.
        check: Raises :class:`~transcoder_tui.errors.InvalidInput` where something else has to be written.
        value: What stands in the field at first.
        example: What stands in it while it is empty.
        suggester: Completes it.
    """

    CSS_PATH = "dialog.tcss"
    AUTO_FOCUS = "#entry"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "close", "Close", show=False, priority=True),
        Binding("tab", "complete", "Complete", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        about: str,
        check: Callable[[str], object],
        *,
        value: str = "",
        example: str = "",
        suggester: Suggester | None = None,
    ) -> None:
        super().__init__()
        self._heading = title
        self._about = about
        self._check = check
        self._value = value
        self._example = example
        self._suggester = suggester

    def compose(self) -> ComposeResult:
        """What it is for, the field, and what is wrong with it."""
        with Vertical(classes="dialog") as dialog:
            dialog.border_title = Content(self._heading).markup
            dialog.border_subtitle = "return goes on, esc leaves" + (", tab completes" if self._suggester else "")
            yield Static(Content(self._about), markup=False, id="asked")
            yield Input(
                self._value,
                placeholder=f"such as {self._example}" if self._example else "",
                suggester=self._suggester,
                compact=True,
                id="entry",
            )
            yield Static(markup=False, id="entry-fault")

    def on_mount(self) -> None:
        """Does not blink."""
        self.query_one(Input).cursor_blink = False
        self._say("")

    def _say(self, fault: str) -> None:
        line = self.query_one("#entry-fault", Static)
        line.display = bool(fault)
        line.update(Content(fault))

    def action_close(self) -> None:
        """Leaves everything as it is."""
        self.dismiss(None)

    def action_complete(self) -> None:
        """Takes the suggestion over."""
        self.query_one(Input).action_cursor_right()

    def on_input_changed(self) -> None:
        """Holds nothing against what is being mended."""
        self._say("")

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Goes on where nothing is wrong with it."""
        event.stop()
        text = event.value.strip()
        if not text:
            return
        try:
            self._check(text)
        except InvalidInput as error:
            fault = error.faults[0]
            self._say(f"✖ {fault.fault}" + (f"; {fault.remedy}" if fault.remedy else ""))
            return
        self.dismiss(text)


def _completed(value: str) -> str | None:
    head, slash, begun = value.rpartition("/")
    try:
        entries = sorted(Path(f"{head}{slash}" or ".").expanduser().iterdir())
    except OSError:
        return None
    for entry in entries:
        if entry.name.startswith(begun) and entry.name.isprintable() and (begun or entry.name[:1] != "."):
            if entry.is_dir():
                return f"{head}{slash}{entry.name}/"
            if entry.suffix in (".yaml", ".yml", ".json"):
                return f"{head}{slash}{entry.name}"
    return None
