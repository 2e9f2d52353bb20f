"""How the console shows the status of a channel: always a glyph and a word; colour only repeats them."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from transcoder_tui.models.view import ChannelView

Tone = Literal["good", "busy", "warn", "bad", "muted", "plain"]
"""What a colour means; each widget maps it to a style of the theme."""

SLOW = 0.97
"""Speed below which an encoder visibly falls behind real time: at 0.97 a live input's buffer of one second is gone
within 34 s."""


@dataclass(frozen=True, slots=True)
class Mark:
    """Glyph, word and meaning of a status."""

    glyph: str
    word: str
    tone: Tone
    rank: int
    """Position when sorted by status: what needs an operator comes first."""

    @property
    def text(self) -> str:
        """Glyph and word."""
        return f"{self.glyph} {self.word}"


_MARKS = {
    "error": Mark("✖", "error", "bad", 0),
    "retrying": Mark("↻", "retrying", "warn", 1),
    "queued": Mark("◔", "queued", "busy", 3),
    "pending": Mark("◌", "starting", "busy", 4),
    "stopping": Mark("◍", "stopping", "busy", 5),
    "running": Mark("●", "on air", "good", 6),
    "stopped": Mark("○", "stopped", "muted", 7),
}
"""Keyed by the values of ``models.job.Status``."""

_UNWELL = "▲"
"""Stands for a channel that is on air, but of which the worker says that it is not well; its health is the word."""

_UNWELL_SEEN = "△"
"""The same where somebody has acknowledged all that is the matter."""

_UNWELL_RANK = 2

_SILENT = frozenset({"off air", "never started", "process stopped", "input lost", "encoder stuck", "output blocked"})
"""Values of ``models.health.Health`` in which nothing comes out of a channel, be it that its FFmpeg runs."""

_UNKNOWN = Mark("?", "unknown", "plain", 8)
"""A status that this console is too old to know."""

WORDS = {status: mark.word for status, mark in _MARKS.items()}
"""The word for each status."""


def mark_of(channel: "ChannelView") -> Mark:
    """How a channel's status is shown."""
    if channel.is_unwell:
        health = channel.health.value
        glyph = _UNWELL if channel.is_alarmed else _UNWELL_SEEN
        return Mark(glyph, health, "bad" if is_silent(health) else "warn", _UNWELL_RANK)
    return life_of(channel)


def life_of(channel: "ChannelView") -> Mark:
    """The same without its health: where the channel's run is in its life."""
    return _MARKS.get(channel.status, _UNKNOWN)


def is_silent(health: str) -> bool:
    """Whether nothing comes out of a channel of this health."""
    return health in _SILENT


def tone_of(status: str) -> Tone:
    """What the colour of a status means."""
    return _MARKS.get(status, _UNKNOWN).tone


def is_live(channel: "ChannelView") -> bool:
    """Whether stopping the channel would take something off air or interrupt its start."""
    return channel.status in ("running", "queued", "pending", "stopping")
