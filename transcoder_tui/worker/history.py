"""How every channel did over the last minutes and the last day: kept in memory, and in one file for the next worker.

A figure takes four bytes in a ring, so a channel takes 6.5 kB, however long the worker runs. Nothing of it is in the
database. All rings turn together: what a channel has no figures for is NaN there.
"""

import logging
import math
import struct
import sys
import zlib
from array import array
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from transcoder_tui.models.history import Series, Span
from transcoder_tui.models.view import Telemetry

STEP_S = 5.0
"""From one figure of the last minutes to the next: the kernel is asked for a process's CPU time that often, too."""
FINE = 120
"""Such figures that are kept: ten minutes."""
MEAN_OF = 60
"""Of which one mean for the day is made: five minutes. Divides :data:`FINE`."""
COARSE = 288
"""Means that are kept: a day."""

_DIGITS: Mapping[str, int | None] = {"fps": 1, "speed": 3, "bitrate": None, "cpu_percent": 1}
"""The figures of a channel, in the order in which they are kept, and the decimal places that are shown of each."""
_WIDTH = len(_DIGITS)
_NOTHING = array("f", [math.nan] * _WIDTH)
_UNKNOWN = array("f", [math.nan] * (FINE + COARSE) * _WIDTH)

_MAGIC = f"TTH1{sys.byteorder[0]}".encode()
_HEAD = struct.Struct("<5sdQI")
"""Magic, time of the last figures, steps so far, channels."""
_ID = struct.Struct("<q")
_SUM = struct.Struct("<I")

log = logging.getLogger(__name__)


class Histories:
    """The figures of all channels."""

    def __init__(self) -> None:
        self._rings: dict[int, array[float]] = {}
        self._steps = 0
        self._end: datetime | None = None
        self._due: float | None = None

    def tick(self, figures: Mapping[int, Telemetry], channels: Iterable[int], now: float, at: datetime) -> bool:
        """Takes figures in where they are due; called once a second.

        Args:
            figures: Those of the channels of which an FFmpeg runs, by id; only looked at where they are due.
            channels: The ids of all channels; others are forgotten.
            now: Monotonic seconds.
            at: The time (UTC).

        Returns:
            Whether a mean was made of them: a good moment to write them down.
        """
        if self._due is None:
            self._due = now
        if now < self._due:
            return False
        missed = int((now - self._due) / STEP_S)
        before = self._steps // MEAN_OF
        self._pass(missed)
        there = set(channels)
        self._rings = {key: ring for key, ring in self._rings.items() if key in there}
        for key in figures.keys() - self._rings.keys():
            self._rings[key] = array("f", _UNKNOWN)
        self._advance({key: _packed(telemetry) for key, telemetry in figures.items()})
        self._due += (missed + 1) * STEP_S
        self._end = at
        return self._steps // MEAN_OF > before

    def is_due(self, now: float) -> bool:
        """Whether the next tick takes figures in."""
        return self._due is None or now >= self._due

    def series(self, channel_id: int, span: Span) -> Series:
        """The figures of one channel."""
        ring, end = self._rings.get(channel_id, _UNKNOWN), self._end or datetime.now(UTC)
        if span is Span.MINUTES:
            rows, oldest, step_s = ring[: FINE * _WIDTH], self._steps % FINE, STEP_S
        else:
            rows, oldest, step_s = ring[FINE * _WIDTH :], self._steps // MEAN_OF % COARSE, STEP_S * MEAN_OF
            end -= timedelta(seconds=self._steps % MEAN_OF * STEP_S)
        rows = rows[oldest * _WIDTH :] + rows[: oldest * _WIDTH]
        fps, speed, bitrate, cpu = (
            [None if math.isnan(value) else round(value, digits) for value in rows[place::_WIDTH]]
            for place, digits in enumerate(_DIGITS.values())
        )
        return Series(step_s=step_s, end=end, fps=fps, speed=speed, bitrate=bitrate, cpu=cpu)

    def packed(self) -> list[bytes]:
        """Everything as :func:`write` takes it."""
        head = _HEAD.pack(_MAGIC, self._end.timestamp() if self._end else 0.0, self._steps, len(self._rings))
        return [head, *(part for key, ring in self._rings.items() for part in (_ID.pack(key), ring.tobytes()))]

    def load(self, file: Path, at: datetime) -> None:
        """Takes up what the last worker wrote down; a file that is missing, damaged or of another kind is passed over.

        Args:
            file: Where it was written.
            at: The time (UTC): for the time since then there are no figures.
        """
        try:
            document = file.read_bytes()
        except OSError:
            return
        size = _ID.size + len(_UNKNOWN) * _UNKNOWN.itemsize
        try:
            magic, end, steps, count = _HEAD.unpack_from(document)
            (checksum,) = _SUM.unpack_from(document, _HEAD.size + count * size)
            if magic != _MAGIC or checksum != zlib.crc32(memoryview(document)[: -_SUM.size]):
                raise ValueError
        except (struct.error, ValueError):
            log.warning("%s is damaged: the figures of the last day begin anew", file)
            return
        for begin in range(_HEAD.size, _HEAD.size + count * size, size):
            ring = array("f", document[begin + _ID.size : begin + size])
            self._rings[_ID.unpack_from(document, begin)[0]] = ring
        self._steps = steps
        # The clock may have been set back since.
        self._pass(max(0, int((at.timestamp() - end) / STEP_S)))
        self._end = at

    def _advance(self, figures: "Mapping[int, array[float]]") -> None:
        place = self._steps % FINE * _WIDTH
        for key, ring in self._rings.items():
            ring[place : place + _WIDTH] = figures.get(key, _NOTHING)
        self._steps += 1
        if self._steps % MEAN_OF == 0:
            latest = (self._steps - MEAN_OF) % FINE * _WIDTH
            mean = (FINE + (self._steps // MEAN_OF - 1) % COARSE) * _WIDTH
            for ring in self._rings.values():
                ring[mean : mean + _WIDTH] = _means(ring[latest : latest + MEAN_OF * _WIDTH])

    def _pass(self, steps: int) -> None:
        """Goes on by steps of which nothing is known."""
        for _ in range(min(steps, FINE)):
            self._advance({})
        if steps > FINE:
            first = self._steps // MEAN_OF
            self._steps += steps - FINE
            last = self._steps // MEAN_OF
            for number in range(max(first, last - COARSE), last):
                mean = (FINE + number % COARSE) * _WIDTH
                for ring in self._rings.values():
                    ring[mean : mean + _WIDTH] = _NOTHING


def write(file: Path, parts: Sequence[bytes]) -> None:
    """Writes figures down; a reader finds the former file or the new one.

    Not synced: what a power failure leaves is told by its checksum.

    Raises:
        OSError: Where it cannot be written.
    """
    document = b"".join(parts)
    unfinished = file.with_name(f"{file.name}.new")
    unfinished.write_bytes(document + _SUM.pack(zlib.crc32(document)))
    unfinished.replace(file)


def _packed(telemetry: Telemetry) -> "array[float]":
    values = (getattr(telemetry, name) for name in _DIGITS)
    return array("f", [math.nan if value is None else value for value in values])


def _means(rows: "array[float]") -> "array[float]":
    means = array("f")
    for place in range(_WIDTH):
        known = [value for value in rows[place::_WIDTH] if not math.isnan(value)]
        means.append(math.fsum(known) / len(known) if known else math.nan)
    return means
