"""How an event is shown: its glyph and words, its time, and which of them a text or a kind lets through. Pure."""

from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Literal, get_args

from transcoder_tui.console.status import Tone

if TYPE_CHECKING:
    from transcoder_tui.models.event import Event

Choice = Literal["all", "alarms", "audit", "states", "worker"]
"""What the list shows."""

CHOICES: tuple[Choice, ...] = get_args(Choice)

KINDS: dict[Choice, tuple[str, ...]] = {
    "all": (),
    "alarms": ("raised", "cleared", "acknowledged"),
    "audit": ("order", "config", "undone", "acknowledged"),
    "states": ("state",),
    "worker": ("worker",),
}
"""Values of ``models.event.EventKind`` in each choice; none is all. An acknowledgement is an alarm's, and somebody's
doing."""

WORKER = "worker"
"""The actor of what nobody ordered."""

_WORDS = {"acknowledged": "seen", "config": "change"}
"""Shorter words for kinds."""
_SEVERITIES: dict[str, tuple[str, Tone]] = {"error": ("✖", "bad"), "warning": ("▲", "warn"), "info": ("·", "plain")}
_GLYPHS: dict[str, tuple[str, Tone]] = {
    "cleared": ("✓", "good"),
    "acknowledged": ("△", "muted"),
    "order": ("›", "busy"),  # noqa: RUF001 - an arrow head
    "config": ("›", "busy"),  # noqa: RUF001
    "undone": ("›", "busy"),  # noqa: RUF001
}
"""Kinds that are told by a glyph of their own; the others by how severe they are."""


@dataclass(frozen=True, slots=True)
class Look:
    """Glyph, word and meaning of an event."""

    glyph: str
    word: str
    tone: Tone


def look_of(event: "Event") -> Look:
    """How an event is shown."""
    kind = event.kind.value
    glyph, tone = _GLYPHS.get(kind) or _SEVERITIES[event.severity.value]
    return Look(glyph, _WORDS.get(kind, kind), tone)


def day(at: datetime) -> str:
    """The day in UTC, by which logs go as well: ``22 Nov``."""
    return f"{at.day:2} {at:%b}"


def clock_time(at: datetime) -> str:
    """The time in UTC: ``14:15:16``."""
    return f"{at:%H:%M:%S}"


def actor_of(event: "Event") -> str:
    """Who did it; empty where nobody did."""
    return "" if event.actor == WORKER else event.actor


def contains(event: "Event", needle: str) -> bool:
    """Whether an event's words contain a text, which is casefolded already."""
    look = look_of(event)
    texts = (event.channel, event.message, event.actor, look.word, event.kind.value, event.severity.value)
    return needle in "\n".join(texts).casefold()
