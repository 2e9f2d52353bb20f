"""The rungs of a ladder as a table. Pure."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from textual.content import Content

from transcoder_tui.models.units import format_bitrate, format_fps

if TYPE_CHECKING:
    from transcoder_tui.models.rendition import Rendition

TITLES = ("Rendition", "Codec", "Size", "fps", "Bitrate", "Most", "Preset", "Audio")
LEFT = frozenset({"Rendition", "Codec", "Preset", "Audio"})
"""Columns of words; figures stand at the right."""
QUIET = "$foreground 70%"


def cells(rung: "Rendition") -> tuple[str, ...]:
    """What a rung says in each column."""
    video, audio = rung.video, rung.audio
    sound = "none" if audio is None else "copy" if audio.is_copy else f"{audio.codec} {format_bitrate(audio.bitrate)}"
    if video.is_copy:
        return (rung.name, "copy", "", "", "", "", "", sound)
    return (
        rung.name,
        video.codec,
        "as the source" if video.size is None else str(video.size),
        "source" if video.fps is None else format_fps(video.fps),
        format_bitrate(video.bitrate),
        format_bitrate(video.maxrate) if video.maxrate else "",
        video.preset or "",
        sound,
    )


def rung_table(rungs: "Sequence[Rendition]") -> list[Content]:
    """A line of titles, one for each rung, and what they need together; without columns in which nothing is said."""
    columns = [column for column in zip(TITLES, *map(cells, rungs), strict=True) if any(column[1:])]
    lines = ["  ".join(row).rstrip() for row in zip(*map(_aligned, columns), strict=True)]
    total = format_bitrate(sum(rung.peak(1) for rung in rungs))
    return [
        Content.styled(lines[0], QUIET),
        *map(Content, lines[1:]),
        Content.styled(f"Together at most {total}, without what a container adds.", QUIET),
    ]


def _aligned(column: Sequence[str]) -> list[str]:
    width = max(map(len, column))
    return [f"{text:{'<' if column[0] in LEFT else '>'}{width}}" for text in column]
