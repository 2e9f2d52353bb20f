"""How playlists and manifests end, and which segments are left, with real files."""

import os
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import m3u8  # type: ignore[import-untyped]
import pytest

from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.ffmpeg.ladders import HlsTree
from transcoder_tui.ffmpeg.manifest import ended
from transcoder_tui.ffmpeg.outputs import hls_trees
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.worker import endings, outputs, segments

LISTED = "#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXT-X-MEDIA-SEQUENCE:7\n#EXTINF:1,\ns_00000007.ts\n"
EMPTIED = b"\n#EXT-X-ENDLIST\n"
OLD, NEW = "20261122T140000Z", "20261122T150000Z"
TEMPLATE = """<?xml version="1.0" encoding="utf-8"?>
<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"
\ttype="dynamic"
\tminimumUpdatePeriod="PT1S"
\tavailabilityStartTime="2026-11-22T14:00:00.000Z"
\tpublishTime="2026-11-22T14:00:05.000Z"
\ttimeShiftBufferDepth="PT3.0S"
\tminBufferTime="PT2.0S">
\t<Period id="0"><AdaptationSet id="0"><Representation id="0">{}</Representation></AdaptationSet></Period>
</MPD>
"""
TIMELINE = (
    '<SegmentTemplate timescale="100" media="chunk-{}-stream$RepresentationID$-$Number%05d$.m4s" startNumber="3">'
    '<SegmentTimeline><S t="200" d="100" r="1"/><S d="50"/></SegmentTimeline></SegmentTemplate>'
)
NUMBERED = (
    '<SegmentTemplate timescale="1000" duration="2000" media="chunk-{}-stream$RepresentationID$-$Number%05d$.m4s"/>'
)


@pytest.fixture
def host(tmp_path: Path) -> HostFacts:
    return HostFacts({}, [tmp_path / "media"], tmp_path / "hls")


def channel(*given: dict[str, Any], ladder: bool = False) -> ChannelSpec:
    names = ["hi", "lo"] if ladder else ["only"]
    rungs = [{"name": name, "video": {"size": "160x90", "bitrate": "150k", "gop": "1s"}} for name in names]
    sources = [{"url": "test://bars?size=160x90&fps=25"}]
    return ChannelSpec.model_validate({"name": "News", "sources": sources, "renditions": rungs, "outputs": given})


def tree_of(host: HostFacts, output: dict[str, Any]) -> tuple[ChannelSpec, HlsTree]:
    spec = channel(output)
    outputs.prepare(spec, host)
    (tree,) = hls_trees(spec, host)
    return spec, tree


def make(directory: Path, *names: str, changed: float | None = None) -> None:
    for name in names:
        (directory / name).write_bytes(b"x")
        if changed is not None:
            os.utime(directory / name, (changed, changed))


def ts(*numbers: int) -> list[str]:
    return [f"s_{number:08}.ts" for number in numbers]


class TestPlaylists:
    @pytest.mark.parametrize("playlist", ["live", "event", "vod"])
    @pytest.mark.parametrize("emptied", [b"", EMPTIED])
    def test_that_ffmpeg_emptied_at_its_end_are_put_back_and_ended(
        self, host: HostFacts, playlist: str, emptied: bytes
    ) -> None:
        spec, tree = tree_of(host, {"url": "hls://a", "playlist": playlist})
        (path,) = tree.playlists
        path.write_text(LISTED)
        outputs.keep(spec, host)
        path.unlink()
        path.write_bytes(emptied)

        outputs.finalise(spec, host)

        found = m3u8.loads(path.read_text())
        assert (found.is_endlist, found.media_sequence, found.files) == (True, 7, ts(7))
        assert not list(path.parent.glob(".index*"))

    def test_are_put_back_before_a_start_which_would_begin_at_0(self, host: HostFacts) -> None:
        spec, tree = tree_of(host, {"url": "hls://a"})
        (path,) = tree.playlists
        path.write_text(LISTED)
        outputs.keep(spec, host)
        path.unlink()
        path.write_bytes(b"")

        outputs.prepare(spec, host)

        assert path.read_text() == LISTED

    def test_that_nobody_knows_are_not_ended(self, host: HostFacts) -> None:
        spec, tree = tree_of(host, {"url": "hls://a"})
        tree.playlists[0].write_bytes(b"")

        outputs.finalise(spec, host)

        assert tree.playlists[0].read_bytes() == b""

    def test_that_somebody_deleted_do_not_come_back(self, host: HostFacts) -> None:
        spec, tree = tree_of(host, {"url": "hls://a"})
        tree.playlists[0].write_text(LISTED)
        outputs.keep(spec, host)
        tree.playlists[0].unlink()

        outputs.finalise(spec, host)
        outputs.prepare(spec, host)

        assert not tree.playlists[0].exists()

    def test_of_a_rung_that_is_gone_are_ended_alone(self, host: HostFacts) -> None:
        before, after = (
            channel({"url": "hls://a"}, ladder=True),
            channel({"url": "hls://a", "rendition": "lo"}, ladder=True),
        )
        outputs.prepare(before, host)
        (tree,) = hls_trees(before, host)
        for path in tree.playlists:
            path.write_text(LISTED)

        outputs.finalise(before, host, going_on=after)

        texts = {path.parent.name: path.read_text() for path in tree.rungs}
        assert "ENDLIST" in texts["hi"]
        assert texts["lo"] == LISTED


class TestManifests:
    @pytest.mark.parametrize(
        ("template", "length"), [(TIMELINE.format(OLD), "PT4.5S"), (NUMBERED.format(OLD), "PT18.0S")]
    )
    def test_are_static_once_they_ended(self, host: HostFacts, template: str, length: str) -> None:
        spec, tree = tree_of(host, {"url": "dash://a"})
        tree.manifest.write_text(TEMPLATE.format(template))
        segments_of_run = [f"chunk-{OLD}-stream0-{number:05}.m4s" for number in (8, 9)]
        make(tree.directory, *segments_of_run, f"chunk-{OLD}-stream0-00010.m4s.tmp", f"chunk-{NEW}-stream0-00099.m4s")

        outputs.finalise(spec, host)

        root = ElementTree.parse(tree.manifest).getroot()
        assert {name: root.get(name) for name in root.keys()} == {  # noqa: SIM118 - an element, not a mapping
            "type": "static",
            "mediaPresentationDuration": length,
            "minBufferTime": "PT2.0S",
        }
        assert not list(tree.directory.glob("*.tmp"))
        assert all((tree.directory / name).exists() for name in segments_of_run)

    def test_that_ffmpeg_emptied_are_put_back(self, host: HostFacts) -> None:
        spec, tree = tree_of(host, {"url": "dash://a"})
        tree.manifest.write_text(TEMPLATE.format(TIMELINE.format(OLD)))
        outputs.keep(spec, host)
        tree.manifest.unlink()
        tree.manifest.write_bytes(b"")

        outputs.finalise(spec, host)

        assert ElementTree.parse(tree.manifest).getroot().get("type") == "static"

    @pytest.mark.parametrize("text", ["", "<MPD", TEMPLATE.format("")])
    def test_that_cannot_be_read_stay_as_they_are(self, text: str) -> None:
        assert ended(text, 5) == text


class TestSegments:
    def test_that_their_playlist_does_not_list_go_before_a_start(self, host: HostFacts) -> None:
        spec, tree = tree_of(host, {"url": "hls://a"})
        (playlist,) = tree.playlists
        playlist.write_text(LISTED)
        others = ["init.mp4", "s_5.ts", "s_00000005.txt", "my_00000005.ts"]
        make(playlist.parent, *ts(5, 6, 7), "s_00000008.ts.tmp", "s_00000003.m4s", *others)

        outputs.prepare(spec, host)

        assert {path.name for path in playlist.parent.iterdir()} == {playlist.name, *ts(7), *others}

    @pytest.mark.parametrize("kept", [{"delete": False}, {"playlist": "event"}, {"playlist": "vod"}])
    def test_stay_where_nothing_is_to_be_deleted(self, host: HostFacts, kept: dict[str, Any]) -> None:
        spec, tree = tree_of(host, {"url": "hls://a", **kept})
        (playlist,) = tree.playlists
        playlist.write_text(LISTED)
        make(playlist.parent, *ts(5, 6, 7))

        outputs.prepare(spec, host)

        assert {path.name for path in playlist.parent.iterdir()} == {playlist.name, *ts(5, 6, 7)}

    @pytest.mark.parametrize("text", [None, "", "#EXTM3U\n"])
    def test_stay_where_the_playlist_is_lost(self, host: HostFacts, text: str | None) -> None:
        spec, tree = tree_of(host, {"url": "hls://a"})
        (playlist,) = tree.playlists
        if text is not None:
            playlist.write_text(text)
        make(playlist.parent, *ts(5, 6, 7))

        outputs.prepare(spec, host)

        assert {path.name for path in playlist.parent.glob("s_*")} == {*ts(5, 6, 7)}

    def test_of_earlier_runs_of_dash_go_after_a_while(self, host: HostFacts) -> None:
        _, tree = tree_of(host, {"url": "dash://a"})
        now = 1_800_000_000.0
        old = [f"init-{OLD}-stream0.m4s", f"chunk-{OLD}-stream0-00001.m4s", f"chunk-{OLD}-stream1-00001.webm.tmp"]
        unstamped = ["init-stream0.m4s", "chunk-stream0-00001.m4s"]
        new = [f"init-{NEW}-stream0.m4s", f"chunk-{NEW}-stream0-00001.m4s"]
        # A source that is silent since: the run is old, and on air.
        make(tree.directory, *new, "mine.m4s", changed=now - 10 * segments.STALE_S)
        make(tree.directory, *old, *unstamped, changed=now)
        tree.manifest.write_text(TEMPLATE.format(TIMELINE.format(NEW)))

        segments.clear_earlier_runs(tree, now + segments.STALE_S - 1)
        assert {path.name for path in tree.directory.glob("*.*")} > {*old, *unstamped}
        segments.clear_earlier_runs(tree, now + segments.STALE_S)

        assert {path.name for path in tree.directory.iterdir()} == {*new, "mine.m4s", "manifest.mpd"}


def test_a_tree_that_is_whole_is_kept_without_a_copy(host: HostFacts) -> None:
    _, tree = tree_of(host, {"url": "hls://a"})
    (path,) = tree.playlists
    path.write_text(LISTED)

    endings.keep(tree)
    endings.keep(tree)

    assert path.stat().st_nlink == 2


def test_fmp4_segments_begin_anew_where_they_are_encoded_otherwise(host: HostFacts) -> None:
    spec, tree = tree_of(host, {"url": "hls://a", "format": "fmp4"})
    (path,) = tree.playlists
    listed = LISTED.replace(".ts", ".m4s")
    path.write_text(listed)
    make(path.parent, "init.mp4", "s_00000007.m4s")

    outputs.prepare(spec, host)
    assert path.read_text() == listed, "the same encoding goes on"

    spec.renditions[0].video.size = "320x180"
    outputs.prepare(spec, host)
    assert not path.exists() and not list(path.parent.glob("s_*"))
