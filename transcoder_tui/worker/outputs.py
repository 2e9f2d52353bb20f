"""The files that a channel writes: checked and made before a start, finished after a stop."""

import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from transcoder_tui.errors import HostFault
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.ffmpeg.outputs import hls_trees, recordings
from transcoder_tui.models.channel import ChannelSpec

ENDLIST = b"#EXT-X-ENDLIST"
"""Says that a playlist will not grow any more: RFC 8216, section 4.3.3.4."""


def prepare(spec: ChannelSpec, host: HostFacts) -> None:
    """Makes the directories of a channel's outputs and moves earlier recordings out of the way.

    FFmpeg notices a directory that it cannot write to only at the end of the first segment, and truncates a
    recording that it finds.

    Raises:
        HostFault: Where a directory cannot be written or lies outside its root.
    """
    for tree in hls_trees(spec, host):
        for directory in {tree.directory, *(playlist.parent for playlist in tree.playlists)}:
            _writable(directory, [host.hls_root])
    for recording in (kept.path for kept in recordings(spec, host)):
        _writable(recording.parent, host.media_roots)
        if recording.exists() and recording.stat().st_size:
            stamp = datetime.fromtimestamp(recording.stat().st_mtime, UTC).strftime("%Y%m%dT%H%M%SZ")
            recording.replace(recording.with_name(f"{recording.stem}.{stamp}{recording.suffix}"))


def finalise(spec: ChannelSpec, host: HostFacts, going_on: ChannelSpec | None = None) -> None:
    """Ends the HLS playlists of a channel that was stopped, so that players do not wait for more.

    Args:
        spec: The channel as it ran.
        host: This machine.
        going_on: The channel as it runs from now on; what that writes to is left open.
    """
    staying = {playlist for tree in (hls_trees(going_on, host) if going_on else ()) for playlist in tree.playlists}
    for tree in hls_trees(spec, host):
        for playlist in tree.playlists:
            if playlist not in staying:
                _end_playlist(playlist)


def require_inside(path: Path, roots: Sequence[Path]) -> None:
    """Refuses a path that leads outside its roots once links are followed.

    Raises:
        HostFault: Naming the path, where it leads and the roots.
    """
    real = path.resolve()
    if not any(real.is_relative_to(root.resolve()) for root in roots):
        allowed = ", ".join(map(str, roots))
        raise HostFault(f"{path} leads outside the directories that channels may use", f"stay below {allowed}")


def _writable(directory: Path, roots: Sequence[Path]) -> None:
    require_inside(directory, roots)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as probe:
            probe.write(b"\0")
            probe.flush()
    except OSError as error:
        raise HostFault(
            f"{directory} cannot be written: {error.strerror}",
            "free space on it, or give the worker the right to write",
        ) from None


def _end_playlist(playlist: Path) -> None:
    try:
        text = playlist.read_bytes()
        if ENDLIST in text:
            return
        ended = playlist.with_suffix(".end")
        ended.write_bytes(text.rstrip() + b"\n" + ENDLIST + b"\n")
        ended.replace(playlist)
    except OSError:
        return
