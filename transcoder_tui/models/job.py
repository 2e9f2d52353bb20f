"""A channel's job: what is wanted of it and what is."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel

from transcoder_tui.models.health import Alarm


class Wanted(StrEnum):
    """The operator's last order."""

    RUNNING = "running"
    STOPPED = "stopped"


class Status(StrEnum):
    """Where a channel's run is in its life; the transitions are in ``worker/states.py``."""

    STOPPED = "stopped"
    """Not on air, as ordered."""
    QUEUED = "queued"
    """Waits for its turn: only so many channels start at the same time."""
    PENDING = "pending"
    """FFmpeg is being started, or has started and shows no media progress yet."""
    RUNNING = "running"
    """On air: media time advances."""
    RETRYING = "retrying"
    """Failed, waiting for its next attempt."""
    STOPPING = "stopping"
    """FFmpeg was told to end and finishes its outputs."""
    ERROR = "error"
    """Given up, an operator has to look; a live channel goes on trying at long intervals."""

    @property
    def is_live(self) -> bool:
        """Whether an FFmpeg may be running in this state."""
        return self in (Status.PENDING, Status.RUNNING, Status.STOPPING)

    @property
    def is_up(self) -> bool:
        """Whether the channel is on air or on its way there."""
        return self in (Status.QUEUED, Status.PENDING, Status.RUNNING)


class JobFields(BaseModel):
    """What the worker must remember of a channel's run to take it up again after its own death."""

    wanted: Wanted = Wanted.STOPPED
    generation: int = 0
    """Counts the operator's orders; work begun for an earlier order yields to a later one."""
    status: Status = Status.STOPPED
    since: datetime | None = None
    """When the status was entered (UTC)."""
    run_id: str | None = None
    """Unique for each start of FFmpeg; also in its environment."""
    pid: int | None = None
    start_ticks: int | None = None
    """Start time of the pid in clock ticks since boot: field 22 of /proc/PID/stat, proc(5)."""
    boot_id: str | None = None
    on_air_since: datetime | None = None
    """When this run first showed media progress (UTC)."""
    attempt: int = 0
    """Consecutive failures so far."""
    next_retry_at: datetime | None = None
    restarts: int = 0
    """Starts without an operator's order since the last one with."""
    exit_code: int | None = None
    """Of the last run that ended: FFmpeg's own code, or the negated number of the signal that ended it."""
    error: str = ""
    """Why the channel is not on air, in the operator's words."""
    remedy: str = ""
    active_source: int = 0
    """Position of the source in use."""
    next_source: int | None = None
    """Position of the source for the next start, where it is another one."""
    pinned: bool = False
    """Whether an operator chose the source, so that nothing but a failure leads away from it."""
    off_air_since: datetime | None = None
    """When media progress was last seen of a channel that left the air against its will (UTC)."""
    gap_s: float | None = None
    """Seconds without media progress the last time that it left the air against its will and came back."""
    alarms: list[Alarm] = []
    """What is the matter with it at present."""
