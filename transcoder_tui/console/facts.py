"""Everything that the worker knows of one channel, in words and figures. Pure."""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Literal

from rich.cells import cell_len

from transcoder_tui.client.outlook import outlook
from transcoder_tui.console import format as written
from transcoder_tui.console.status import SLOW, Tone, is_live, is_silent, life_of
from transcoder_tui.console.widgets.cells import fit, wrap

if TYPE_CHECKING:
    from datetime import datetime

    from transcoder_tui.console.widgets.panel import Line, Lines
    from transcoder_tui.models.channel import ChannelSpec
    from transcoder_tui.models.event import Event
    from transcoder_tui.models.health import Alarm
    from transcoder_tui.models.view import ChannelView, Telemetry

CELL = 26
"""Least cells of one figure: its name, itself, and how much of it came in the last minute."""
PER_LINE = (6, 3, 2, 1)
"""How many figures may share a line: the six of each sort stand below each other."""
COUNTERS: tuple[tuple[str, str], ...] = (
    ("corrupt", "corrupt"),
    ("lost", "lost"),
    ("undecoded", "undecoded"),
    ("overrun", "overrun"),
    ("dropped", "drops"),
    ("repeated", "dups"),
)
"""What counts damage, each with its name in the telemetry: of the source first, then of the frames that are made."""

Cell = tuple[str, str, str, Tone]
"""A figure: name, value, what stands behind it, and what its colour means."""


def state_lines(row: "ChannelView", now: "datetime | None", width: int) -> "Lines":
    """How the channel is, since when, why, what helps and what comes next."""
    mark = life_of(row)
    if row.since is None:
        lines: Lines = [[(f" {mark.text}", mark.tone), (", never started", "plain")]]
    else:
        since = f" for {written.since(row.since, now)}, since {_time(row.since, now)}"
        wanted = "" if row.status.value == row.wanted.value else f", wanted {row.wanted.value}"
        lines = [[(f" {mark.text}", mark.tone), (since, "plain"), (wanted, "muted")]]
    said = {""}
    if not row.is_unwell:
        if row.message:
            lines += _indented("✖ ", row.message, mark.tone, width)
        if row.remedy:
            lines += _indented("→ ", row.remedy, "plain", width)
        said |= {row.message, row.remedy}
    if coming := outlook(row, now):
        lines += _indented("  ", coming, "warn", width)
    elif row.attempt:
        lines += _indented("  ", f"{row.attempt} of {row.max_attempts} attempts failed", "warn", width)
    for alarm in row.alarms:
        lines += _alarm(alarm, said, now, width)
    return lines


def _alarm(alarm: "Alarm", said: set[str], now: "datetime | None", width: int) -> "Lines":
    """An alarm with since when, why and its remedy; what stands above it already is not said again."""
    tone: Tone = "bad" if is_silent(alarm.health.value) else "warn"
    begun = f" for {written.since(alarm.since, now)}, since {_time(alarm.since, now)}"
    lines: Lines = [[(f" ▲ {alarm.health.value}", tone), (begun, "plain"), (f"  {_seen(alarm, now)}", "muted")]]
    if alarm.message not in said:
        lines += _indented("  ", alarm.message, "plain", width)
    if alarm.remedy not in said:
        lines += _indented("→ ", alarm.remedy, "plain", width)
    return lines


def _seen(alarm: "Alarm", now: "datetime | None") -> str:
    if not alarm.acknowledged_by:
        return "nobody has seen it"
    ago = f" {written.since(alarm.acknowledged_at, now)} ago" if alarm.acknowledged_at else ""
    return f"✓ seen by {alarm.acknowledged_by}{ago}"


def _indented(sign: str, text: str, tone: Tone, width: int) -> "Lines":
    """A text behind a sign, on as many lines as it needs."""
    return [
        [(f" {sign if number == 0 else '  '}{part}", tone)]
        for number, part in enumerate(wrap(text, max(1, width - len(sign) - 1)))
    ]


def figure_lines(row: "ChannelView", width: int) -> "Lines":
    """What is measured, then what is counted, in columns; at last its process."""
    return [*_in_columns(_measured(row), width), *_in_columns(_counted(row), width), *_process(row, width)]


def _measured(row: "ChannelView") -> list[Cell]:
    figures, cells = row.telemetry, []
    if is_live(row):
        slow = figures.speed is not None and figures.speed < SLOW
        cells = [
            _cell("fps", written.rate(figures.fps)),
            _cell("speed", written.speed(figures.speed), tone="warn" if slow else "plain"),
            _cell("bitrate", written.with_unit(written.bitrate(figures.bitrate), "b/s")),
            _cell("CPU", written.ABSENT if figures.cpu_percent is None else f"{figures.cpu_percent:.0f}%"),
            _cell("memory", written.ABSENT if figures.rss_bytes is None else written.size(figures.rss_bytes)),
        ]
    return [*cells, _cell("restarts", written.count(row.restarts), tone="warn" if row.restarts else "muted")]


def _process(row: "ChannelView", width: int) -> "Lines":
    gap = "" if row.gap_s is None else f"last gap {row.gap_s:g} s"
    words = ", ".join(filter(None, (f"pid {row.pid}" if row.pid is not None else "", gap, row.limits)))
    return [[(f" {'process':9} ", "label"), (fit(words, max(0, width - 11)), "muted")]] if words else []


def _counted(row: "ChannelView") -> list[Cell]:
    return [_counter(row.telemetry, name, field) for name, field in COUNTERS] if is_live(row) else []


def _counter(figures: "Telemetry", name: str, field: str) -> Cell:
    total: int | None = getattr(figures, field)
    lately: int | None = getattr(figures, f"{field}_per_min")
    tone: Tone = "warn" if lately else "plain" if total else "muted"
    return (name, written.count(total), f"{written.count(lately)}/min" if lately else "", tone)


def _cell(name: str, value: str, behind: str = "", tone: Tone = "plain") -> Cell:
    return (name, value, behind, "muted" if value == written.ABSENT else tone)


def _in_columns(cells: Sequence[Cell], width: int) -> "Lines":
    per_line = next((number for number in PER_LINE if number * CELL <= width), 1)
    rows = (cells[at : at + per_line] for at in range(0, len(cells), per_line))
    return [[part for cell in row for part in _parts(cell, width // per_line)] for row in rows]


def _parts(cell: Cell, width: int) -> "Line":
    name, value, behind, tone = cell
    return [(f" {name:9}", "label"), (fit(value, 8, "right"), tone), (fit(f" {behind}", max(0, width - 18)), "muted")]


def source_lines(row: "ChannelView", spec: "ChannelSpec | None", width: int) -> "Lines":
    """Each source, the one in use marked.

    Args:
        row: The channel.
        spec: Its document; None while it is not known, then only the source in use is told.
        width: Cells of a line.
    """
    on = is_live(row)
    if spec is None or len(spec.sources) != row.sources:
        names = {row.source_index: row.source + (f" on {row.interface}" if row.interface else "")}
    else:
        names = {place: source.words for place, source in enumerate(spec.sources)}
    lines: Lines = []
    for place, name in names.items():
        active = place == row.source_index
        glyph, tone = ("●", "good") if active and on else ("○", "muted")
        words = "in use" if active and on else "next" if active else "in reserve"
        if active and row.pinned:
            words = "chosen by an operator"
        number = f"{place + 1} " if row.sources > 1 else ""
        room = max(0, width - 5 - len(number) - len(words))
        name = fit(name, min(room, cell_len(name)))
        lines.append(
            [(f" {glyph} ", tone), (number, "label"), (name, "plain" if active else "muted"), (f"  {words}", "muted")]
        )
    return lines


def source_note(row: "ChannelView") -> str:
    """Which of its sources is in use; empty where it has one."""
    return f"{row.source_index + 1} of {row.sources}" if row.sources > 1 else ""


def identity(row: "ChannelView") -> str:
    """What the channel is among the others."""
    group = f"{row.group}  " if row.group else ""
    return f"{group}priority {row.priority}  id {row.id}"


def event_lines(events: "Iterable[Event]", now: "datetime | None", width: int, most: int) -> "Lines":
    """The latest events, the newest first, each on one line."""
    tones: dict[str, Literal["bad", "warn", "plain"]] = {"error": "bad", "warning": "warn"}
    lines: Lines = []
    for event in sorted(events, key=lambda event: event.id, reverse=True)[:most]:
        actor = "" if event.actor in ("", "worker") else f" {event.actor} "
        room = max(0, width - 25 - len(actor))
        kind = fit(event.kind.value, 13)
        lines.append(
            [
                (f" {_short_time(event.at, now)} ", "label"),
                (kind, tones.get(event.severity.value, "muted")),
                (fit(" ".join(event.message.split()), room), tones.get(event.severity.value, "plain")),
                (actor, "label"),
            ]
        )
    return lines or [[(" none yet", "muted")]]


def _time(at: "datetime", now: "datetime | None") -> str:
    """When something was; within the last day without its date."""
    return at.strftime("%H:%M:%S UTC" if _is_lately(at, now) else "%Y-%m-%d %H:%M:%S UTC")


def _short_time(at: "datetime", now: "datetime | None") -> str:
    """Within the last day the time, before that the day; always ten cells."""
    return at.strftime("%H:%M:%S" if _is_lately(at, now) else "%Y-%m-%d").ljust(10)


def _is_lately(at: "datetime", now: "datetime | None") -> bool:
    return now is None or abs((now - at).total_seconds()) < 86_400
