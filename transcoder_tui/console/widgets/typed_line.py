"""A line in which something is typed, with completion, history and room for what is wrong with it.

It is made when it is asked for, which keeps it off the first paint.
"""

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal
from textual.content import Content
from textual.suggester import Suggester
from textual.widgets import Input, Static

from transcoder_tui.console.query import Completions

Complete = Callable[[str], Completions]


class Ghost(Suggester):
    """Shows behind the cursor what the likeliest completion would add.

    Args:
        complete: What the end of a line could become.
    """

    def __init__(self, complete: Complete) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._complete = complete

    async def get_suggestion(self, value: str) -> str | None:
        """The line with the first completion that only adds to it."""
        lines = self._complete(value).lines(value) if value.strip() else []
        return next((line for line in lines if line.startswith(value) and line != value), None)


class Entry(Input):
    """Where the letters go. Its keys come before those of the screen, which takes none meanwhile."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("tab", "complete(1)", "Complete", show=False),
        Binding("shift+tab", "complete(-1)", "The completion before", show=False),
        Binding("up", "recall(1)", "The line before", show=False),
        Binding("down", "recall(-1)", "The line after", show=False),
        Binding("escape", "leave", "Leave", show=False),
    ]

    def __init__(self, line: "TypedLine", text: str, placeholder: str, complete: Complete) -> None:
        super().__init__(
            text, placeholder=placeholder, compact=True, select_on_focus=False, suggester=Ghost(complete), id="entry"
        )
        self.cursor_blink = False
        self._line = line

    def action_complete(self, step: int) -> None:
        """The next completion, or the one before."""
        self._line.complete(step)

    def action_recall(self, step: int) -> None:
        """An older line, or a newer one."""
        self._line.recall(step)

    def action_leave(self) -> None:
        """Leaves the line."""
        self._line.left()

    async def action_submit(self) -> None:
        """Takes the line as it stands, at once: what follows in a burst is not part of it."""
        self._line.entered(self.value)


class TypedLine(Horizontal):
    """Prompt, entry, and what is to be said about it.

    Args:
        prompt: What stands in front.
        text: What stands in it at first.
        placeholder: What to type, shown while there is nothing.
        complete: What the end of a line could become.
        history: What was typed before, oldest first.
        id: Of the whole.
    """

    def __init__(
        self,
        prompt: str,
        text: str,
        placeholder: str,
        complete: Complete,
        history: Sequence[str],
        *,
        id: str,  # noqa: A002 - Textual's name for it
    ) -> None:
        super().__init__(id=id)
        self._prompt = prompt
        self._complete = complete
        self._history = history
        self._first = text
        self._offered: list[str] = []
        """The completions that tab goes through, while it does."""
        self._recalled: list[str] = []
        """The lines that the arrows go through, newest first, before them what was typed."""
        self._at = 0
        self.entry = Entry(self, text, placeholder, complete)

    def compose(self) -> ComposeResult:
        """From left to right."""
        yield Static(self._prompt, markup=False, classes="prompt")
        yield self.entry
        yield Static(markup=False, id="hint")

    def say(self, words: str, *, wrong: bool = False) -> None:
        """Says something at the right of what is typed."""
        hint = self.query_one("#hint", Static)
        hint.set_class(wrong, "-wrong")
        hint.update(Content(f" {words} " if words else ""))

    # What becomes of what is typed

    def typed(self, text: str) -> None:
        """Something was typed."""
        self.say("")

    def entered(self, text: str) -> None:
        """The return key was pressed."""
        raise NotImplementedError

    def left(self) -> None:
        """The escape key was pressed."""
        raise NotImplementedError

    # Completion and history

    def complete(self, step: int) -> None:
        """Puts the next completion into the entry, or the one before."""
        if self._offered:
            self._at = (self._at + step) % len(self._offered)
        else:
            self._offered = self._complete(self.entry.value).lines(self.entry.value)
            self._at = 0 if step > 0 else len(self._offered) - 1
        if not self._offered:
            self.say("nothing begins like this")
            return
        self._put(self._offered[self._at])
        if len(self._offered) == 1:
            self._offered = []

    def recall(self, step: int) -> None:
        """Puts an older line into the entry, or a newer one; of those that begin with what was typed."""
        if not self._recalled:
            typed = self.entry.value
            begin = "" if typed == self._first else typed
            found = [line for line in reversed(self._history) if line.startswith(begin) and line != typed]
            self._recalled, self._at = [typed, *found], 0
        self._at = max(0, min(self._at + step, len(self._recalled) - 1))
        self._put(self._recalled[self._at])

    def _put(self, line: str) -> None:
        self.entry.value = line
        self.entry.cursor_position = len(line)

    def on_input_changed(self, event: Input.Changed) -> None:
        """Forgets what was gone through as soon as something else is typed."""
        event.stop()
        if event.value != self.entry.value:
            return
        if event.value not in self._offered:
            self._offered = []
        if event.value not in self._recalled:
            self._recalled = []
        self.typed(event.value)
        if len(self._offered) > 1:
            self.say(
                f"{self._at + 1} of {len(self._offered)}, tab: {self._offered[(self._at + 1) % len(self._offered)]}"
            )
