"""Alarms that nobody has acknowledged: how many there are, where the next one is, when one is new."""

from collections.abc import Collection, Iterable, Sequence
from typing import TYPE_CHECKING

from transcoder_tui.console.edge import Edge
from transcoder_tui.errors import Fault, TranscoderError

if TYPE_CHECKING:
    from transcoder_tui.models.health import Alarm
    from transcoder_tui.models.view import ChannelView

RING_S = 1.0
"""Seconds from one bell to the next at the least: a storm of alarms is one bell a second, not three hundred at once."""

NONE_LEFT = "No alarm. + creates a channel."
"""Said by the key that jumps to the next one; in other programs it is the one for something new."""


def unseen(row: "ChannelView") -> "list[Alarm]":
    """A channel's alarms that nobody has acknowledged, the gravest first."""
    return [alarm for alarm in row.alarms if not alarm.acknowledged_by]


def alarmed(rows: "Iterable[ChannelView]") -> "list[ChannelView]":
    """Channels with alarms that nobody has acknowledged: the gravest first, then by name."""
    found = [row for row in rows if row.is_alarmed]
    return sorted(found, key=lambda row: (unseen(row)[0].health.rank, row.name.casefold(), row.id))


def next_alarmed(rows: "Iterable[ChannelView]", after: int | None) -> "ChannelView | None":
    """The channel to jump to; None where no alarm is left.

    Args:
        rows: All channels with alarms.
        after: Id of the channel to go on from, round and round; where it has no such alarm, the gravest is next.
    """
    order = alarmed(rows)
    ids = [row.id for row in order]
    place = ids.index(after) + 1 if after in ids else 0
    return order[place % len(order)] if order else None


def seen_by(row: "ChannelView") -> str:
    """Who acknowledged a channel's alarms; empty where there is none, or one that nobody has acknowledged."""
    if not row.alarms or row.is_alarmed:
        return ""
    return ", ".join(dict.fromkeys(alarm.acknowledged_by for alarm in row.alarms))


class Siren:
    """Knows which alarms are new, and when a bell may ring for them."""

    def __init__(self) -> None:
        self._known: set[tuple[int, str]] | None = None
        self._rang_at: float | None = None
        self._due = False

    def hears(self, rows: "Collection[ChannelView]", now: float) -> bool:
        """Takes in how all channels are; returns whether to ring.

        What there is at the first time is not new. Nor is what was there before the worker went away: alarms are known
        by channel and kind, as a worker that was started again may raise them anew.

        Args:
            rows: All channels with alarms.
            now: Seconds that only grow.
        """
        raised = {(row.id, alarm.health.value) for row in rows for alarm in unseen(row)}
        held = {(row.id, alarm.health.value) for row in rows for alarm in row.alarms}
        if self._known is not None:
            self._due = bool(raised) and (self._due or bool(raised - self._known))
        self._known = held
        if not self._due or (self._rang_at is not None and now - self._rang_at < RING_S):
            return False
        self._due = False
        self._rang_at = now
        return True


async def acknowledge(edge: Edge, channels: "Sequence[ChannelView]") -> list[Fault]:
    """Says that the alarms of channels have been seen, one channel after the other; returns what failed."""
    failed: list[Fault] = []
    for row in channels:
        try:
            await edge.acknowledge(row.id)
        except TranscoderError as error:
            failed += [Fault(fault.fault, fault.remedy, row.name) for fault in error.faults or (Fault(error.title),)]
    return failed
