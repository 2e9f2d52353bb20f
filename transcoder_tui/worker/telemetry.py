"""Figures of a run over the last seconds, from FFmpeg's progress and from the kernel."""

from collections import deque
from typing import NamedTuple

from transcoder_tui.ffmpeg.progress import Progress
from transcoder_tui.host.sampling import ProcessSample
from transcoder_tui.models.view import Telemetry
from transcoder_tui.worker.damage import SourceDamage, Tally

WINDOW_S = 10.0
"""Span of the figures. FFmpeg's own ``speed=`` and ``fps=`` are averages since its start, which hide a fault."""
COARSE_S = 5.0
"""Step in which media time is kept for the speed over a longer time."""
GAP_S = 1.5
"""Seconds in which media stood still after which the speed over a longer time is measured anew: a source that paused
is no slow encoder. Progress comes once a second, and is read up to a second later."""
LEAST = 0.1
"""Share of real time that an encoder is taken to keep at least, where time that it stood still is told from time in
which it was slow."""


class _Point(NamedTuple):
    at: float
    progress: Progress


class RunTelemetry:
    """Gathers one run's figures.

    Args:
        cbr_bps: Constant rate of the run's transport stream outputs together, in bits per second, null packets
            included; it leaves at this rate as long as media time advances in real time.
        long_s: Seconds over which :meth:`long_speed` looks.
        damage: What its source loses; None where nobody counts that.
    """

    def __init__(self, cbr_bps: int, long_s: float = 60.0, damage: SourceDamage | None = None) -> None:
        self._cbr_bps = cbr_bps
        self._long_s = long_s
        self._points: deque[_Point] = deque()
        self._samples: deque[ProcessSample] = deque()
        self._media: deque[tuple[float, int]] = deque()
        self._advanced: tuple[float, int] | None = None
        self._damage = damage
        self._drops, self._dups = Tally(), Tally()

    def feed(self, progress: Progress, now: float) -> None:
        """Takes in one progress block that was read at ``now`` (monotonic seconds)."""
        self._points.append(_Point(now, progress))
        while len(self._points) > 2 and now - self._points[0].at > WINDOW_S:
            self._points.popleft()
        self._drops.reach(progress.drop_frames or 0, now)
        self._dups.reach(progress.dup_frames or 0, now)
        if progress.out_time_us is not None:
            self._measure(progress.out_time_us, now)

    def _measure(self, media_us: int, now: float) -> None:
        at, before = self._advanced or (now, media_us - 1)
        if now - at - (media_us - before) / 1e6 / self._pace() > GAP_S:
            self._media.clear()
        if media_us == before:
            return
        self._advanced = (now, media_us)
        if not self._media or now - self._media[-1][0] >= COARSE_S:
            self._media.append((now, media_us))
            while len(self._media) > 2 and now - self._media[1][0] >= self._long_s:
                self._media.popleft()

    def _pace(self) -> float:
        """Media time per wall time since the long measurement began, within reason."""
        if not self._media or self._advanced is None:
            return 1.0
        (began, first), (ended, last) = self._media[0], self._advanced
        return min(1.0, max(LEAST, (last - first) / 1e6 / (ended - began))) if ended > began else 1.0

    def long_speed(self, now: float) -> float | None:
        """Media time per wall time over the longer time; None where it has not advanced for so long without a gap."""
        if not self._media or now - self._media[0][0] < self._long_s:
            return None
        (began, first), (ended, last) = self._media[0], self._media[-1]
        return (last - first) / 1e6 / (ended - began) if ended > began else None

    def feed_process(self, sample: ProcessSample) -> None:
        """Takes in what the kernel says of the process."""
        self._samples.append(sample)
        while len(self._samples) > 2 and sample.at - self._samples[0].at > WINDOW_S:
            self._samples.popleft()

    def view(self, now: float) -> Telemetry:
        """The figures as of ``now``; figures that went stale are None."""
        process = self._samples[-1] if self._samples else None
        own = Telemetry(
            cpu_percent=round(process.cpu_percent, 1) if process else None,
            rss_bytes=process.rss_bytes if process else None,
        )
        if not self._points or now - self._points[-1].at > WINDOW_S:
            return own
        last = self._points[-1].progress
        update: dict[str, float | int | None] = {
            "drops": last.drop_frames,
            "drops_per_min": None if last.drop_frames is None else self._drops.last_minute(now),
            "dups": last.dup_frames,
            "dups_per_min": None if last.dup_frames is None else self._dups.last_minute(now),
            "media_s": round(last.out_time_us / 1e6, 1) if last.out_time_us is not None else None,
        }
        for kind, tally in self._damage.tallies.items() if self._damage else ():
            update[kind.value] = tally.total
            update[f"{kind.value}_per_min"] = tally.last_minute(now)
        first, final = self._points[0], self._points[-1]
        span = final.at - first.at
        if span > 0:
            update["fps"] = _rate(first.progress.frame, final.progress.frame, span, 1)
            media = _rate(first.progress.out_time_us, final.progress.out_time_us, span * 1e6, 3)
            update["speed"] = media
            muxed = _rate(first.progress.total_size, final.progress.total_size, span / 8, 0)
            update["bitrate"] = self._outside(media) if muxed is None else muxed
        return own.model_copy(update=update)

    def _outside(self, speed: float | None) -> float | None:
        """Bits per second that leave, as far as it shows without FFmpeg's own count."""
        files = None
        if len(self._samples) > 1:
            first, last = self._samples[0], self._samples[-1]
            files = _rate(first.written_bytes, last.written_bytes, (last.at - first.at) / 8, 0)
        if files is None and not self._cbr_bps:
            return None
        return round((files or 0) + self._cbr_bps * min(speed or 0, 1))


def _rate(first: int | None, final: int | None, span: float, digits: int) -> float | None:
    if first is None or final is None or final < first:
        return None
    return round((final - first) / span, digits)
