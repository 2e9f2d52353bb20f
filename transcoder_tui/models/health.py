"""How well a channel is that should be on air, and the alarms that say so."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel


class Health(StrEnum):
    """What is the matter with a channel; the gravest first. What the worker does about each: ``worker/health.py``."""

    OFF_AIR = "off air"
    """Given up after the last attempt, or for a cause that cannot heal."""
    NEVER_STARTED = "never started"
    """FFmpeg runs, and no media came out of it in time."""
    NO_PEER = "waits for peer"
    """The channel listens, and nobody has connected yet who would send to it."""
    PROCESS_STOPPED = "process stopped"
    """Somebody stopped FFmpeg with a signal; it does nothing until it is continued."""
    INPUT_LOST = "input lost"
    """Nothing arrives from the source."""
    ENCODER_STUCK = "encoder stuck"
    """The source is there, and no frames come out."""
    OUTPUT_BLOCKED = "output blocked"
    """A receiver takes nothing any more, and FFmpeg waits for it."""
    DISK_FULL = "disk full"
    """Segments are written empty."""
    NO_CARRIER = "no carrier"
    """The interface that a multicast leaves by has no link."""
    OUTPUT_FROZEN = "output frozen"
    """One output of several has stopped growing; the others go on."""
    OUTPUT_FAULT = "output fault"
    """FFmpeg's log complains, mostly of an output; the channel goes on."""
    SOURCE_DAMAGED = "source damaged"
    """Packets of the source are lost or damaged all the time; the channel goes on."""
    TELEMETRY_LOST = "telemetry lost"
    """The outputs go on, and FFmpeg's figures do not."""
    TOO_SLOW = "too slow"
    """Media advances slower than real time: the channel falls behind."""
    LIMIT_MISSED = "limit not applied"
    """A limit of the channel that this host did not permit."""
    ON_BACKUP = "on backup source"
    """On air, but not from its primary source."""
    OK = "ok"
    """On air and well, or off air as ordered."""

    @property
    def rank(self) -> int:
        """Position from the gravest, 0, to ``ok``."""
        return list(Health).index(self)


class Alarm(BaseModel):
    """Something that is the matter with a channel, from when it was raised until it is cleared."""

    health: Health
    since: datetime
    """When it was raised (UTC)."""
    message: str
    """What is the matter, in the operator's words."""
    remedy: str = ""
    acknowledged_by: str = ""
    """Who has seen it; empty where nobody said so yet."""
    acknowledged_at: datetime | None = None
    """When that was (UTC)."""
