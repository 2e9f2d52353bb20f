"""What is told of one channel: its log file, and its lines in the history."""

from collections.abc import Sequence
from datetime import UTC, datetime

from transcoder_tui.models.event import EventFields, EventKind, Severity
from transcoder_tui.models.health import Alarm
from transcoder_tui.models.job import Status
from transcoder_tui.worker.health import REACTIONS, Reaction
from transcoder_tui.worker.logfile import ChannelLog, stamp
from transcoder_tui.worker.states import SEVERITY

TAIL_LINES = 20
"""Lines of the log that are kept with the event of a failure."""
START = " WORKER  start "
"""In a line of the log: the command with which a run began."""


class Record:
    """Writes the log of a channel and makes the events of its history, as of now.

    Args:
        channel_id: The channel.
        name: Its name, which goes with every event.
        log: Its log file.
    """

    def __init__(self, channel_id: int, name: str, log: ChannelLog) -> None:
        self.name = name
        self.log = log
        self._id = channel_id

    def say(self, text: str) -> None:
        """Writes a line of our own into the log."""
        self.log.write([stamp(datetime.now(UTC), "worker", text)])

    def note(self, text: str, severity: Severity = Severity.INFO) -> EventFields:
        """Says something, and makes an event of it."""
        self.say(text)
        return self._event(EventKind.WORKER, text, severity)

    def order(self, text: str, actor: str) -> EventFields:
        """Somebody ordered something."""
        return self._event(EventKind.ORDER, text).model_copy(update={"actor": actor})

    def state(self, status: Status, cause: str, *, failed: bool) -> EventFields:
        """A state was entered.

        Args:
            status: Which one.
            cause: Why.
            failed: Whether a failure led to it; then the end of the log is kept with it.
        """
        event = self._event(EventKind.STATE, f"{status}: {cause}", SEVERITY.get(status, Severity.INFO))
        return event.model_copy(update={"log": "\n".join(self._tail())}) if failed else event

    def _tail(self) -> list[str]:
        """The last lines of this run; its start, with the whole command, is a line of its own in the log."""
        lines = self.log.tail(TAIL_LINES).lines
        started = [number for number, line in enumerate(lines) if START in line]
        return lines[started[-1] + 1 :] if started else lines

    def acknowledged(self, alarms: Sequence[Alarm]) -> list[EventFields]:
        """Somebody has seen alarms."""
        return [
            self._event(EventKind.ACKNOWLEDGED, f"{alarm.health}: acknowledged").model_copy(
                update={"actor": alarm.acknowledged_by, "health": alarm.health}
            )
            for alarm in alarms
        ]

    def alarms(self, raised: Sequence[Alarm], cleared: Sequence[Alarm]) -> list[EventFields]:
        """Alarms were raised and cleared."""
        return [*map(self._raised, raised), *map(self._cleared, cleared)]

    def _raised(self, alarm: Alarm) -> EventFields:
        self.say(f"alarm: {alarm.health}: {alarm.message}")
        severity = Severity.ERROR if REACTIONS[alarm.health] is Reaction.PROBE else Severity.WARNING
        event = self._event(EventKind.RAISED, f"{alarm.health}: {alarm.message}", severity)
        return event.model_copy(update={"health": alarm.health})

    def _cleared(self, alarm: Alarm) -> EventFields:
        lasted = max(0.0, (datetime.now(UTC) - alarm.since).total_seconds())
        self.say(f"alarm cleared: {alarm.health}")
        event = self._event(EventKind.CLEARED, f"{alarm.health}: cleared after {lasted:.0f} s")
        return event.model_copy(update={"health": alarm.health})

    def _event(self, kind: EventKind, message: str, severity: Severity = Severity.INFO) -> EventFields:
        return EventFields(
            at=datetime.now(UTC),
            kind=kind,
            severity=severity,
            channel_id=self._id,
            channel=self.name,
            message=message,
            actor="worker",
        )
