"""Sparklines of a machine's last minutes, one character a sample. Pure."""

from collections.abc import Sequence

BLOCKS = "▁▂▃▄▅▆▇█"
"""Eight heights: one of them is always visible, so that a flat line is not taken for a missing one."""


def sparkline(values: Sequence[float], width: int, top: float) -> str:
    """The latest values as blocks, the newest at the right.

    Args:
        values: Oldest first.
        width: Cells; where there are fewer values, the left stays empty.
        top: The value of a full block.
    """
    if width <= 0:
        return ""
    steps = len(BLOCKS) - 1
    shown = values[-width:]
    heights = (min(steps, max(0, round(value / top * steps))) if top > 0 else 0 for value in shown)
    return "".join(BLOCKS[height] for height in heights).rjust(width)
