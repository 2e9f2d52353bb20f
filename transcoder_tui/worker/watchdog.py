"""Tells from FFmpeg's progress whether a channel is on air, and for how long it has been quiet."""

from transcoder_tui.ffmpeg.progress import Progress

BLOCKS_ON_AIR = 2
"""Progress blocks with advancing media time that make a channel running."""


class Watchdog:
    """Watches one run.

    Args:
        now: When the run started, in seconds of the monotonic clock.
        on_air: Whether it is known to be on air already, as an adopted run is.
    """

    def __init__(self, now: float, *, on_air: bool = False) -> None:
        self._advanced_at = now
        self._block_at = now
        self._last: tuple[int | None, int | None, int | None] = (None, None, None)
        self._advances = BLOCKS_ON_AIR if on_air else 0

    @property
    def on_air(self) -> bool:
        """Whether media time has been seen to advance."""
        return self._advances >= BLOCKS_ON_AIR

    def feed(self, progress: Progress, now: float) -> None:
        """Takes in one progress block that was read at ``now``."""
        self._block_at = now
        seen = (progress.frame, progress.out_time_us, progress.total_size)
        if seen != self._last and any(seen):
            self._advanced_at = now
            self._advances += 1
        self._last = seen

    def hold(self, now: float) -> None:
        """Counts from ``now`` on: until then nobody could see whether there was progress."""
        self._advanced_at = self._block_at = now

    def stalled_s(self, now: float) -> float:
        """Seconds since the last media progress, or since the start."""
        return now - self._advanced_at

    def silent_s(self, now: float) -> float:
        """Seconds since the last progress block, advancing or not."""
        return now - self._block_at
