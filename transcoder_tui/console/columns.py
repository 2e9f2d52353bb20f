"""The columns of the channel table, and which of them fit a terminal's width. Pure.

Status and name find and identify a channel; then come the figures, and only then source and outputs, which are as wide
as the terminal allows.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from transcoder_tui.client.outlook import next_step
from transcoder_tui.console import format as written
from transcoder_tui.console.alarms import seen_by
from transcoder_tui.console.status import SLOW, Tone, is_live, mark_of

if TYPE_CHECKING:
    from datetime import datetime

    from transcoder_tui.models.view import ChannelView

Cell = tuple[str, Tone]
Reader = Callable[["ChannelView", "datetime | None"], Cell]

GUTTER = 2
"""Cells left of the first column: the cursor's bar and the mark."""
GAP = 1
"""Cells between two columns."""


@dataclass(frozen=True, slots=True)
class Column:
    """One column."""

    key: str
    """Also the name of its order in ``state.SORT_KEYS``."""
    title: str
    least: int
    """Cells below which it is not worth showing."""
    ideal: int
    """Cells that it takes where there is room."""
    keep: int
    """When columns have to go, the lowest goes first."""
    read: Reader
    align: Literal["left", "right"] = "right"

    @property
    def is_figure(self) -> bool:
        """Whether it holds a figure, which a channel has only while it is on air."""
        return self.align == "right"


@dataclass(frozen=True, slots=True)
class Placed:
    """A column with the width that it got."""

    column: Column
    width: int


def _status(row: "ChannelView", _: "datetime | None") -> Cell:
    mark = mark_of(row)
    return mark.text, mark.tone


def _speed(row: "ChannelView", _: "datetime | None") -> Cell:
    factor = row.telemetry.speed
    tone: Tone = "muted" if factor is None else "warn" if factor < SLOW else "plain"
    return written.speed(factor), tone


def _drops(row: "ChannelView", _: "datetime | None") -> Cell:
    return written.count(row.telemetry.drops), "warn" if row.telemetry.drops else "muted"


def _restarts(row: "ChannelView", _: "datetime | None") -> Cell:
    return written.count(row.restarts), "warn" if row.restarts else "muted"


def _uptime(row: "ChannelView", now: "datetime | None") -> Cell:
    start = row.on_air_since if is_live(row) else None
    return written.since(start, now), "plain" if start else "muted"


def _figure(text: str) -> Cell:
    return text, "muted" if text == written.ABSENT else "plain"


def _renditions(row: "ChannelView") -> str:
    return ", ".join(rung.split(" ", 1)[0] for rung in row.renditions)


COLUMNS = (
    Column("status", "Status", 12, 19, 99, _status, "left"),
    Column("name", "Name", 13, 26, 100, lambda row, _: (row.name, "plain"), "left"),
    Column("fps", "fps", 5, 6, 80, lambda row, _: _figure(written.rate(row.telemetry.fps))),
    Column("speed", "Speed", 5, 6, 60, _speed),
    Column("bitrate", "Bitrate", 7, 8, 90, lambda row, _: _figure(written.bitrate(row.telemetry.bitrate))),
    Column("drops", "Drops", 5, 6, 70, _drops),
    Column("restarts", "Rst", 3, 4, 50, _restarts),
    Column("uptime", "Uptime", 7, 8, 85, _uptime),
    Column("source", "Source", 10, 40, 40, lambda row, _: (row.source, "muted"), "left"),
    Column("group", "Group", 8, 14, 20, lambda row, _: (row.group or "", "muted"), "left"),
    Column("renditions", "Renditions", 10, 22, 10, lambda row, _: (_renditions(row), "muted"), "left"),
    Column("outputs", "Outputs", 20, 80, 30, lambda row, _: (", ".join(row.outputs), "muted"), "left"),
)
"""In the order of the table."""


LEAST_CAUSE = 24
"""Cells below which a cause would be cut so short that source and outputs say more."""


def instead_of_figures(row: "ChannelView", now: "datetime | None") -> Cell | None:
    """When a channel that is not on air is tried again, and why it is not; None where it has figures to show."""
    if row.status not in ("retrying", "error", "queued", "pending"):
        return None
    words = ": ".join(filter(None, (next_step(row, now), _cause(row))))
    return (words, mark_of(row).tone) if words else None


def instead_of_texts(row: "ChannelView") -> Cell | None:
    """What is the matter with a channel on air, in the place of source and outputs; None where it is well."""
    words = _cause(row) if row.is_unwell else ""
    return (words, "muted" if seen_by(row) else mark_of(row).tone) if words else None


def _cause(row: "ChannelView") -> str:
    """Why it is not well, and who has seen that already."""
    who = seen_by(row)
    return f"✓ {who}: {row.message}" if who and row.message else row.message


def lay_out(width: int) -> tuple[Placed, ...]:
    """The columns that fit, with their widths.

    Args:
        width: Cells of the table, without its scrollbar.
    """
    room = width - GUTTER
    columns = list(COLUMNS)
    while len(columns) > 1 and _needed(columns) > room:
        columns.remove(min(columns, key=lambda column: column.keep))
    widths = {column.key: column.least for column in columns}
    spare = max(0, room - _needed(columns))
    for column in sorted(columns, key=lambda column: (column.is_figure, -column.keep)):
        grown = min(spare, column.ideal - column.least)
        widths[column.key] += grown
        spare -= grown
    if columns[-1].align == "left":
        widths[columns[-1].key] += spare
    return tuple(Placed(column, widths[column.key]) for column in columns)


def _needed(columns: list[Column]) -> int:
    return sum(column.least + GAP for column in columns) - GAP
