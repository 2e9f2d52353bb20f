"""Deletes segments that no FFmpeg will delete any more, because the one that wrote them is gone."""

import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from transcoder_tui.ffmpeg.ladders import DASH_SEGMENT, SEGMENT, HlsTree
from transcoder_tui.ffmpeg.master import segments_of

STALE_S = 60.0
"""Seconds for which the segments of an earlier run stay, for players that have just read its manifest."""
ENCODING = ".encoding"
"""File in a tree that says how its fMP4 segments are encoded."""
UNFINISHED = ".tmp"
"""How the name of a segment ends while FFmpeg writes it."""


def clear_unlisted(tree: HlsTree) -> None:
    """Deletes the HLS segments that their playlist does not list, as FFmpeg goes on with those that it lists only.

    Raises:
        OSError: Where the directory cannot be read or written.
    """
    for playlist in tree.playlists:
        listed = {segment.uri for segment in segments_of(playlist.read_text())} if playlist.exists() else set()
        # Without any, it is rather the playlist that is lost.
        for path in _of_hls(playlist.parent) if listed else ():
            if path.name not in listed:
                path.unlink(missing_ok=True)


def renew(tree: HlsTree) -> None:
    """Begins the fMP4 segments of a tree anew where its pictures or sounds are encoded otherwise than before.

    FFmpeg writes the initialisation of all segments into one file, and lists the earlier ones below the new one.

    Raises:
        OSError: Where the directory cannot be read or written.
    """
    made = json.dumps([rendition.model_dump(mode="json") for rendition in tree.rungs.values()], sort_keys=True)
    note = tree.directory / ENCODING
    if not note.exists() or note.read_text() != made:
        for playlist in tree.playlists:
            for path in [*_of_hls(playlist.parent), playlist]:
                path.unlink(missing_ok=True)
        note.write_text(made)


def clear_earlier_runs(tree: HlsTree, now: float) -> None:
    """Deletes the DASH segments of runs that ended a while ago and that the manifest does not name.

    Args:
        tree: The output's.
        now: Seconds since the epoch.

    Raises:
        OSError: Where the directory cannot be read or written.
    """
    runs: dict[str, list[Path]] = defaultdict(list)
    for path, run in _of_dash(tree):
        runs[run].append(path)
    manifest = tree.manifest.read_text() if len(runs) > 1 and tree.manifest.exists() else ""
    for run, paths in runs.items():
        if len(runs) > 1 and f"chunk-{run}" not in manifest and now - _changed(paths) >= STALE_S:
            for path in paths:
                path.unlink(missing_ok=True)


def clear_unfinished(tree: HlsTree) -> None:
    """Deletes the segments that an FFmpeg which is gone did not finish.

    Raises:
        OSError: Where the directory cannot be read or written.
    """
    for directory in {tree.directory, *(playlist.parent for playlist in tree.playlists)}:
        for path in _of_hls(directory) if directory.exists() else ():
            if path.suffix == UNFINISHED:
                path.unlink(missing_ok=True)
    if tree.is_dash and tree.directory.exists():
        for path, _ in _of_dash(tree):
            if path.suffix == UNFINISHED:
                path.unlink(missing_ok=True)


def last_number(tree: HlsTree, manifest: str) -> int:
    """The highest number of a finished segment of the run that a DASH manifest names; 0 where there is none."""
    names = [path.name for path, run in _of_dash(tree) if f"chunk-{run}" in manifest and path.suffix != UNFINISHED]
    numbers = [name.partition(".")[0].rpartition("-")[2] for name in names if name.startswith("chunk-")]
    return max(map(int, numbers), default=0)


def _of_hls(directory: Path) -> Iterator[Path]:
    return (path for path in directory.iterdir() if SEGMENT.fullmatch(path.name))


def _of_dash(tree: HlsTree) -> Iterator[tuple[Path, str]]:
    for path in tree.directory.iterdir():
        if found := DASH_SEGMENT.fullmatch(path.name):
            yield path, found["run"]


def _changed(paths: list[Path]) -> float:
    changed = 0.0
    for path in paths:
        with suppress(FileNotFoundError):
            changed = max(changed, path.stat().st_mtime)
    return changed
