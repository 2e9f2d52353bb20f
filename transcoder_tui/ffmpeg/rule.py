"""The kinds of row in the table of what FFmpeg's log lines mean."""

import re
from dataclasses import dataclass
from enum import StrEnum

from transcoder_tui.ffmpeg.side import Side
from transcoder_tui.models.event import Severity


class Damage(StrEnum):
    """What is counted over time; each kind is one field of the telemetry."""

    CORRUPT = "corrupt"
    """A packet of a picture or a sound arrived in part: what FFmpeg makes of a continuity error."""
    LOST = "lost"
    """Datagrams never arrived, as the sequence numbers of RTP and SRT tell."""
    UNDECODED = "undecoded"
    """A picture or a piece of sound could not be decoded whole."""
    OVERRUN = "overrun"
    """This machine threw datagrams away because FFmpeg did not take them in time."""


@dataclass(frozen=True)
class Rule:
    """One kind of line and what it means."""

    pattern: re.Pattern[str]
    side: Side
    """Whose fault it is; unknown where the line that fits, or one that follows it, tells."""
    cause: str
    """What happened, in the operator's words. Placeholders: ``{source}``; ``{output}``, the address of the output that
    the log speaks of; ``{end}``, whichever of both it is; ``{because}``, of an output that is tried again, what an
    earlier line says of it; and the groups of the pattern."""
    remedy: str = ""
    """What would help."""
    severity: Severity = Severity.ERROR
    heals: bool = True
    """Whether trying again can help."""
    fatal: bool = False
    """Whether FFmpeg ends because of it."""
    goes_on: bool = False
    """Whether it says that FFmpeg survives what the lines before it said."""
    vague: bool = False
    """Whether an earlier error that no rule knows says more, and is quoted along with it."""
    counts: Damage | None = None
    """What a line of this kind is counted as; as many as its group ``count`` says, else one."""


def ends(side: Side, pattern: str, cause: str, remedy: str = "", vague: bool = False) -> Rule:
    """FFmpeg ends, and trying again can help."""
    return Rule(re.compile(pattern), side, cause, remedy, fatal=True, vague=vague)


def config(side: Side, pattern: str, cause: str, remedy: str = "", vague: bool = False) -> Rule:
    """FFmpeg ends, and would end so each time."""
    return Rule(re.compile(pattern), side, cause, remedy, heals=False, fatal=True, vague=vague)


def note(
    severity: Severity,
    side: Side,
    pattern: str,
    cause: str,
    remedy: str = "",
    goes_on: bool = False,
    counts: Damage | None = None,
) -> Rule:
    """FFmpeg goes on."""
    return Rule(re.compile(pattern), side, cause, remedy, severity, goes_on=goes_on, counts=counts)
