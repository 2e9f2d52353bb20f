"""How a channel did over the last minutes and over the last day."""

from datetime import datetime
from enum import StrEnum

from pydantic import BaseModel


class Span(StrEnum):
    """How far back a :class:`Series` reaches."""

    MINUTES = "10m"
    """Ten minutes, a figure every 5 s."""
    DAY = "24h"
    """A day, the mean of each 5 min."""


class Series(BaseModel):
    """Figures of one channel, evenly spaced and all lists of the same length, the oldest first.

    None is: not on air then, or not known.
    """

    step_s: float
    """Seconds from one figure to the next."""
    end: datetime
    """When the last figures were taken (UTC); for means, the end of their time."""
    fps: list[float | None]
    """As :attr:`Telemetry.fps`, likewise the others."""
    speed: list[float | None]
    bitrate: list[float | None]
    """Bits per second."""
    cpu: list[float | None]
    """Percent of one core."""
