"""The quantities of the field and how operators write them: ``5000k``, ``2s``, ``1920x1080``, ``29.97``."""

import re
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass
from fractions import Fraction
from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, GetCoreSchemaHandler, PlainSerializer
from pydantic_core import CoreSchema, core_schema

from transcoder_tui.models.faults import refuse


@dataclass(frozen=True)
class Range:
    """The values that a number may take, both ends included, refused in the operator's own notation."""

    low: float
    high: float
    write: Callable[[Any], str] = str
    """Writes a value as an operator would."""

    def __get_pydantic_core_schema__(self, source: object, handler: GetCoreSchemaHandler) -> CoreSchema:
        """Checks the range after the number's own validation."""
        return core_schema.no_info_after_validator_function(self._check, handler(source))

    def _check(self, value: float | None) -> float | None:
        if value is not None and not self.low <= value <= self.high:
            raise refuse(f"{self.write(value)} is out of range", f"allowed are {self}")
        return value

    def __str__(self) -> str:
        return f"{self.write(self.low)} to {self.write(self.high)}"


def no_truth_value(value: object) -> object:
    """Refuses ``true`` and ``yes`` where a number is meant; Python would count them as 1."""
    if isinstance(value, bool):
        raise refuse(f"{value!r} is not a whole number", "write digits only")
    return value


_NUMBER = r"[0-9]{1,15}(?:\.[0-9]{1,15})?"
"""Digits as computers mean them: Python takes those of other scripts for digits too, FFmpeg does not."""
_BITRATE = re.compile(rf"({_NUMBER})\s*([kKmM]?)(?:bit/s|b/s|bps)?")


def parse_bitrate(value: object) -> object:
    """Reads ``5000k``, ``5M`` or a number of bits per second."""
    if isinstance(value, str):
        match = _BITRATE.fullmatch(value.strip())
        if match is None:
            raise refuse(f"{value!r} is not a bitrate", "write a number with k or M, such as 5000k or 5M")
        number, suffix = match.groups()
        return round(Fraction(number) * {"": 1, "k": 1000, "m": 1_000_000}[suffix.lower()])
    if isinstance(value, bool) or not isinstance(value, int):
        raise refuse(f"{value!r} is not a bitrate", "write a number with k or M, such as 5000k or 5M")
    return value


def format_bitrate(value: float) -> str:
    """Bits per second as a line-up writes them: ``5000k``, or plain digits where kilobits do not divide."""
    whole = int(value)
    return f"{whole // 1000}k" if whole % 1000 == 0 else str(whole)


Bitrate = Annotated[
    int, BeforeValidator(parse_bitrate), PlainSerializer(format_bitrate, return_type=str, when_used="json")
]
"""Bits per second."""

_SECONDS = re.compile(rf"({_NUMBER})\s*(ms|s)?")


def parse_seconds(value: object) -> object:
    """Reads ``2s``, ``1920ms`` or a number of seconds."""
    if isinstance(value, str):
        match = _SECONDS.fullmatch(value.strip())
        if match is None:
            raise refuse(f"{value!r} is not a duration", "write seconds or milliseconds, such as 2s or 1920ms")
        number, unit = match.groups()
        return float(number) / (1000 if unit == "ms" else 1)
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse(f"{value!r} is not a duration", "write seconds or milliseconds, such as 2s or 1920ms")
    return float(value)


def format_seconds(value: float) -> str:
    """Seconds as a line-up writes them: ``2s``, or ``1920ms`` where they are not whole."""
    return f"{value:.0f}s" if value == int(value) else f"{value * 1000:.0f}ms"


Seconds = Annotated[
    float, BeforeValidator(parse_seconds), PlainSerializer(format_seconds, return_type=str, when_used="json")
]
"""Seconds."""

_DURATION = re.compile(rf"({_NUMBER})\s*([smhd])")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def parse_duration(value: object) -> object:
    """Reads ``90s``, ``30m``, ``1h``, ``7d`` or a number of seconds."""
    match = _DURATION.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if match is not None:
        return float(match[1]) * _UNITS[match[2]]
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse(f"{value!r} is not a duration", "write a number with s, m, h or d, such as 30m, 1h or 7d")
    return float(value)


def format_duration(value: float) -> str:
    """Seconds as a line-up writes long times: ``30m``, ``1h``, ``7d``."""
    unit = next((unit for unit in "dhm" if value % _UNITS[unit] == 0 and value), "s")
    return f"{value / _UNITS[unit]:g}{unit}"


Duration = Annotated[
    float, BeforeValidator(parse_duration), PlainSerializer(format_duration, return_type=str, when_used="json")
]
"""Seconds, written for long times."""

_SIZE = re.compile(r"([0-9]{2,5})x([0-9]{2,5})")
MIN_SIDE, MAX_SIDE = 64, 7680
"""Picture sides in pixels: thumbnails to 8K UHD."""


def check_size(value: str) -> str:
    """Accepts ``WIDTHxHEIGHT`` with even sides, as 4:2:0 chroma requires."""
    match = _SIZE.fullmatch(value.strip().lower())
    if match is None:
        raise refuse(f"{value!r} is not a picture size", "write WIDTHxHEIGHT in pixels, such as 1920x1080")
    for side in map(int, match.groups()):
        if side % 2:
            raise refuse(f"{value} has an odd side", f"4:2:0 needs even sides, such as {side - 1} or {side + 1}")
        if not MIN_SIDE <= side <= MAX_SIDE:
            raise refuse(f"{value} is out of range", f"sides may be {MIN_SIDE} to {MAX_SIDE} pixels")
    return match.group()


Size = Annotated[str, AfterValidator(check_size)]
"""Picture size in pixels, ``WIDTHxHEIGHT``."""


def size_of(size: str) -> tuple[int, int]:
    """Width and height of a valid :data:`Size`."""
    width, _, height = size.partition("x")
    return int(width), int(height)


_NTSC = {
    23.976: Fraction(24000, 1001),
    23.98: Fraction(24000, 1001),
    29.97: Fraction(30000, 1001),
    59.94: Fraction(60000, 1001),
}
"""Rates that the field writes rounded, and what SMPTE ST 170 and its successors mean by them."""


def frame_rate(fps: float) -> Fraction:
    """The exact rate, in frames per second, that operators mean by ``fps``: 29.97 is 30000/1001."""
    return _NTSC.get(fps) or Fraction(fps).limit_denominator(1001)


_FPS = re.compile(rf"{_NUMBER}(?:/[0-9]{{1,9}})?")


def parse_fps(value: object) -> object:
    """Reads ``25``, ``29.97`` or ``30000/1001``."""
    if isinstance(value, str):
        # Fraction() alone would compute 1e999999999 to its last digit.
        number = value.strip()
        with suppress(ValueError, ZeroDivisionError):
            value = float(Fraction(number)) if _FPS.fullmatch(number) else value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise refuse(f"{value!r} is not a frame rate", "write frames per second, such as 25 or 29.97")
    rate = next((written for written, exact in _NTSC.items() if abs(float(exact) - value) < 1e-4), float(value))
    return float(rate)


def format_fps(value: float) -> str:
    """A frame rate without a needless fraction: ``25``, ``29.97``."""
    return f"{value:g}"


def _document_fps(value: float) -> int | float:
    return int(value) if value == int(value) else value


Fps = Annotated[
    float, BeforeValidator(parse_fps), PlainSerializer(_document_fps, return_type=float | int, when_used="json")
]
"""Frames per second."""


_BYTES = re.compile(rf"({_NUMBER})\s*([kKmMgGtT]?)(?:i?[bB])?")
_BINARY = {"": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30, "t": 1 << 40}


def parse_bytes(value: object) -> object:
    """Reads ``512M``, ``2G`` or a number of bytes; the suffixes are binary, as systemd and the kernel read them."""
    match = _BYTES.fullmatch(value.strip()) if isinstance(value, str) else None
    if match is not None:
        number, suffix = match.groups()
        return round(Fraction(number) * _BINARY[suffix.lower()])
    if isinstance(value, bool) or not isinstance(value, int):
        raise refuse(f"{value!r} is not an amount of memory", "write a number with M or G, such as 512M or 2G")
    return value


def format_bytes(value: float) -> str:
    """Bytes as a line-up writes them: ``512M``, or plain digits where mebibytes do not divide."""
    whole = int(value)
    found = next((suffix for suffix in "tgmk" if whole % _BINARY[suffix] == 0 and whole), "")
    return f"{whole // _BINARY[found]}{found.upper()}"


Bytes = Annotated[int, BeforeValidator(parse_bytes), PlainSerializer(format_bytes, return_type=str, when_used="json")]
"""Bytes."""

_CPUS = re.compile(r"\d{1,4}(?:-\d{1,4})?(?:,\d{1,4}(?:-\d{1,4})?)*", re.ASCII)


def check_cpus(value: str) -> str:
    """Accepts a list of CPUs as cpuset(7) writes it: ``0-3,8``."""
    text = value.replace(" ", "")
    if not _CPUS.fullmatch(text) or any(low > high for low, high in _cpu_ranges(text)):
        raise refuse(f"{value!r} is not a list of CPUs", "write numbers and ranges from 0 on, such as 0-3 or 2,4")
    return text


def _one_cpu(value: object) -> object:
    """YAML takes ``cpus: 3`` for a number."""
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


CpuList = Annotated[str, BeforeValidator(_one_cpu), AfterValidator(check_cpus)]
"""Numbers of logical CPUs, ``0-3,8``."""


def cpus_of(text: str) -> frozenset[int]:
    """The numbers that a valid :data:`CpuList` names."""
    return frozenset(number for low, high in _cpu_ranges(text) for number in range(low, high + 1))


def format_cpus(cpus: Collection[int]) -> str:
    """CPUs as a line-up writes them: ``0-3,8``."""
    ordered = sorted(cpus)
    starts = [cpu for cpu in ordered if cpu - 1 not in cpus]
    ends = [cpu for cpu in ordered if cpu + 1 not in cpus]
    return ",".join(str(low) if low == high else f"{low}-{high}" for low, high in zip(starts, ends, strict=True))


def _cpu_ranges(text: str) -> list[tuple[int, int]]:
    parts = [part.partition("-") for part in text.split(",")]
    return [(int(low), int(high or low)) for low, _, high in parts]
