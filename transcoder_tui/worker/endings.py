"""How playlists and manifests end whose FFmpeg could not end them, or emptied them at its end.

An FFmpeg that gets a second TERM while it closes its outputs fails to open each further file, after it truncated it.
"""

from collections.abc import Set
from contextlib import suppress
from pathlib import Path

from transcoder_tui.ffmpeg import manifest
from transcoder_tui.ffmpeg.ladders import HlsTree
from transcoder_tui.worker import segments

BEGIN = b"#EXTM3U"
"""How every playlist begins: RFC 8216, section 4.3.1.1."""
ENDLIST = b"#EXT-X-ENDLIST"
"""Says that a playlist will not grow any more: RFC 8216, section 4.3.3.4."""
EVENT, VOD = b"#EXT-X-PLAYLIST-TYPE:EVENT", b"#EXT-X-PLAYLIST-TYPE:VOD"
"""Says that a playlist may grow, and that it never changes: RFC 8216, section 4.3.3.5."""


def keep(tree: HlsTree) -> None:
    """Keeps what the playlists and the manifest say now, as far as they are whole.

    A second name is enough: FFmpeg puts a new file in the place of each.
    """
    for path in _lists(tree):
        kept = _kept(path)
        # A file system without links has no such second name.
        with suppress(OSError):
            if _is_whole(path) and not (kept.exists() and kept.samefile(path)):
                kept.unlink(missing_ok=True)
                kept.hardlink_to(path)


def put_back(tree: HlsTree) -> None:
    """Puts back what was kept where a playlist or the manifest was emptied since.

    Raises:
        OSError: Where the directory cannot be written.
    """
    for path in _lists(tree):
        kept = _kept(path)
        if path.exists() and not _is_whole(path) and kept.exists():
            kept.replace(path)


def end(tree: HlsTree, staying: Set[Path] = frozenset()) -> None:
    """Tells players not to wait for more, and forgets what was kept.

    Args:
        tree: The output's, whose FFmpeg is gone.
        staying: Playlists that another FFmpeg goes on with.

    Raises:
        OSError: Where the directory cannot be written.
    """
    put_back(tree)
    for path in tree.playlists:
        if path not in staying and path.exists() and _is_whole(path):
            _end_playlist(path, as_vod=tree.output.playlist == "vod")
    if staying & {*tree.playlists}:
        return
    if tree.is_dash and tree.manifest.exists():
        _end_manifest(tree)
    segments.clear_unfinished(tree)
    for path in _lists(tree):
        _kept(path).unlink(missing_ok=True)


def _lists(tree: HlsTree) -> list[Path]:
    return [*tree.playlists, tree.master, *([tree.manifest] if tree.is_dash else [])]


def _kept(path: Path) -> Path:
    return path.with_name(f".{path.name}")


def _is_whole(path: Path) -> bool:
    with path.open("rb") as file:
        if path.suffix == ".mpd":
            return file.read().rstrip().endswith(b"</MPD>")
        return file.read(len(BEGIN)) == BEGIN


def _end_playlist(playlist: Path, *, as_vod: bool) -> None:
    text = playlist.read_bytes()
    if ENDLIST in text:
        return
    if as_vod:
        text = text.replace(EVENT, VOD)
    _replace(playlist, text.rstrip() + b"\n" + ENDLIST + b"\n")


def _end_manifest(tree: HlsTree) -> None:
    text = tree.manifest.read_text()
    ended = manifest.ended(text, segments.last_number(tree, text))
    if ended != text:
        _replace(tree.manifest, ended.encode())


def _replace(path: Path, content: bytes) -> None:
    unfinished = path.with_suffix(".end")
    unfinished.write_bytes(content)
    unfinished.replace(path)
