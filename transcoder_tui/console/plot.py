"""Graphs of figures over time, drawn with characters. Pure.

A graph is an area below its figures, the newest at the right. A figure of nought is a line at its foot, a figure that
is not known is a gap.
"""

from collections.abc import Callable, Mapping, Sequence
from math import ceil, floor, log10

from transcoder_tui.console.widgets.sparkline import BLOCKS

Values = Sequence[float | None]

_LEFT = (0x00, 0x40, 0x44, 0x46, 0x47)
_RIGHT = (0x00, 0x80, 0xA0, 0xB0, 0xB8)
"""Dots of each half of a braille character, filled from below (Unicode 15, chapter 21.1)."""
_BRAILLE = 0x2800
_STEPS = (1.0, 1.2, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0, 6.0, 8.0, 10.0)
"""What axes end with, times a power of ten."""
_ROOM = 1.02
"""By how much an axis is longer than what it shows: a steady figure does not look like one that is full."""


def has_braille(environment: Mapping[str, str]) -> bool:
    """Whether a terminal can be taken to show braille: the kernel's own console and hardware terminals cannot.

    Args:
        environment: The process's environment.
    """
    return environment.get("TERM", "") not in ("linux", "vt100", "vt220", "vt320", "dumb", "")


def ceiling(most: float) -> float:
    """Where an axis ends that shows ``most``: a round number a little above it."""
    if most <= 0:
        return 1.0
    power = 10.0 ** floor(log10(most * _ROOM))
    return next(step * power for step in (*_STEPS, 20.0) if step * power >= most * _ROOM)


def in_columns(values: Values, columns: int, worst: Callable[[list[float]], float]) -> list[float | None]:
    """Figures spread over columns, or the worst of several where there are fewer columns.

    Args:
        values: Oldest first.
        columns: How many.
        worst: Chooses among several, such as ``min`` for what must not fall.
    """
    count = len(values)
    if not count:
        return [None] * columns
    spread: list[float | None] = []
    for column in range(columns):
        first = column * count // columns
        end = max(first + 1, (column + 1) * count // columns)
        known = [value for value in values[first:end] if value is not None]
        spread.append(worst(known) if known else None)
    return spread


def drawn(columns: Values, height: int, top: float, *, braille: bool) -> list[str]:
    """The lines of a graph, the highest first.

    Args:
        columns: A figure for each column, of which a braille character has two and a block one.
        height: Lines.
        top: The figure at the upper edge.
        braille: Whether braille is used, four dots a line; else blocks, eight heights a line.
    """
    dots = 4 if braille else 8
    heights = [_dots(value, height * dots, top) for value in columns]
    lines = []
    for below in range((height - 1) * dots, -1, -dots):
        filled = [min(dots, max(0, high - below)) for high in heights]
        if braille:
            pairs = zip(filled[::2], filled[1::2], strict=True)
            lines.append("".join(_braille(left, right) for left, right in pairs))
        else:
            lines.append("".join(BLOCKS[high - 1] if high else " " for high in filled))
    return lines


def _braille(left: int, right: int) -> str:
    """One character; a blank where there is nothing, which is shorter than an empty one of braille."""
    return chr(_BRAILLE | _LEFT[left] | _RIGHT[right]) if left or right else " "


def _dots(value: float | None, most: int, top: float) -> int:
    return 0 if value is None else max(1, min(most, ceil(value / top * most - 0.5)))
