"""A line of a channel's log, taken apart: when, how severe, what. Pure."""

import re
from collections.abc import Callable
from dataclasses import dataclass

from transcoder_tui.console.status import Tone

_LINE = re.compile(
    r"\d{4}-\d{2}-\d{2}T(\d{2}:\d{2}:\d{2})[.\d]*Z? +(FATAL|ERROR|WARNING|INFO|VERBOSE|WORKER) ?(.*)", re.DOTALL
)

_TONES: dict[str, Tone] = {
    "FATAL": "bad",
    "ERROR": "bad",
    "WARNING": "warn",
    "INFO": "plain",
    "VERBOSE": "muted",
    "WORKER": "busy",
}
"""What the colour of each level means; ``WORKER`` are the worker's own lines: start, stop, exit, watchdog."""


@dataclass(frozen=True, slots=True)
class LogLine:
    """One line."""

    time: str
    """``HH:MM:SS`` in UTC; empty where the line carries none."""
    level: str
    tone: Tone
    text: str

    def shown(self, *, times: bool) -> str:
        """The line as it is drawn: time, level and text.

        Args:
            times: Whether with its time.
        """
        time = f"{self.time:8} " if times and self.time else ""
        return f"{time}{self.level:8}{self.text}" if self.level else f"{time}{self.text}"


def read_line(text: str) -> LogLine:
    """Takes a line apart; one in another form is shown as it is."""
    match = _LINE.fullmatch(text)
    if match is None:
        return LogLine("", "", "muted", text)
    time, level, rest = match.groups()
    return LogLine(time, level, _TONES[level], rest.lstrip())


def needle(text: str) -> re.Pattern[str] | None:
    """What finds a text; small letters stand for capitals too. None for an empty text.

    The text is meant as it is: names of files and options are full of characters that regular expressions have a use
    for, and an expression could keep the console busy for minutes.
    """
    if not text:
        return None
    return re.compile(re.escape(text), 0 if any(map(str.isupper, text)) else re.IGNORECASE)


def wanted(text: str) -> Callable[[str], bool] | None:
    """Whether a line holds a text as it is drawn with its time; with ``!`` in front, whether it does not.

    Args:
        text: Empty, or ``!`` alone, for all lines: then None.
    """
    found = needle(text.removeprefix("!"))
    if found is None:
        return None
    inverted = text.startswith("!")
    return lambda line: bool(found.search(read_line(line).shown(times=True))) is not inverted
