"""The command line, in the place of the keys."""

from collections.abc import Callable
from itertools import islice
from pathlib import Path

from transcoder_tui.console.command_line import completions
from transcoder_tui.console.preferences import Preferences
from transcoder_tui.console.state import Rack
from transcoder_tui.console.widgets.typed_line import TypedLine
from transcoder_tui.errors import InvalidInput

MOST_FILES = 1000
"""Entries of a directory that are looked at."""

Prepare = Callable[[str], Callable[[], None]]


class CommandField(TypedLine):
    """Takes one command; one that is wrong stays to be corrected, with what would be right.

    Args:
        rack: What commands are completed from.
        preferences: Keep what was typed.
        prepare: Understands a line, and gives what carries it out.
        leave: Goes back to where the operator was.
    """

    def __init__(self, rack: Rack, preferences: Preferences, prepare: Prepare, leave: Callable[[], None]) -> None:
        super().__init__(
            ":",
            "",
            "start news*   goto 17   mark !ok   theme day   help",
            lambda text: completions(text, rack, files_like),
            preferences.commands,
            id="command-line",
        )
        self._preferences = preferences
        self._prepare = prepare
        self._leave = leave

    def entered(self, text: str) -> None:
        """Carries the command out, after the line has gone; says beside it what is wrong with it."""
        if not text.strip(": "):
            self._leave()
            return
        try:
            carry_out = self._prepare(text)
        except InvalidInput as error:
            fault = error.faults[0]
            self.say(f"{fault.fault}: {fault.remedy}", wrong=True)
            return
        if not holds_secret(text):
            self._preferences.remember("commands", text.strip())
        self._leave()
        carry_out()

    def left(self) -> None:
        """Back to where the operator was."""
        self._leave()


def files_like(typed: str) -> list[str]:
    """The files and directories whose path begins as typed; hidden ones only where their point was typed."""
    directory, _, begin = typed.rpartition("/")
    place = Path(f"{directory}/" if "/" in typed else ".")
    try:
        found = list(islice(place.expanduser().iterdir(), MOST_FILES))
    except (OSError, RuntimeError):
        return []
    shown = [path for path in found if path.name.startswith(begin) and (begin or not path.name.startswith("."))]
    prefix = typed.removesuffix(begin)
    return sorted(f"{prefix}{path.name}{'/' if path.is_dir() else ''}" for path in shown if path.name.isprintable())


def holds_secret(text: str) -> bool:
    """Whether an address in a line may hold a password: such lines are not kept."""
    return "://" in text and ("@" in text or "pass" in text.casefold() or "key" in text.casefold())
