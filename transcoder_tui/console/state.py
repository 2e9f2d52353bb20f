"""The rack as this console knows it: the rows of its table, their order, the cursor and the marks. Pure.

Everything is held by channel id, never by position: whatever is sorted, filtered or refreshed, the cursor and the
marks stay on the channels on which the operator put them.
"""

from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from transcoder_tui.console.status import WORDS, is_live, mark_of
from transcoder_tui.errors import Fault, InvalidInput

if TYPE_CHECKING:
    from datetime import datetime

    from transcoder_tui.models.event import Event
    from transcoder_tui.models.view import ChannelView, Delta, Snapshot, SystemSample, WorkerView

HISTORY = 300
"""Samples of the machine that are kept for the sparklines, one a second: five minutes, more than any strip is wide."""

EVENTS = 500
"""Events that are kept of those that the worker tells; older ones are asked for."""

SortKey = Callable[["ChannelView"], Any]

SORT_KEYS: dict[str, SortKey] = {
    "name": lambda row: row.name.casefold(),
    "status": lambda row: (mark_of(row).rank, row.health.rank),
    "fps": lambda row: row.telemetry.fps,
    "speed": lambda row: row.telemetry.speed,
    "bitrate": lambda row: row.telemetry.bitrate,
    "drops": lambda row: row.telemetry.drops,
    "restarts": lambda row: row.restarts,
    "uptime": lambda row: -row.on_air_since.timestamp() if row.on_air_since and is_live(row) else None,
    "source": lambda row: row.source,
    "group": lambda row: (row.group or "").casefold() or None,
}
"""What each column sorts by; None sorts last, whichever way."""

FIGURES = frozenset({"fps", "speed", "bitrate", "drops"})
"""Columns whose order changes with the figures of channels."""

BIGGEST_FIRST = frozenset({"bitrate", "drops", "restarts", "uptime"})
"""Columns whose first sorting is downward, because operators look for their largest values."""


@dataclass(slots=True)
class Change:
    """What a message of the stream changed on the table."""

    rows: set[int] = field(default_factory=set)
    """Ids of channels whose row differs."""
    layout: bool = False
    """Whether rows came, went or changed places."""


@dataclass(frozen=True, slots=True)
class Tally:
    """What all channels together are in, whatever their figures."""

    statuses: Counter[str]
    unwell: int
    """How many of those on air are not well."""
    live: int
    """How many are on air or about to be."""
    troubled: "list[ChannelView]"
    """Those with alarms, acknowledged or not."""
    ticking: frozenset[int]
    """Ids of those of which a time is shown that runs."""

    @classmethod
    def of(cls, rows: "Collection[ChannelView]") -> Self:
        """Counts."""
        live = [row for row in rows if is_live(row)]
        return cls(
            statuses=Counter(str(row.status.value) for row in rows),
            unwell=sum(row.is_unwell for row in live),
            live=len(live),
            troubled=[row for row in rows if row.alarms],
            ticking=frozenset(row.id for row in live) | {row.id for row in rows if row.next_retry_at},
        )


class Rack:
    """Folds the live stream into rows, and keeps the operator's cursor, marks, order and filter over them."""

    def __init__(self) -> None:
        self.channels: dict[int, ChannelView] = {}
        self.worker: WorkerView | None = None
        self.at: datetime | None = None
        """The worker's clock at the last message; what uptimes and waits are counted from."""
        self.history: deque[SystemSample] = deque(maxlen=HISTORY)
        self.events: deque[Event] = deque(maxlen=EVENTS)
        """The latest, oldest first."""
        self.shown: list[int] = []
        """Ids in the table's order, filtered."""
        self.cursor: int | None = None
        self.marks: set[int] = set()
        self._marked_last: int | None = None
        """Where a range of marks begins."""
        self.sort = "name"
        self.reverse = False
        self.filter = ""
        self._lets_through: Callable[[ChannelView], bool] | None = None
        self._place = 0
        self._tally: Tally | None = None

    @property
    def tally(self) -> Tally:
        """What all channels together are in."""
        if self._tally is None:
            self._tally = Tally.of(self.channels.values())
        return self._tally

    def fold_snapshot(self, snapshot: "Snapshot") -> Change:
        """Takes over everything that the worker knows."""
        self.worker = snapshot.worker
        self.at = snapshot.at
        self.channels = {row.id: row for row in snapshot.channels}
        self._tally = None
        self.history.clear()
        self.history.extend(snapshot.history)
        self.events.clear()
        self.events.extend(snapshot.events)
        self._arrange()
        return Change(set(self.channels), layout=True)

    def fold_delta(self, delta: "Delta") -> Change:
        """Takes over what changed since the message before."""
        self.at = delta.at
        self.worker = delta.worker or self.worker
        self.channels.update((row.id, row) for row in delta.changed)
        for channel_id in delta.removed:
            self.channels.pop(channel_id, None)
        for channel_id, telemetry in delta.figures.items():
            if channel_id in self.channels:
                self.channels[channel_id].telemetry = telemetry
        self.history.append(delta.system)
        self.events.extend(delta.events)
        before = self.shown
        if delta.changed or delta.removed:
            self._tally = None
        if delta.changed or delta.removed or self._lets_through or self.sort in FIGURES:
            self._arrange()
        return Change({row.id for row in delta.changed} | self.tally.ticking, layout=self.shown != before)

    @property
    def current(self) -> "ChannelView | None":
        """The channel under the cursor."""
        return self.channels.get(self.cursor) if self.cursor in self.shown else None

    @property
    def position(self) -> int | None:
        """Line of the cursor in the table; None where its channel is gone or filtered out."""
        try:
            return self.shown.index(self.cursor)  # type: ignore[arg-type]
        except ValueError:
            return None

    def move(self, lines: int) -> None:
        """Moves the cursor down, or up where negative; where its channel vanished, on from where it was."""
        position = self.position
        self.go(self._place if position is None else position + lines)

    def go(self, line: int) -> None:
        """Puts the cursor on a line, or on the nearest one that there is."""
        if self.shown:
            self._place = max(0, min(line, len(self.shown) - 1))
            self.cursor = self.shown[self._place]

    def toggle_mark(self) -> None:
        """Marks the channel under the cursor, or takes its mark away."""
        if self.current is not None:
            self.marks ^= {self.current.id}
            self._marked_last = self.current.id

    def mark_range(self) -> None:
        """Marks from the channel marked last to the one under the cursor, as they stand in the table at present."""
        place = self.position
        if place is None:
            return
        begin = self.shown.index(self._marked_last) if self._marked_last in self.shown else place
        self.marks |= set(self.shown[min(begin, place) : max(begin, place) + 1])
        self._marked_last = self.cursor

    def mark_on(self, lines: int) -> None:
        """Marks the channel under the cursor, moves, and marks the one there too."""
        place = self.position
        self.move(lines)
        self.marks |= {self.shown[at] for at in (place, self.position) if at is not None}
        self._marked_last = self.cursor

    def mark_shown(self) -> None:
        """Marks every channel that the filter lets through."""
        self.marks |= set(self.shown)

    def invert_marks(self) -> None:
        """Marks, of those that the filter lets through, the channels that are not marked, and only these."""
        self.marks ^= set(self.shown)

    def sort_by(self, column: str) -> None:
        """Sorts by a column; the same column again turns the order round."""
        self.reverse = not self.reverse if column == self.sort else column in BIGGEST_FIRST
        self.sort = column
        self._arrange()

    def sort_as(self, column: str, *, reverse: bool) -> None:
        """Sorts as it was sorted before; a column that there is not leaves the order as it is."""
        if column in SORT_KEYS:
            self.sort, self.reverse = column, reverse
            self._arrange()

    def narrow(self, text: str) -> Fault | None:
        """Shows only channels that a filter lets through, in the language of :mod:`transcoder_tui.console.query`.

        The operator did this, so where it hides the channel under the cursor, the cursor goes to the first one left.

        Returns:
            What is wrong with the filter; then the one before it stays in force.
        """
        from transcoder_tui.console.query import compiled

        try:
            self._lets_through = compiled(text) if text.strip() else None
        except InvalidInput as error:
            return error.faults[0]
        self.filter = text.strip()
        self._arrange()
        if self.position is None:
            self.go(0)
        return None

    def choose(self, channel_id: int) -> None:
        """Puts the cursor on a channel; on nothing until the worker tells of it, where it was stored just now."""
        self.cursor = channel_id
        if self.position is not None:
            self._place = self.position

    def unchosen(self) -> str:
        """Why there is no channel under the cursor and what helps; empty where there is one."""
        if self.current is not None:
            return ""
        if self.shown:
            return "No channel is chosen: the arrow keys choose one."
        if self.channels:
            return "No channel is chosen: the filter hides all of them, esc clears it."
        return "No channel is known yet."

    def targets(self) -> "list[ChannelView]":
        """The channels that an action is for: the marked ones, else the one under the cursor."""
        if self.marks:
            return sorted((self.channels[mark] for mark in self.marks), key=SORT_KEYS["name"])
        return [self.current] if self.current is not None else []

    def hidden_marks(self) -> int:
        """How many marked channels the filter hides."""
        return len(self.marks.difference(self.shown))

    def counts(self) -> list[tuple[str, str, int]]:
        """Status, its word and how many channels are in it; without those that nobody is in.

        What is on air comes first, then what needs an operator, so that a narrow terminal cuts what matters least.
        """
        found = self.tally.statuses
        order = ("running", "error", "retrying", "pending", "queued", "stopping", "stopped")
        return [(status, WORDS[status], found[status]) for status in order if found[status]]

    def _arrange(self) -> None:
        rows = filter(self._lets_through, self.channels.values())
        self.shown = [row.id for row in sorted_rows(rows, self.sort, self.reverse)]
        self.marks.intersection_update(self.channels)
        position = self.position
        if position is not None:
            self._place = position
        elif self.cursor is None:
            self.go(0)


def sorted_rows(rows: "Iterable[ChannelView]", column: str, reverse: bool) -> "list[ChannelView]":
    """Rows in the order of a column, equal ones by name; rows without a value last, whichever way."""
    key = SORT_KEYS[column]
    by_name = sorted(rows, key=lambda row: (row.name.casefold(), row.id))
    known = [row for row in by_name if key(row) is not None]
    known.sort(key=key, reverse=reverse)
    return known + [row for row in by_name if key(row) is None]
