"""Keeps the WebVTT playlists of a ladder, made from what FFmpeg writes beside the segments of its rungs."""

import json
import re
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import count
from pathlib import Path

from transcoder_tui.ffmpeg.destination import MUX_DELAY_US
from transcoder_tui.ffmpeg.ladders import PLAYLIST, TS_CLOCK_HZ, HlsTree
from transcoder_tui.ffmpeg.texts import Text, carried_texts, numbers_of, text_name, text_playlist, text_segment
from transcoder_tui.models.channel import ChannelSpec

NOTE = ".subtitles"
"""File in a tree that says which languages FFmpeg writes, one with each rung from the first on."""
KEPT_BEHIND = 10
"""Segments that stay after the playlist has dropped them, for players that have just read it. FFmpeg keeps fewer."""
_ORIGIN = 2 * MUX_DELAY_US * TS_CLOCK_HZ // 1_000_000
"""Where the muxer of transport streams begins: it adds twice its delay (measured with 5.1 and 9.0)."""
_WRITTEN = re.compile(r"index(\d+)\.vtt")
_SEGMENT = re.compile(r"s_(\d+)\.vtt")


@dataclass(frozen=True, slots=True)
class Subtitle:
    """One text with a playlist of its own."""

    playlist: Path
    rung: Path
    """The playlist of the rung beside whose segments FFmpeg writes it."""
    language: str
    """ISO 639-2 code; empty where it is not known."""


def begin(tree: HlsTree, spec: ChannelSpec, texts: Sequence[Text]) -> None:
    """Notes which texts the next FFmpeg writes, and clears away what it will not go on with.

    Raises:
        OSError: Where the directory cannot be read or written.
    """
    note = tree.directory / NOTE
    before = subtitles_of(tree)
    languages = [text.language for text in carried_texts(spec, tree.output, texts)]
    if languages:
        note.write_text(json.dumps(languages))
    else:
        note.unlink(missing_ok=True)
    staying = {subtitle.playlist for subtitle in subtitles_of(tree)}
    for subtitle in before:
        listed = set(numbers_of(_text(subtitle.rung)))
        if subtitle.playlist not in staying:
            listed = set()
        if not listed:
            subtitle.playlist.unlink(missing_ok=True)
        for number, path in _files(subtitle):
            if number not in listed:
                path.unlink(missing_ok=True)


def subtitles_of(tree: HlsTree) -> list[Subtitle]:
    """The texts of a tree, as they were noted."""
    try:
        languages = json.loads((tree.directory / NOTE).read_text())
    except FileNotFoundError:
        return []
    taken = {playlist.parent.name for playlist in tree.playlists}
    names = (name for number in count(1) if (name := f"subtitles{number}") not in taken)
    return [
        Subtitle(tree.directory / name / PLAYLIST, rung, language)
        for name, rung, language in zip(names, tree.rungs, languages, strict=False)
    ]


def tend(tree: HlsTree, *, ended: bool = False) -> None:
    """Writes the text segments that are new, their playlists, and deletes old ones.

    Args:
        tree: The output's.
        ended: Whether FFmpeg is gone, and what it wrote is whole.

    Raises:
        OSError: Where the directory cannot be read or written.
    """
    for subtitle in subtitles_of(tree):
        _tend(subtitle, tree, ended=ended)


def _tend(subtitle: Subtitle, tree: HlsTree, *, ended: bool) -> None:
    pictures = _text(subtitle.rung)
    numbers = numbers_of(pictures)
    written = dict(_numbered(subtitle.rung.parent, _WRITTEN))
    # FFmpeg opens the next file once it has closed one.
    ready = max(numbers, default=-1) if ended else max(written, default=0) - 1
    playlist = text_playlist(pictures, ready)
    if not playlist:
        return
    directory = subtitle.playlist.parent
    directory.mkdir(exist_ok=True)
    for number in numbers_of(pictures):
        if number <= ready:
            _write_segment(written.get(number), directory / text_name(number), tree)
    if playlist != _text(subtitle.playlist):
        _replace(subtitle.playlist, playlist)
    if tree.forgets:
        for number, path in _files(subtitle):
            if number < min(numbers) - KEPT_BEHIND:
                path.unlink(missing_ok=True)


def _write_segment(written: Path | None, segment: Path, tree: HlsTree) -> None:
    if written is None:
        if not segment.exists():
            _replace(segment, text_segment("", _origin(tree)))
    elif not segment.exists() or segment.stat().st_mtime_ns < written.stat().st_mtime_ns:
        _replace(segment, text_segment(written.read_text(), _origin(tree)))


def _origin(tree: HlsTree) -> int:
    return _ORIGIN if tree.output.container == "hls-ts" else 0


def _files(subtitle: Subtitle) -> Iterator[tuple[int, Path]]:
    """What FFmpeg wrote, and what was made of it."""
    yield from _numbered(subtitle.rung.parent, _WRITTEN)
    yield from _numbered(subtitle.playlist.parent, _SEGMENT)


def _numbered(directory: Path, name: re.Pattern[str]) -> Iterator[tuple[int, Path]]:
    if directory.is_dir():
        for path in directory.iterdir():
            if match := name.fullmatch(path.name):
                yield int(match[1]), path


def _text(path: Path) -> str:
    with suppress(FileNotFoundError):
        return path.read_text()
    return ""


def _replace(path: Path, content: str) -> None:
    unfinished = path.with_suffix(".new")
    unfinished.write_text(content)
    unfinished.replace(path)
