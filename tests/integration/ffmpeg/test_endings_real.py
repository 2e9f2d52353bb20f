"""What playlists and manifests say after the end of a real FFmpeg, however it came about."""

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import m3u8
from real_ffmpeg import put_on_air

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.ffmpeg.ladders import DASH_SEGMENT
from transcoder_tui.ffmpeg.outputs import hls_trees
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.worker import outputs, segments
from transcoder_tui.worker.masters import Masters


def channel(*given: dict[str, Any]) -> ChannelSpec:
    picture = {"size": "160x90", "bitrate": "150k", "preset": "ultrafast", "gop": "1s"}
    return ChannelSpec.model_validate(
        {
            "name": "News",
            "sources": [{"url": "test://bars?size=160x90&fps=25"}],
            "renditions": [{"name": "only", "video": picture, "audio": {"bitrate": "64k", "channels": 1}}],
            "outputs": given,
        }
    )


def last_number(playlist: Path) -> int:
    return max((int(re.findall(r"\d+", name)[-1]) for name in listed(playlist)), default=-1)


def listed(playlist: Path) -> list[str]:
    return [segment.uri for segment in m3u8.load(str(playlist)).segments] if playlist.exists() else []


def ours(directory: Path) -> set[str]:
    return {path.name for path in directory.iterdir() if DASH_SEGMENT.fullmatch(path.name)}


def test_a_peer_that_never_comes_keeps_no_playlist_from_its_end(
    start: Any, host: HostFacts, free_port: Callable[[], int], eventually: Any
) -> None:
    spec = channel(
        {"url": f"srt://127.0.0.1:{free_port()}?mode=listener"},
        {"url": "hls://vod", "playlist": "vod", "segment": "1s"},
        {"url": "hls://live", "segment": "1s"},
        {"url": "dash://dash", "segment": "1s"},
    )
    vod, live, dash = hls_trees(spec, host)
    run = start(spec)
    eventually(lambda: all(len(listed(tree.playlists[0])) >= 2 for tree in (vod, live, dash)))

    run.stop()
    outputs.finalise(spec, host)

    for tree in (vod, live, dash):
        for playlist in tree.playlists:
            ended = m3u8.load(str(playlist))
            assert ended.is_endlist
            assert all((playlist.parent / segment.uri).stat().st_size for segment in ended.segments)
        assert m3u8.load(str(tree.master)).playlists
    manifest = ET.parse(dash.manifest).getroot()
    assert (manifest.get("type"), "mediaPresentationDuration" in manifest.attrib) == ("static", True)
    numbers = {tree.directory: last_number(tree.playlists[0]) for tree in (vod, live)}
    again = start(spec)
    eventually(lambda: all(last_number(tree.playlists[0]) > numbers[tree.directory] for tree in (vod, live)))
    again.stop()
    assert listed(vod.playlists[0])[0] == "s_00000000.ts"


def test_a_run_that_was_killed_leaves_nothing_and_no_name_is_used_twice(
    binary: Binary, host: HostFacts, eventually: Any, tmp_path: Path
) -> None:
    spec = channel({"url": "hls://live", "segment": "1s", "window": 3}, {"url": "dash://dash", "segment": "1s"})
    live, dash = hls_trees(spec, host)
    (playlist,) = live.playlists
    names: list[set[str]] = []
    sequence = 0
    for started in (1_800_000_000, 1_800_000_100):
        current = replace(host, taken_at=float(started))
        outputs.prepare(spec, current)
        assert {path.name for path in playlist.parent.glob("s_*")} == set(listed(playlist))
        run = put_on_air(spec, binary, current, tmp_path, str(started))
        try:
            eventually(
                lambda before=sequence: last_number(playlist) > before + 3 and len(listed(dash.playlists[0])) > 1
            )
        finally:
            run.kill()
        assert len(list(playlist.parent.glob("s_*"))) > 3
        sequence = last_number(playlist)
        names.append(ours(dash.directory) - {name for earlier in names for name in earlier})
        assert set(listed(dash.playlists[0])) <= names[-1]

    assert names[0] <= ours(dash.directory), "players that have just read its manifest may still fetch them"
    now = max(path.stat().st_mtime for path in dash.directory.iterdir())
    outputs.tend(spec, host, Masters(), now + segments.STALE_S)
    assert ours(dash.directory) == names[1]
