"""Which streams of a source are read: FFmpeg's stream specifiers for a program, PIDs, languages and places."""

import re

from transcoder_tui.models.source import Source
from transcoder_tui.models.tracks import ALL, Track, tracks_of

_NO_SPECIFIER = re.compile(r"[^\w .-]")
ALL_OR_NONE = "?"
"""Behind a specifier: goes on where the source has no such stream. FFmpeg 7 and later refuse it behind a language."""


def picture(source: Source) -> str:
    """The picture, as ``-map`` and a filter graph name it."""
    return f"0:i:{source.video:#x}" if source.video is not None else f"{_program(source)}:v:0"


def sounds(source: Source) -> tuple[str, ...]:
    """The sound tracks, likewise, in the order of the channel's tracks."""
    if source.address.scheme == "test":
        # The tone is an input of its own.
        return ("1:a:0",)
    return tuple(_stream(source, "a", track) for track in source.tracks)


def companions(source: Source) -> tuple[str, ...]:
    """Subtitles, then data, that are handed on as they are, as ``-map`` names them; they may be missing."""
    return (*_copied(source, "s", source.subtitles), *_copied(source, "d", source.data))


def subtitle(source: Source, track: Track) -> str:
    """One subtitle, as ``-map`` names it."""
    return _stream(source, "s", track)


def _copied(source: Source, kind: str, tracks: str | None) -> tuple[str, ...]:
    if tracks == ALL:
        return (f"{_program(source)}:{kind}{ALL_OR_NONE}",)
    return tuple(_stream(source, kind, track) + ALL_OR_NONE for track in tracks_of(tracks)) if tracks else ()


def _stream(source: Source, kind: str, track: Track) -> str:
    if track.pid is not None:
        return f"0:i:{track.pid:#x}"
    if track.place is not None:
        return f"{_program(source)}:{kind}:{track.place - 1}"
    return f"{_program(source)}:{kind}:m:language:{track.language}"


def _program(source: Source) -> str:
    if source.program is None:
        return "0"
    # A name is replaced by its number before FFmpeg is started; none may ever be read as a part of a filter graph.
    return f"0:p:{_NO_SPECIFIER.sub('_', source.program)}"
