"""What FFmpeg's log says, in words that an operator can act on, and why an FFmpeg ended."""

import errno
import os
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlsplit

from transcoder_tui.ffmpeg.masking import mask
from transcoder_tui.ffmpeg.patterns import (
    CONSEQUENCE,
    NO_PACKETS,
    NO_STREAMS,
    READ_ERROR,
    RULES,
    SIGNALLED,
    SILENT_INPUT,
    Rule,
)
from transcoder_tui.ffmpeg.side import Side, side_of
from transcoder_tui.models.event import Severity

UNKNOWN_SOURCE = "the source"
"""Stands for the source's address where it is not known."""
MAX_LINE = 2000
"""Characters of a line that are looked at; a log may hold anything."""
MAX_QUOTE = 200
"""Characters of an FFmpeg line that a cause quotes."""

_TAGGED = re.compile(
    r"^(?:\d{4}-\d\d-\d\d [\d:.]+ )?(?P<context>(?:\[[^\]]+ @ (?:0x)?[0-9a-f]+\] )*)"
    r"\[(?P<level>panic|fatal|error|warning|info|verbose|debug|trace)\] (?P<text>.*)$",
    re.DOTALL,
)
_X264 = re.compile(r"^x26[45] \[(?P<level>error|warning|info)\]: ")
_CONTEXT = re.compile(r"^(\[[^\]]+ @ (?:0x)?[0-9a-f]+\] )+")
_LEVELS = {"panic": "fatal", "debug": "verbose", "trace": "verbose"}


@dataclass(frozen=True)
class LogLine:
    """One line of FFmpeg's log."""

    level: str
    """``fatal``, ``error``, ``warning``, ``info`` or ``verbose``."""
    text: str
    """The line without its level, with the part of FFmpeg that wrote it, as in ``[udp @ 0x55…] bind failed: …``."""


@dataclass(frozen=True)
class Diagnosis:
    """What a line, or an end, means."""

    severity: Severity
    cause: str
    """What happened, such as ``no packets from udp://239.1.1.1:5000 for 5 s``; holds no secrets."""
    remedy: str
    """What would help; may be empty."""
    heals: bool
    """Whether trying again can help."""
    fatal: bool
    """Whether FFmpeg ends because of it."""
    side: Side = Side.UNKNOWN
    """Whose fault it is: another source can help only where it is the source's."""


def parse_line(line: str) -> LogLine:
    """Takes a log line apart; a line without a level, such as ``Last message repeated``, counts as ``info``."""
    line = line[:MAX_LINE].rstrip("\r\n")
    tagged = _TAGGED.match(line)
    if tagged:
        level = tagged["level"]
        return LogLine(_LEVELS.get(level, level), tagged["context"] + tagged["text"])
    x264 = _X264.match(line)
    return LogLine(x264["level"] if x264 else "info", line)


def diagnose(text: str, source: str = UNKNOWN_SOURCE) -> Diagnosis | None:
    """What a line means.

    Args:
        text: The text of a :class:`LogLine`.
        source: Address of the channel's source, secrets masked.

    Returns:
        None for lines that mean nothing to an operator, or only follow from another line.
    """
    text = text[:MAX_LINE]
    found = None if CONSEQUENCE.search(text) else _find(text)
    return _explain(*found, text, source) if found else None


class Verdict:
    """Why an FFmpeg ended: reads its log as it grows, and is asked at the end.

    The earliest line that ends FFmpeg tells the cause, since all that follows are consequences. Exit codes say little:
    0 for a live source that was lost, 1 for everything up to FFmpeg 6.

    Args:
        source: Address of the channel's source, secrets masked; named in causes.
        secrets: What must not appear where a line is quoted.
    """

    def __init__(self, source: str = UNKNOWN_SOURCE, secrets: Sequence[str] = ()) -> None:
        self._source = source or UNKNOWN_SOURCE
        self._secrets = tuple(secrets)
        self.forget()

    def forget(self) -> None:
        """Keeps nothing of the lines so far, which have proved to end nothing."""
        self._cause: Diagnosis | None = None
        self._quote = ""
        self._side = Side.UNKNOWN
        self._silent_input = False
        self._signalled = False

    @property
    def is_clear(self) -> bool:
        """Whether no line so far would decide what :meth:`result` says."""
        return not (self._cause or self._quote or self._silent_input or self._signalled)

    def feed(self, line: str) -> None:
        """Takes the next line of the log."""
        parsed = parse_line(line)
        self._silent_input = self._silent_input or bool(SILENT_INPUT.search(parsed.text))
        self._signalled = self._signalled or bool(SIGNALLED.search(parsed.text))
        found = _find(parsed.text)
        if found and found[0].goes_on:
            self._cause, self._quote, self._side = None, "", Side.UNKNOWN
        if parsed.level not in ("fatal", "error"):
            return
        if self._side is Side.UNKNOWN and (self._cause or self._quote):
            self._side = side_of(parsed.text, self._source)
        if CONSEQUENCE.search(parsed.text):
            return
        if found and found[0].fatal:
            rule, match = found
            silent = NO_STREAMS if self._silent_input else READ_ERROR if self._source.startswith("udp://") else None
            if silent is not None and silent.search(parsed.text):
                rule = NO_PACKETS
            if self._cause is None:
                self._cause = _explain(rule, match, parsed.text, self._source)
                self._side = self._cause.side
        elif not found and not self._quote:
            self._quote = _CONTEXT.sub("", parsed.text)[:MAX_QUOTE]
            if self._cause is None:
                self._side = side_of(parsed.text, self._source)

    def so_far(self) -> Diagnosis | None:
        """The cause as far as the log tells it by now; None where it tells none."""
        if self._cause is None:
            return None
        return replace(self._cause, cause=mask(self._cause.cause, self._secrets), side=self._side)

    def result(self, exit_code: int | None, ours: bool) -> Diagnosis:
        """The verdict.

        Args:
            exit_code: As ``waitpid`` decodes it, negative for a signal; None where nobody was there to see it.
            ours: Whether we had ordered it to stop.
        """
        if ours:
            return _ended(Severity.INFO, "stopped")
        if exit_code is not None and exit_code < 0:
            return self._killed(-exit_code)
        if self._signalled and exit_code in (255, 123, None):
            return _ended(
                Severity.WARNING,
                "stopped by a signal from outside",
                "look who stops FFmpeg besides this program",
                Side.HOST,
            )
        side = _side_by_exit(exit_code) if self._side is Side.UNKNOWN else self._side
        if seen := self.so_far():
            return replace(seen, side=side)
        if self._quote:
            return _ended(Severity.ERROR, f"FFmpeg says: {mask(self._quote, self._secrets)}", _SEE_LOG, side)
        return _ended(Severity.ERROR, self._in_words(exit_code), _SEE_LOG, side)

    def _killed(self, number: int) -> Diagnosis:
        try:
            name = signal.Signals(number).name
        except ValueError:
            name = f"signal {number}"
        if number == signal.SIGKILL:
            return _ended(
                Severity.ERROR,
                "FFmpeg was killed (SIGKILL)",
                "look in the kernel's log whether memory ran out",
                Side.HOST,
            )
        if number in (signal.SIGSEGV, signal.SIGABRT, signal.SIGILL, signal.SIGBUS, signal.SIGFPE):
            return _ended(
                Severity.ERROR,
                f"FFmpeg crashed ({name})",
                "try another FFmpeg: set or unset TRANSCODER_FFMPEG__PATH",
                Side.HOST,
            )
        return _ended(
            Severity.ERROR, f"FFmpeg was ended by {name}", "look who stops FFmpeg besides this program", Side.HOST
        )

    def _in_words(self, exit_code: int | None) -> str:
        if exit_code is None:
            return "FFmpeg ended, and nobody was there to see its exit code"
        if exit_code == 0:
            return f"FFmpeg ended by itself: {self._source} ended or fell silent"
        if exit_code in (126, 127):
            return "FFmpeg could not be executed"
        if 128 < exit_code < 255:
            # From FFmpeg 7 on, an exit code is 256 minus the system's error number.
            return f"FFmpeg ended: {os.strerror(256 - exit_code)} (exit code {exit_code})"
        return f"FFmpeg ended with exit code {exit_code}"


_SEE_LOG = "look at the end of the channel's log"


_OF_HOST = (errno.ENOSPC, errno.EROFS, errno.EDQUOT, errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE)
"""Error numbers by which the system tells of itself."""


def _side_by_exit(exit_code: int | None) -> Side:
    if exit_code is None:
        return Side.UNKNOWN
    if exit_code in (126, 127) or 256 - exit_code in _OF_HOST:
        return Side.HOST
    return Side.SOURCE if exit_code == 0 else Side.UNKNOWN


def _ended(severity: Severity, cause: str, remedy: str = "", side: Side = Side.UNKNOWN) -> Diagnosis:
    return Diagnosis(severity, cause, remedy, heals=True, fatal=True, side=side)


def _find(text: str) -> tuple[Rule, re.Match[str]] | None:
    for rule in RULES:
        match = rule.pattern.search(text)
        if match:
            return rule, match
    return None


def _explain(rule: Rule, match: re.Match[str], text: str, source: str) -> Diagnosis:
    words = {name: value or "" for name, value in match.groupdict().items()}
    if "url" in words:
        words["url"] = _shown(words["url"])
    words["source"] = source
    cause, remedy = rule.cause.format_map(words), rule.remedy.format_map(words)
    side = side_of(text, source) if rule.side is Side.UNKNOWN else rule.side
    return Diagnosis(rule.severity, cause, remedy, rule.heals, rule.fatal, side)


def _shown(url: str) -> str:
    """An address as FFmpeg logs it, without login and parameters, and for RTMP without its stream key."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "an output"
    if parts.scheme == "file" or not parts.netloc:
        return parts.path or url
    path = "/".join(parts.path.split("/")[:2]) if parts.scheme in ("rtmp", "rtmps") else parts.path
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{path}"
