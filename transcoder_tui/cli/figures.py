"""Figures of a channel in the forms in which people and scripts read them. Pure functions."""

from datetime import datetime
from typing import Any

from transcoder_tui.cli.output import Style, can_show
from transcoder_tui.client.outlook import outlook
from transcoder_tui.models.job import Status, Wanted
from transcoder_tui.models.view import ChannelView

GLYPHS: dict[Status, tuple[str, str]] = {
    Status.STOPPED: ("○", "-"),
    Status.QUEUED: ("◔", "~"),
    Status.PENDING: ("◌", "~"),
    Status.RUNNING: ("●", "*"),
    Status.RETRYING: ("↻", "!"),
    Status.STOPPING: ("◐", "~"),
    Status.ERROR: ("✖", "X"),
}
"""The sign that stands before the word for each status, and the one where the terminal has ASCII only."""

UNWELL = ("▲", "^")
"""The same for a channel that is on air and not well."""


def style_of(view: ChannelView) -> Style:
    """The colour that repeats how a channel does."""
    if view.status is Status.RUNNING:
        return "warning" if view.is_unwell else "good"
    if view.status in (Status.RETRYING, Status.ERROR):
        return "bad"
    return "warning" if view.wanted is Wanted.RUNNING else "quiet"


def status_text(view: ChannelView) -> str:
    """Glyph and word; the word is its health where it is on air and not well."""
    glyph, ascii_glyph = UNWELL if view.is_unwell else GLYPHS[view.status]
    return f"{glyph if can_show(glyph) else ascii_glyph} {view.health if view.is_unwell else view.status}"


def uptime_s(view: ChannelView, now: datetime) -> float | None:
    """Seconds on air; None where it is not."""
    if view.on_air_since is None or view.status not in (Status.RUNNING, Status.STOPPING):
        return None
    return round(max(0.0, (now - view.on_air_since).total_seconds()), 1)


def flat(view: ChannelView, now: datetime) -> dict[str, Any]:
    """A channel for scripts: the API's document with the figures that everybody asks for on top of it."""
    bitrate = view.telemetry.bitrate
    return view.model_dump(mode="json") | {
        "fps": view.telemetry.fps,
        "speed": view.telemetry.speed,
        "bitrate_kbps": None if bitrate is None else round(bitrate / 1000, 1),
        "drops": view.telemetry.drops,
        "uptime_s": uptime_s(view, now),
    }


def number_text(value: float | None, form: str = ".0f") -> str:
    """A figure, or a dash where there is none."""
    return "-" if value is None else format(value, form)


def bitrate_text(bits_per_second: float | None) -> str:
    """``5210k`` as line-ups write it, ``38.2M`` from 10 Mb/s on."""
    if bits_per_second is None:
        return "-"
    if bits_per_second >= 10_000_000:
        return f"{bits_per_second / 1_000_000:.1f}M"
    return f"{bits_per_second / 1000:.0f}k"


def bytes_text(count: float) -> str:
    """``7.6 GiB``."""
    for unit in ("B", "KiB", "MiB"):
        if count < 1024:
            return f"{count:.0f} {unit}"
        count /= 1024
    return f"{count:.1f} GiB"


def duration_text(seconds: float | None) -> str:
    """``12s``, ``4m05s``, ``3h12m``, ``2d03h``."""
    if seconds is None:
        return "-"
    whole = int(seconds)
    for unit, small, size, step in (("d", "h", 86_400, 3600), ("h", "m", 3600, 60), ("m", "s", 60, 1)):
        if whole >= size:
            return f"{whole // size}{unit}{whole % size // step:02d}{small}"
    return f"{whole}s"


def time_text(at: datetime | None) -> str:
    """A moment in the operator's time zone."""
    return "-" if at is None else at.astimezone().strftime("%Y-%m-%d %H:%M:%S")


def complaint(view: ChannelView, now: datetime) -> str:
    """When a channel will be tried again, and why it is not on air or not well; empty where all is well."""
    return ": ".join(filter(None, (outlook(view, now), view.message)))
