"""A line of a channel's log, taken apart: when, how severe, what. Pure."""

import re
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


def read_line(text: str) -> LogLine:
    """Takes a line apart; one in another form is shown as it is."""
    match = _LINE.fullmatch(text)
    if match is None:
        return LogLine("", "", "muted", text)
    time, level, rest = match.groups()
    return LogLine(time, level, _TONES[level], rest.lstrip())
