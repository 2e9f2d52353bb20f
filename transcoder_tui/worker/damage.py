"""What is lost and damaged of a source, counted over time, and when that is so bad that somebody should look."""

from collections import deque
from pathlib import Path

from transcoder_tui.ffmpeg.rule import Damage
from transcoder_tui.models.health import Health
from transcoder_tui.worker.health import Trouble
from transcoder_tui.worker.trimming import Numbers

WINDOW_S = 10.0
"""Step in which what happened is kept."""
MINUTE = 6
"""Windows in a minute."""
SUSTAINED = 3
"""Windows in a row with damage in each, after which a source counts as damaged, and without any, after which it is
clean again. A hit of lightning, a route that changes or a sender that restarts fills one window, or two where it falls
on their border; three are a fault that stays. As many to clear: a fault every half minute is one alarm."""


class Tally:
    """Counts something since a start, and how much of that came in the last minute.

    Costs nothing while nothing happens.
    """

    __slots__ = ("_recent", "total")

    def __init__(self, total: int = 0) -> None:
        self.total = total
        self._recent: deque[tuple[int, int]] = deque()

    def add(self, count: int, now: float) -> None:
        """Counts ``count`` more at ``now`` (monotonic seconds)."""
        self.total += count
        window = int(now // WINDOW_S)
        if self._recent and self._recent[-1][0] == window:
            count += self._recent.pop()[1]
        self._recent.append((window, count))

    def reach(self, total: int, now: float) -> None:
        """The same, told by a sum since the start."""
        if total > self.total:
            self.add(total - self.total, now)

    def last_minute(self, now: float) -> int:
        """How much came in the last 50 to 60 s."""
        while self._recent and self._recent[0][0] <= now // WINDOW_S - MINUTE:
            self._recent.popleft()
        return sum(count for _, count in self._recent)


class SourceDamage:
    """Counts what one run's source loses.

    Args:
        file: Where the sums are kept, so that the next worker goes on counting; written only when something happened.
        adopted: Whether the last worker has counted part of it.
    """

    def __init__(self, file: Path, *, adopted: bool) -> None:
        self._file = Numbers(file, len(Damage) + 1)
        if not adopted:
            file.unlink(missing_ok=True)
        *totals, self._kernel = self._file.read()
        self.tallies = {kind: Tally(total) for kind, total in zip(Damage, totals, strict=True)}
        self._bad: deque[int] = deque(maxlen=SUSTAINED + 1)
        self._raised = False
        self._changed = False

    def add(self, kind: Damage, count: int, now: float) -> None:
        """Counts ``count`` more at ``now`` (monotonic seconds)."""
        self.tallies[kind].add(count, now)
        self._changed = True
        window = int(now // WINDOW_S)
        if not self._bad or self._bad[-1] != window:
            self._bad.append(window)

    def dropped(self, total: int, now: float) -> None:
        """Takes in how many datagrams the kernel dropped since the sockets were opened."""
        if total > self._kernel:
            self.add(Damage.OVERRUN, total - self._kernel, now)
            self._kernel = total

    def keep(self) -> None:
        """Writes down what was counted since the last time."""
        if not self._changed:
            return
        self._changed = False
        try:
            self._file.write(*(tally.total for tally in self.tallies.values()), self._kernel)
        except OSError:
            # Without room for it, the next worker counts from an earlier sum.
            return

    def trouble(self, source: str, now: float) -> Trouble | None:
        """What is the matter with the source.

        Args:
            source: Its address, secrets masked.
            now: Monotonic seconds.
        """
        if not self._bad:
            return None
        window = int(now // WINDOW_S)
        if self._raised:
            self._raised = self._bad[-1] >= window - SUSTAINED
        else:
            self._raised = all(window - back in self._bad for back in range(1, SUSTAINED + 1))
        if not self._raised:
            return None
        recent = {kind: tally.last_minute(now) for kind, tally in self.tallies.items()}
        words = [f"{count} {_WORDS[kind]}" for kind, count in recent.items() if count]
        remedy = "look for packet loss, or two senders in one group"
        if recent[Damage.OVERRUN]:
            remedy = "raise net.core.rmem_max (16777216), choose a faster preset, or stop other channels"
        return Trouble(
            Health.SOURCE_DAMAGED, f"{source} arrives damaged; in the last minute {', '.join(words)}", remedy
        )


_WORDS = {
    Damage.CORRUPT: "packets damaged",
    Damage.LOST: "datagrams lost on the way",
    Damage.UNDECODED: "pictures or sounds not decoded",
    Damage.OVERRUN: "datagrams dropped by this machine",
}
