"""The keys of encrypted HLS segments: made, changed in time, and kept for as long as a playlist names them."""

import os
import re
import secrets
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path

from transcoder_tui.ffmpeg.ladders import HlsTree

KEY_BYTES = 16
"""Of an AES-128 key (RFC 8216, section 4.3.2.4)."""
GRACE_S = 120.0
"""Seconds after a change in which the former key is not deleted: the segment in the making, of 30 s at most, still
needs it and is not listed yet."""
_NAME = re.compile(r"\d{8}T\d{6}Z-[0-9a-f]{8}\.key")


def change(tree: HlsTree) -> None:
    """Makes a new key and lets FFmpeg take it for the next segment.

    The key lies beside the playlists, readable by the web server; the file that names it is FFmpeg's alone.

    Raises:
        OSError: Where the directory cannot be written.
    """
    key = tree.directory / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}-{secrets.token_hex(4)}.key"
    _write(key, secrets.token_bytes(KEY_BYTES), 0o644)
    unfinished = tree.key_info.with_suffix(".new")
    _write(unfinished, f"../{key.name}\n{key}\n".encode(), 0o600)
    unfinished.replace(tree.key_info)


def tend(tree: HlsTree, now: float) -> None:
    """Changes the key when it is time, and deletes those that no playlist names any more.

    Args:
        tree: The output's.
        now: Seconds since the epoch.

    Raises:
        OSError: Where the directory cannot be read or written.
    """
    current = _current(tree)
    if current is None:
        change(tree)
        return
    age = now - current.stat().st_mtime
    rotation = tree.output.key_rotation
    if rotation is not None and age >= rotation:
        change(tree)
    else:
        _forget(tree, now)


def _current(tree: HlsTree) -> Path | None:
    """The key in use; None where there is none."""
    try:
        path = Path(tree.key_info.read_text().splitlines()[1])
    except (FileNotFoundError, IndexError):
        return None
    return path if path.is_file() else None


def _forget(tree: HlsTree, now: float) -> None:
    listed = "".join(playlist.read_text() for playlist in tree.playlists if playlist.is_file())
    by_age = sorted((entry.stat().st_mtime, entry) for entry in tree.directory.iterdir() if _NAME.fullmatch(entry.name))
    for (_, key), (replaced, _) in pairwise(by_age):
        if now - replaced >= GRACE_S and key.name not in listed:
            key.unlink(missing_ok=True)


def _write(path: Path, data: bytes, mode: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, mode)
    with os.fdopen(descriptor, "wb") as file:
        os.fchmod(descriptor, mode)
        file.write(data)
