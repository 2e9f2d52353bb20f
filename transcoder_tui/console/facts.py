"""Everything that the worker knows of one channel, in words. Pure."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

from transcoder_tui.client.outlook import outlook
from transcoder_tui.console import format as written
from transcoder_tui.console.status import is_live, life_of

if TYPE_CHECKING:
    from datetime import datetime

    from transcoder_tui.models.view import ChannelView


def facts(row: "ChannelView", now: "datetime | None") -> Iterator[tuple[str, str]]:
    """Labels and what stands beside them; a label is empty where a list goes on."""
    since = f" for {written.since(row.since, now)}" if row.since else ""
    yield "Status", f"{life_of(row).text}{since}, wanted {row.wanted.value}"
    if not row.is_unwell:
        yield from _labelled("Fault", row.message)
        yield from _labelled("Remedy", row.remedy)
    if coming := outlook(row, now):
        yield "Next", coming
    elif row.attempt:
        yield "Attempts", f"{row.attempt} of {row.max_attempts} failed"
    yield from _alarms(row, now)
    if row.group:
        yield "Group", row.group
    yield "Priority", str(row.priority)
    yield "Source", row.source + (f" on {row.interface}" if row.interface else "")
    if row.sources > 1:
        yield "", f"{row.source_index + 1} of {row.sources}{', chosen by an operator' if row.pinned else ''}"
    yield from _listed("Renditions", row.renditions)
    yield from _listed("Encoders", [picture.words for picture in row.encoders])
    yield from _listed("Outputs", row.outputs)
    figures = row.telemetry
    if is_live(row):
        yield "On air", written.since(row.on_air_since, now)
        yield "Encoder", f"{written.rate(figures.fps)} fps, speed {written.speed(figures.speed)}"
        yield "Bitrate", f"{written.bitrate(figures.bitrate)}b/s"
        yield "Frames", f"{written.count(figures.drops)} dropped, {written.count(figures.dups)} repeated"
    if row.pid is not None:
        cpu = "" if figures.cpu_percent is None else f", {figures.cpu_percent:.0f}% of one core"
        memory = "" if figures.rss_bytes is None else f", {written.size(figures.rss_bytes)} of memory"
        yield "Process", f"pid {row.pid}{cpu}{memory}"
    yield from _labelled("Limits", row.limits)
    yield "Restarts", written.count(row.restarts)
    if row.gap_s is not None:
        yield "Last gap", f"{row.gap_s:g} s off air at the last interruption"
    yield "Channel", f"id {row.id}, revision {row.revision}"


def _labelled(label: str, text: str) -> Iterator[tuple[str, str]]:
    if text:
        yield label, text


def _alarms(row: "ChannelView", now: "datetime | None") -> Iterator[tuple[str, str]]:
    """Each alarm with since when, why and its remedy; what stands above them already is not said again."""
    said = {""} if row.is_unwell else {"", row.message, row.remedy}
    for alarm in row.alarms:
        begun = alarm.since.strftime("%Y-%m-%d %H:%M:%S UTC")
        yield "Alarm", f"{alarm.health.value} for {written.since(alarm.since, now)}, since {begun}"
        if alarm.message not in said:
            yield "", alarm.message
        if alarm.remedy not in said:
            yield "", f"→ {alarm.remedy}"


def _listed(label: str, entries: list[str]) -> Iterator[tuple[str, str]]:
    for number, entry in enumerate(entries):
        yield "" if number else label, entry
