"""When a channel that is on a backup source returns to a better one."""

from dataclasses import dataclass

from transcoder_tui.settings import SourceSettings


@dataclass(slots=True)
class _Tested:
    """What is known of one source."""

    needed_s: float
    """How long it must be good before the channel returns to it."""
    good_since: float | None = None
    returned_at: float | None = None
    """When the channel last returned to it."""
    under_test: bool = False


class Failover:
    """Remembers how good each source of a channel was of late. All times are seconds of the monotonic clock.

    Args:
        settings: How long a source must be good, and how long at most after it failed again and again.
    """

    def __init__(self, settings: SourceSettings) -> None:
        self._settings = settings
        self._sources: dict[int, _Tested] = {}

    def testing(self, source: int) -> None:
        """Notes that a test of a source begins."""
        self._of(source).under_test = True

    def tested(self, source: int, now: float, *, good: bool) -> None:
        """Takes in the result of a test of a source that is not on air."""
        known = self._of(source)
        known.under_test = False
        if not good:
            known.good_since = None
        elif known.good_since is None:
            known.good_since = now

    def better(self, source: int, now: float) -> int | None:
        """The best source that has been good for long enough; None where none is better than ``source``.

        Not while it is under test: a port that only one program can receive on is still taken then.
        """
        for candidate in range(source):
            known = self._of(candidate)
            if known.good_since is not None and now - known.good_since >= known.needed_s:
                return None if known.under_test else candidate
        return None

    def returned(self, source: int, now: float) -> None:
        """Notes that the channel returns to a source."""
        known = self._of(source)
        known.returned_at, known.good_since = now, None

    def failed(self, source: int, now: float) -> None:
        """Notes that a source failed on air.

        One that failed sooner after a return than it had to be good before it was no good: the next time it has to be
        good for twice as long. One that held longer starts from the beginning.
        """
        known = self._of(source)
        known.good_since = None
        if known.returned_at is None:
            return
        if now - known.returned_at <= 2 * known.needed_s:
            known.needed_s = min(2 * known.needed_s, self._settings.hold_down_max_s)
        else:
            known.needed_s = self._settings.return_after_s
        known.returned_at = None

    def needed_s(self, source: int) -> float:
        """How long a source must be good at present before the channel returns to it."""
        return self._of(source).needed_s

    def good_s(self, source: int, now: float) -> float | None:
        """For how long a source has been good; None where it is not, or was not tested yet."""
        since = self._of(source).good_since
        return None if since is None else now - since

    def _of(self, source: int) -> _Tested:
        return self._sources.setdefault(source, _Tested(self._settings.return_after_s))
