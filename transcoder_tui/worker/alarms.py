"""The alarms of one channel: raised when something is the matter, cleared when it has passed."""

from collections.abc import Sequence
from datetime import datetime

from transcoder_tui.models.health import Alarm, Health
from transcoder_tui.worker.health import Trouble

CLEAR_S = 3.0
"""Seconds for which a trouble must be gone before its alarm is cleared: one that comes and goes is one alarm."""


class Alarms:
    """Keeps a channel's alarms.

    Args:
        active: Those that the last worker had raised.
    """

    def __init__(self, active: Sequence[Alarm] = ()) -> None:
        self._active = {alarm.health: alarm for alarm in active}
        self._gone_at: dict[Health, float] = {}

    def __bool__(self) -> bool:
        """Whether anything is raised."""
        return bool(self._active)

    @property
    def active(self) -> list[Alarm]:
        """What is raised, the gravest first."""
        return sorted(self._active.values(), key=lambda alarm: alarm.health.rank)

    def update(self, troubles: Sequence[Trouble], at: datetime, now: float) -> tuple[list[Alarm], list[Alarm]]:
        """Takes in all that is the matter at present.

        Args:
            troubles: What is the matter.
            at: The time (UTC).
            now: The same in seconds of the monotonic clock.

        Returns:
            The alarms that were raised by it, and those that were cleared.
        """
        raised = []
        for trouble in troubles:
            known = self._active.get(trouble.health)
            alarm = (known or Alarm(health=trouble.health, since=at, message="")).model_copy(
                update={"message": trouble.message, "remedy": trouble.remedy}
            )
            self._active[trouble.health] = alarm
            self._gone_at.pop(trouble.health, None)
            if known is None:
                raised.append(alarm)
        present = {trouble.health for trouble in troubles}
        for health in self._active.keys() - present:
            self._gone_at.setdefault(health, now)
        passed = [health for health, gone_at in self._gone_at.items() if now - gone_at >= CLEAR_S]
        return raised, self._clear(passed)

    def acknowledge(self, actor: str, at: datetime) -> list[Alarm]:
        """Takes in that somebody has seen all that is raised; returns what nobody had seen before."""
        by = {"acknowledged_by": actor, "acknowledged_at": at}
        seen = [alarm.model_copy(update=by) for alarm in self.active if not alarm.acknowledged_by]
        self._active |= {alarm.health: alarm for alarm in seen}
        return seen

    def clear(self) -> list[Alarm]:
        """Clears all, as when the channel is stopped; returns what was raised."""
        return self._clear(list(self._active))

    def _clear(self, healths: Sequence[Health]) -> list[Alarm]:
        for health in healths:
            self._gone_at.pop(health, None)
        return [self._active.pop(health) for health in healths]
