"""Figures as operators read them: short, of steady width, with their unit. Pure functions."""

from datetime import datetime, timedelta

ABSENT = "–"  # noqa: RUF001 - an en dash is what a table shows for "no figure"
"""Stands where there is no figure."""


def bitrate(bits: float | None) -> str:
    """Bits per second in at most five characters: ``820k``, ``6.50M``, ``12.4M``, ``1.20G``."""
    if bits is None:
        return ABSENT
    for limit, unit in ((1e9, "G"), (1e6, "M")):
        if bits >= limit * 0.9995:
            return f"{three_digits(bits / limit)}{unit}"
    return f"{bits / 1e3:.0f}k" if bits >= 500 else "0"


def size(octets: float) -> str:
    """Bytes in binary multiples, as df and free show them: ``512M``, ``6.2G``, ``212G``, ``1.8T``."""
    value, units = float(octets), "BKMGTP"
    while value >= 999.5 and len(units) > 1:
        value, units = value / 1024, units[1:]
    return f"{value:.1f}{units[0]}" if value < 9.95 and units[0] not in "BK" else f"{value:.0f}{units[0]}"


def three_digits(value: float) -> str:
    """A number below a thousand with three significant digits: ``6.50``, ``12.4``, ``820``."""
    if value < 9.995:
        return f"{value:.2f}"
    return f"{value:.1f}" if value < 99.95 else f"{value:.0f}"


def count(number: int | None) -> str:
    """A counter in at most five characters: ``0``, ``9999``, ``12.0k``, ``3.40M``."""
    if number is None:
        return ABSENT
    if number < 10_000:
        return str(number)
    return f"{three_digits(number / 1e3)}k" if number < 999_500 else f"{three_digits(number / 1e6)}M"


def rate(fps: float | None) -> str:
    """Frames per second with one decimal."""
    return ABSENT if fps is None else f"{fps:.1f}"


def speed(factor: float | None) -> str:
    """Media time per wall time: ``1.00x``."""
    return ABSENT if factor is None else f"{factor:.2f}x"


def duration(seconds: float) -> str:
    """A length of time in its two largest units: ``45s``, ``12m 05s``, ``4h 12m``, ``3d 04h``.

    Long times change once a minute or once an hour, which keeps a quiet table quiet on the line to the terminal.
    """
    whole = max(0, int(seconds))
    minutes, second = divmod(whole, 60)
    hours, minute = divmod(minutes, 60)
    days, hour = divmod(hours, 24)
    if days:
        return f"{days}d {hour:02d}h"
    if hours:
        return f"{hours}h {minute:02d}m"
    return f"{minutes}m {second:02d}s" if minutes else f"{second}s"


def since(start: datetime | None, now: datetime | None) -> str:
    """How long ago ``start`` was, seen from ``now``."""
    if start is None or now is None:
        return ABSENT
    return duration((now - start) / timedelta(seconds=1))


def plural(number: int, noun: str) -> str:
    """``1 channel``, ``3 channels``."""
    return f"{number} {noun}" if number == 1 else f"{number} {noun}s"


def with_unit(figure: str, unit: str) -> str:
    """A figure with its unit, which one that is absent has none of."""
    return figure if figure == ABSENT else figure + unit
