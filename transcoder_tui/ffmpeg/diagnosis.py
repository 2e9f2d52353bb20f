"""What FFmpeg's log says, in words that an operator can act on, and why an FFmpeg ended."""

import errno
import os
import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import Enum
from functools import lru_cache

from transcoder_tui.ffmpeg.masking import mask
from transcoder_tui.ffmpeg.output_names import OutputNames, shown
from transcoder_tui.ffmpeg.patterns import (
    CONSEQUENCE,
    LISTENS,
    NO_PACKETS,
    NO_STREAMS,
    NOBODY_CALLED,
    NOISE,
    OF_SOURCES,
    RULES,
    SIGNALLED,
    SILENT_INPUT,
    TIMED_OUT,
)
from transcoder_tui.ffmpeg.rule import Damage, Rule
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
_LIBRARY = re.compile(
    r"(?:x26[45] \[|Svt\[|[\d:.]+/SRT:[^ ]*?[*!](?=[EW]:))(?P<level>error|warning|warn|info|E|W)(?:\]|:)"
)
"""How x264, x265, SVT-AV1 and libsrt write, which do not go by FFmpeg's log."""
_REPEATED = re.compile(r" +Last message repeated (?P<times>\d+) times")
_CONTEXT = re.compile(r"^(\[[^\]]+ @ (?:0x)?[0-9a-f]+\] )+")
_LEVELS = {
    "panic": "fatal",
    "debug": "verbose",
    "trace": "verbose",
    "warn": "warning",
    "E": "error",
    "W": "warning",
}


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


@dataclass(frozen=True, slots=True)
class Reading:
    """One line of the log that was read."""

    line: LogLine
    means: Diagnosis | None = None
    """None for lines that mean nothing to an operator, or only follow from another line."""
    counts: Damage | None = None
    """What it is counted as, and how often."""
    times: int = 0


def parse_line(line: str) -> LogLine:
    """Takes a log line apart; a line without a level, such as ``Last message repeated``, counts as ``info``."""
    line = line[:MAX_LINE].rstrip("\r\n")
    tagged = _TAGGED.match(line)
    if tagged:
        level = tagged["level"]
        return LogLine(_LEVELS.get(level, level), tagged["context"] + tagged["text"])
    library = _LIBRARY.match(line)
    level = library["level"] if library else "info"
    return LogLine(_LEVELS.get(level, level), line)


@dataclass
class _Cause:
    """What a verdict rests on so far."""

    rule: Rule | None = None
    """What the first line that ends FFmpeg says."""
    words: dict[str, str] = field(default_factory=dict)
    """The groups of its pattern."""
    quote: str = ""
    """The first error that no rule knows."""
    side: Side = Side.UNKNOWN
    output: str = ""
    """The address of the output that it is about; empty where the log does not tell."""
    silent_input: bool = False
    listens: bool = False
    """Whether FFmpeg said that it waited to be called."""
    signalled: bool = False

    def learn(self, text: str, source: str, outputs: OutputNames) -> None:
        """Takes from a line whom the cause speaks of: as a rule one that follows, but tee tells its slave before."""
        if "Slave muxer" in text:
            self.output = self.output or outputs.of(text)
        if self.rule is None and not self.quote:
            return
        if self.side is Side.UNKNOWN:
            self.side = side_of(text, source)
        if self.side in _WRITERS and not self.output:
            self.output = outputs.of(text)


class Verdict:
    """Reads an FFmpeg's log as it grows: what each line means by itself, and at the end why it ended.

    The earliest line that ends FFmpeg tells the cause, since all that follows are consequences. Exit codes say little:
    0 for a live source that was lost, 1 for everything up to FFmpeg 6.

    Args:
        source: Address of the channel's source, secrets masked; named in causes.
        secrets: What must not appear where a line is quoted.
    """

    def __init__(self, source: str = UNKNOWN_SOURCE, secrets: Sequence[str] = ()) -> None:
        self._source = source or UNKNOWN_SOURCE
        self._secrets = tuple(secrets)
        self._outputs = OutputNames()
        self._counted: Damage | None = None
        self._explained: dict[tuple[int, Side], Diagnosis] = {}
        """What rules without groups mean here: a flood consists of a few of them."""
        self.forget()

    def forget(self) -> None:
        """Keeps nothing of the lines so far, which have proved to end nothing."""
        self._seen = _Cause()

    @property
    def is_clear(self) -> bool:
        """Whether no line so far would decide what :meth:`result` says."""
        return self._seen == _Cause()

    def feed(self, line: str) -> Reading:
        """Takes the next line of the log.

        Returns:
            What it means by itself.
        """
        parsed = parse_line(line)
        if parsed.level == "info":
            self._outputs.learn(line)
            if repeated := _REPEATED.match(parsed.text):
                return Reading(parsed, None, self._counted, int(repeated["times"]))
            self._seen.signalled = self._seen.signalled or bool(SIGNALLED.search(parsed.text))
        kind = self._kind(parsed.text)
        if isinstance(kind, Rule) and kind.goes_on:
            earlier = self._of_an_output()
            self.forget()
            return self._reading(parsed, kind, earlier)
        if parsed.level in ("fatal", "error"):
            self._judge(parsed.text, kind)
        return self._reading(parsed, kind)

    def _kind(self, text: str) -> "Rule | _Silence | None":
        kind = _kind_of(_VARYING.sub("0000", text))
        if kind is _Silence.NOISE and SILENT_INPUT.search(text):
            self._seen.silent_input = True
        if not isinstance(kind, Rule) or not kind.fatal:
            return kind
        if self._seen.silent_input and NO_STREAMS.search(text):
            return NO_PACKETS
        if side_of(text, self._source) is Side.OUTPUT:
            waited = LISTENS.search(text)
            return NOBODY_CALLED if waited and TIMED_OUT.search(text) else kind
        if TIMED_OUT.search(text) and (self._seen.listens or LISTENS.search(self._source + text)):
            return NOBODY_CALLED
        scheme = self._source.partition("://")[0]
        special = (rule for schemes, rule in OF_SOURCES if scheme in schemes.split() and rule.pattern.search(text))
        return next(special, kind)

    def _judge(self, text: str, kind: "Rule | _Silence | None") -> None:
        """Takes an error into account."""
        seen = self._seen
        seen.listens = seen.listens or bool(LISTENS.search(text))
        if isinstance(kind, Rule):
            if kind.fatal and seen.rule is None:
                seen.rule, seen.words, seen.side = kind, _words(kind, text), kind.side
        elif kind is None and not seen.quote:
            seen.quote = _CONTEXT.sub("", text)[:MAX_QUOTE]
        seen.learn(text, self._source, self._outputs)

    def _of_an_output(self) -> Diagnosis | None:
        """What the log tells by now of an output that failed; None where it tells nothing, or speaks of others."""
        seen = self._seen
        if seen.rule is None or seen.rule.vague or seen.side not in (Side.OUTPUT, Side.UNKNOWN):
            return None
        return self._explain(seen.rule, seen.words, Side.OUTPUT, "this output")

    def _reading(self, line: LogLine, kind: "Rule | _Silence | None", earlier: Diagnosis | None = None) -> Reading:
        self._counted = None
        if kind is None:
            return Reading(line, self._unknown(line))
        if isinstance(kind, _Silence) or (line.level in ("info", "verbose") and (kind.fatal or kind.counts)):
            return Reading(line)
        self._counted = kind.counts
        words = _words(kind, line.text)
        side = side_of(line.text, self._source) if kind.side is Side.UNKNOWN else kind.side
        output = self._outputs.of(line.text) if side in _WRITERS else ""
        means = self._explained.get((id(kind), side)) if not words and not output else None
        if means is None:
            means = self._explain(kind, words, side, output, earlier=earlier)
            if not words and not output:
                self._explained[id(kind), side] = means
        return Reading(line, means, kind.counts, int(words.get("count") or 1) if kind.counts else 0)

    def _unknown(self, line: LogLine) -> Diagnosis | None:
        """A line that no rule knows: as grave as FFmpeg says, and quoted."""
        severity = _SEVERITIES.get(line.level)
        if severity is None:
            return None
        quote = mask(_CONTEXT.sub("", line.text)[:MAX_QUOTE], self._secrets)
        side = side_of(line.text, self._source)
        return Diagnosis(severity, f"FFmpeg says: {quote}", _SEE_LOG, heals=True, fatal=False, side=side)

    def _explain(
        self,
        rule: Rule,
        groups: dict[str, str],
        side: Side,
        output: str,
        quote: str = "",
        earlier: Diagnosis | None = None,
    ) -> Diagnosis:
        named = output or "an output"
        ends = {Side.SOURCE: self._source, Side.OUTPUT: named}
        words = {
            **groups,
            "source": self._source,
            "output": named,
            "end": ends.get(side, f"{self._source} or an output"),
            "because": f": {earlier.cause}" if earlier else "",
        }
        cause = rule.cause.format_map(words)
        if quote:
            cause += f": {quote}"
        remedy = earlier.remedy if earlier and "{because}" in rule.cause else rule.remedy.format_map(words)
        return Diagnosis(rule.severity, mask(cause, self._secrets), remedy, rule.heals, rule.fatal, side)

    def so_far(self) -> Diagnosis | None:
        """The cause as far as the log tells it by now; None where it tells none."""
        seen = self._seen
        if seen.rule is None:
            return None
        return self._explain(seen.rule, seen.words, seen.side, seen.output, seen.quote if seen.rule.vague else "")

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
        if self._seen.signalled and exit_code in (255, 123, None):
            return _ended(
                Severity.WARNING,
                "stopped by a signal from outside",
                "look who stops FFmpeg besides this program",
                Side.HOST,
            )
        seen = self._seen
        side = _side_by_exit(exit_code) if seen.side is Side.UNKNOWN else seen.side
        if found := self.so_far():
            return replace(found, side=side)
        if seen.quote:
            return _ended(Severity.ERROR, f"FFmpeg says: {mask(seen.quote, self._secrets)}", _SEE_LOG, side)
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
            if found := self.so_far():
                return replace(found, cause=f"{found.cause}; FFmpeg crashed of it ({name})")
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


class _Silence(Enum):
    """What a line that no rule explains is, where that is known."""

    CONSEQUENCE = "follows from another line"
    NOISE = "asks nothing of an operator"


_WRITERS = (Side.OUTPUT, Side.HOST)
"""Whose faults may be about one output: the host's disks are."""
_SEVERITIES = {"fatal": Severity.ERROR, "error": Severity.ERROR, "warning": Severity.WARNING}
_VARYING = re.compile(r"0x[0-9a-f]+|\d{4,}")
"""What differs between lines of one kind: pointers, timestamps, ports."""


@lru_cache(maxsize=1024)
def _kind_of(text: str) -> Rule | _Silence | None:
    """What kind of line it is; remembered, since floods repeat a few kinds: 2 us instead of 20."""
    if CONSEQUENCE.search(text):
        return _Silence.CONSEQUENCE
    if NOISE.search(text) or SILENT_INPUT.search(text):
        return _Silence.NOISE
    return next((rule for rule in RULES if rule.pattern.search(text)), None)


def _words(rule: Rule, text: str) -> dict[str, str]:
    """The groups of a rule in a line; one of a second alternative, as ``what2``, goes by the name of the first."""
    match = rule.pattern.search(text)
    words: dict[str, str] = {}
    for name, value in match.groupdict().items() if match else ():
        words[name.removesuffix("2")] = words.get(name.removesuffix("2")) or value or ""
    if "url" in words:
        words["url"] = shown(words["url"])
    return words
