"""The rungs that the form offers: each further rendition begins as the next one down."""

from collections.abc import Sequence
from typing import Any

RUNGS: tuple[tuple[str, str, str], ...] = (
    ("1080p", "1920x1080", "5000k"),
    ("720p", "1280x720", "3000k"),
    ("540p", "960x540", "1800k"),
    ("360p", "640x360", "800k"),
    ("216p", "384x216", "300k"),
)
"""Name, size and video bitrate; each bitrate is about 1.7 times the next, within the 1.5 to 2 that Apple's HLS
Authoring Specification asks of neighbouring rungs."""


def next_rung(taken: Sequence[str]) -> dict[str, Any]:
    """The rendition's document to begin with.

    Args:
        taken: Names of the renditions that there are.
    """
    for name, size, bitrate in RUNGS:
        if name not in taken:
            return {"name": name, "video": {"size": size, "bitrate": bitrate}}
    return {"name": "", "video": {}}
