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
    """A line of titles, one for each rung, and what they need together."""
    rows = [cells(rung) for rung in rungs]
    widths = [max(map(len, column)) for column in zip(TITLES, *rows, strict=True)]

    def line(row: Sequence[str]) -> str:
        places = zip(TITLES, row, widths, strict=True)
        return "  ".join(f"{text:{'<' if title in LEFT else '>'}{width}}" for title, text, width in places).rstrip()

    total = format_bitrate(sum(rung.peak(1) for rung in rungs))
    return [
        Content.styled(line(TITLES), "$foreground 70%"),
        *(Content(line(row)) for row in rows),
        Content.styled(f"At most {total}b/s together, without multiplexing.", "$foreground 70%"),
    ]
