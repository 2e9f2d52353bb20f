"""What may be wrong with a channel although it is on air."""

from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.source import Source
from transcoder_tui.worker.monitor import Monitor

QUIET_S = 3.0
"""Seconds without media progress after which a channel on air says so."""
QUIET_SEGMENTS_S = 12.0
"""The same for sources that come in segments: RFC 8216 players wait for up to three of them, usually of 4 s."""
SLOW = 0.97
"""Share of real time below which a channel falls behind for good."""
SETTLED_S = 15.0
"""Seconds on air after which its speed means anything: FFmpeg begins with what it had buffered."""


def complaint(
    spec: ChannelSpec, source: Source, monitor: Monitor, on_air_s: float, now: float, *, disk_full: bool
) -> tuple[str, str]:
    """The gravest complaint about a channel on air, and its remedy; empty where there is none.

    Args:
        spec: The channel.
        source: The source in use.
        monitor: What is observed of its FFmpeg.
        on_air_s: For how long it has been on air.
        now: Monotonic seconds.
        disk_full: Whether nothing can be written below the HLS root.
    """
    # HLS arrives a segment at a time: pauses are normal, and so is catching up.
    in_segments = source.address.scheme in ("http", "https")
    quiet = monitor.quiet_s(now)
    if quiet >= (QUIET_SEGMENTS_S if in_segments else QUIET_S):
        return f"no media progress for {quiet:.0f} s", "check the source"
    if disk_full and any(output.address.scheme == "hls" for output in spec.outputs):
        return "the disk of the HLS root is full: its segments are empty", "free space on it"
    found = monitor.complaint(now)
    if found is not None:
        return found.cause, found.remedy
    speed = monitor.figures(now).speed
    if speed is not None and speed < SLOW and not in_segments and on_air_s > SETTLED_S:
        return f"too slow: {speed:.2f}x real time", "lighter preset, fewer rungs, or fewer channels on this host"
    return "", ""
