"""Tells from FFmpeg's progress whether a channel is on air, and when it is no longer."""

from transcoder_tui.ffmpeg.progress import Progress
from transcoder_tui.settings import WatchdogSettings

BLOCKS_ON_AIR = 2
"""Progress blocks with advancing media time that make a channel running."""


class Watchdog:
    """Watches one run.

    Args:
        settings: The time limits.
        now: When the run started, in seconds of the monotonic clock.
        on_air: Whether it is known to be on air already, as an adopted run is.
    """

    def __init__(self, settings: WatchdogSettings, now: float, *, on_air: bool = False) -> None:
        self._settings = settings
        self._advanced_at = now
        self._last: tuple[int | None, int | None, int | None] = (None, None, None)
        self._advances = BLOCKS_ON_AIR if on_air else 0

    @property
    def on_air(self) -> bool:
        """Whether media time has been seen to advance."""
        return self._advances >= BLOCKS_ON_AIR

    def feed(self, progress: Progress, now: float) -> None:
        """Takes in one progress block that was read at ``now``."""
        seen = (progress.frame, progress.out_time_us, progress.total_size)
        if seen != self._last and any(seen):
            self._advanced_at = now
            self._advances += 1
        self._last = seen

    def hold(self, now: float) -> None:
        """Counts from ``now`` on: until then nobody could see whether there was progress."""
        self._advanced_at = now

    def stalled_s(self, now: float) -> float:
        """Seconds since the last media progress, or since the start."""
        return now - self._advanced_at

    def alarm(self, now: float) -> str | None:
        """Why the run has to be ended, in the operator's words; None while there is no reason."""
        quiet = self.stalled_s(now)
        if not self.on_air and quiet >= self._settings.startup_s:
            return f"no media progress within {self._settings.startup_s:g} s of the start"
        if self.on_air and quiet >= self._settings.stall_s:
            return f"no media progress for {self._settings.stall_s:g} s"
        return None
