"""What happened, and who did it."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel

from transcoder_tui.models.health import Health


class Severity(StrEnum):
    """How much an event matters."""

    INFO = "info"
    WARNING = "warning"
    ERROR = "error"


class EventKind(StrEnum):
    """What sort of thing happened."""

    STATE = "state"
    """A channel's run changed its state."""
    ORDER = "order"
    """Somebody ordered a start, stop or restart."""
    CONFIG = "config"
    """Somebody created, changed or deleted a channel."""
    WORKER = "worker"
    """The worker itself started, stopped or adopted."""
    RAISED = "raised"
    """An alarm of a channel was raised."""
    CLEARED = "cleared"
    """An alarm of a channel was cleared."""
    ACKNOWLEDGED = "acknowledged"
    """Somebody has seen an alarm of a channel."""
    UNDONE = "undone"
    """Somebody took back a change of a channel."""


class EventFields(BaseModel):
    """One line of the history."""

    at: datetime
    """UTC."""
    kind: EventKind
    severity: Severity = Severity.INFO
    channel_id: int | None = None
    channel: str = ""
    """The channel's name at that time."""
    message: str
    actor: str = ""
    """Who caused it: a login name, or ``worker``."""
    health: Health | None = None
    """Which alarm was raised or cleared."""
    log: str = ""
    """The end of FFmpeg's log where a run failed, secrets masked."""


class Event(EventFields):
    """An event as the API shows it."""

    id: int
