"""Text subtitles of a ladder: what is chosen, what FFmpeg is told, and what becomes of what it writes."""

from dataclasses import replace
from pathlib import Path

import m3u8
import pytest
from ffmpeg_samples import BINARY, HOST, channel, rung, value_of

from transcoder_tui.ffmpeg.command import build_command
from transcoder_tui.ffmpeg.ladders import HlsTree, tree_of
from transcoder_tui.ffmpeg.master import Subtitles, Variant, corrected
from transcoder_tui.ffmpeg.resolution import Resolution, needs_look, resolve
from transcoder_tui.ffmpeg.texts import Text, readable_texts, text_playlist, text_segment
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.probe import Probe, ProbedStream
from transcoder_tui.models.source import Source
from transcoder_tui.worker import subtitles

GROUP = "udp://239.1.1.1:5000"
HEAD = "#EXTM3U\n#EXT-X-VERSION:7\n#EXT-X-TARGETDURATION:2\n#EXT-X-MEDIA-SEQUENCE:{first}\n"
TEXTS = (Text("0:i:0x1e0", "eng"), Text("0:i:0x1e1", "fra"), Text("0:i:0x1e2", "swe"))


def playlist(*numbers: int, ending: str = "ts") -> str:
    moment = "#EXT-X-PROGRAM-DATE-TIME:2026-11-23T00:00:{:02}.000+0000"
    segments = (f"#EXTINF:2.000000,\n{moment.format(number)}\ns_{number:08d}.{ending}\n" for number in numbers)
    return HEAD.format(first=numbers[0] if numbers else 0) + "".join(segments)


class TestChoice:
    FOUND = Probe(
        source=GROUP,
        container="mpegts",
        streams=[
            ProbedStream(index=0, kind="video", pid=0x101),
            ProbedStream(index=1, kind="subtitle", pid=0x1E0, language="eng", codec="dvb_teletext"),
            ProbedStream(index=2, kind="subtitle", pid=0x1E1, language="eng", codec="dvb_subtitle"),
            ProbedStream(index=3, kind="subtitle", language="fra", codec="subrip"),
        ],
    )

    def found(self, chosen: str) -> Resolution:
        return resolve(Source.model_validate({"url": GROUP, "subtitles": chosen}), self.FOUND, "sources[0]")

    def test_takes_what_is_text_and_leaves_pictures(self) -> None:
        assert self.found("all").texts == (Text("0:i:0x1e0", "eng", is_teletext=True), Text("0:s:2", "fra"))
        assert self.found("0x1e1").texts == ()
        assert self.found("#3, 0x1e0=ger").texts == (Text("0:s:2", "fra"), Text("0:i:0x1e0", "ger", is_teletext=True))
        assert self.found("fra").texts == (Text("0:s:2", "fra"),)

    def test_copies_what_transport_streams_carry(self) -> None:
        assert self.found("all").source.subtitles == "0x1e0, 0x1e1"
        assert self.found("fra").source.subtitles is None
        assert self.found("0x1e1").source.subtitles == "0x1e1"

    @pytest.mark.parametrize(("url", "looked_at"), [("hls://a", True), ("udp://239.2.1.1:5000", False)])
    def test_takes_a_look_where_there_is_hls(self, url: str, looked_at: bool) -> None:
        spec = channel({"url": url}, source=GROUP)
        spec.sources[0].subtitles = "all"

        assert needs_look(spec, spec.sources[0]) == looked_at


@pytest.mark.parametrize(
    ("url", "avutil", "decodes", "read"),
    [
        ("file://a.mkv", (57, 28), True, 2),
        ("file://a.mkv", (61, 0), True, 0),
        (GROUP, (61, 0), True, 2),
        (GROUP, (57, 28), False, 1),
    ],
)
def test_not_every_ffmpeg_reads_them(url: str, avutil: tuple[int, int], decodes: bool, read: int) -> None:
    binary = replace(BINARY, avutil=avutil, decodes_teletext=decodes)
    texts = (Text("0:s:0"), Text("0:s:1", is_teletext=True))

    assert readable_texts(texts, Source(url=url), binary) == texts[:read]


def spec_of(*outputs: str, rungs: int = 2) -> ChannelSpec:
    renditions = [rung(f"r{number}") for number in range(rungs)]
    return channel(*({"url": url} for url in outputs), renditions=renditions, source=GROUP)


class TestCommand:
    def test_writes_one_with_each_rung(self) -> None:
        built = build_command(spec_of("hls://a"), BINARY, HOST, texts=TEXTS)

        mapped = [value for option, value in zip(built.argv, built.argv[1:], strict=False) if option == "-map"]
        assert mapped[-2:] == ["0:i:0x1e0", "0:i:0x1e1"]
        assert (value_of(built, "-c:s:0"), value_of(built, "-c:s:1")) == ("webvtt", "webvtt")
        assert "-c:s:2" not in built.argv
        assert "-txt_format" not in built.argv
        variants = value_of(built, "-var_stream_map").split()
        assert variants[0].endswith(",s:0,name:r0")
        assert variants[1].endswith(",s:1,name:r1")

    def test_copies_others_into_transport_streams_beside_them(self) -> None:
        spec = spec_of("hls://a", "udp://239.2.1.1:5000", rungs=1)
        spec.sources[0].subtitles = "0x1e0, 0x1e5"

        built = build_command(spec, BINARY, HOST, texts=[Text("0:i:0x1e0", is_teletext=True)])

        assert built.argv[-1].count(",s\\\\:1,s\\\\:2,d") + built.argv[-1].count(",s:1,s:2,d") == 1

        assert value_of(built, "-txt_format") == "text"
        assert built.argv.index("-txt_format") < built.argv.index("-i")

    def test_is_the_same_as_before_without_any(self) -> None:
        assert "webvtt" not in build_command(spec_of("hls://a"), BINARY, HOST).argv

    def test_takes_none_where_there_is_no_hls(self) -> None:
        assert "webvtt" not in build_command(spec_of("dash://a"), BINARY, HOST, texts=TEXTS).argv


class TestPlaylist:
    def test_is_that_of_the_rung(self) -> None:
        header = '#EXT-X-MAP:URI="init_0.mp4"\n#EXT-X-KEY:METHOD=AES-128,URI="1.key"\n#EXT-X-DISCONTINUITY\n'
        rung = playlist(3, 4, ending="m4s").replace("#EXTINF", f"{header}#EXTINF", 1)

        found = text_playlist(rung + "#EXT-X-ENDLIST\n", 4)

        expected = rung.replace(".m4s", ".vtt").replace(header, "#EXT-X-DISCONTINUITY\n")
        assert found == expected + "#EXT-X-ENDLIST\n"

    def test_lists_what_is_ready(self) -> None:
        assert text_playlist(playlist(3, 4, 5), 4) == playlist(3, 4).replace(".ts", ".vtt")
        assert text_playlist(playlist(3, 4, 5), 2) == ""
        assert text_playlist("", 9) == ""

    def test_segments_say_where_their_times_belong(self) -> None:
        header = "WEBVTT\nX-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:126000\n\n"

        assert (
            text_segment("WEBVTT\n\n00:01.000 --> 00:02.000\nHi\n", 126_000) == f"{header}00:01.000 --> 00:02.000\nHi\n"
        )
        assert text_segment("WEBVTT\n", 126_000) == text_segment("", 126_000) == header


def test_the_master_playlist_offers_them_to_every_rung_once() -> None:
    names = ("a/index.m3u8", "b/index.m3u8")
    text = "#EXTM3U\n#EXT-X-VERSION:6\n" + "".join(f"#EXT-X-STREAM-INF:BANDWIDTH=1\n{name}\n" for name in names)
    variants = {name: Variant(1000, 0, 0) for name in names}
    texts = [Subtitles("t1/index.m3u8", 1, "eng"), Subtitles("t2/index.m3u8", 2)]

    found = corrected(text, variants, {}, texts)

    master = m3u8.loads(found)
    assert [(one.type, one.name, one.language, one.uri) for one in master.media] == [
        ("SUBTITLES", "eng", "eng", "t1/index.m3u8"),
        ("SUBTITLES", "Subtitles 2", None, "t2/index.m3u8"),
    ]
    assert [variant.stream_info.subtitles for variant in master.playlists] == ["subtitles", "subtitles"]
    assert corrected(found, variants, {}, texts) == found
    assert "SUBTITLES" not in corrected(found, variants, {})


class TestFiles:
    @pytest.fixture
    def spec(self) -> ChannelSpec:
        return spec_of("hls://a", rungs=1)

    @pytest.fixture
    def tree(self, spec: ChannelSpec, tmp_path: Path) -> HlsTree:
        tree = tree_of(spec, spec.outputs[0], HOST, "outputs[0]")
        there = tmp_path / "a"
        rungs = {there / path.parent.name / path.name: rendition for path, rendition in tree.rungs.items()}
        for path in rungs:
            path.parent.mkdir(parents=True)
        return HlsTree(tree.output, there, rungs, {}, tree.segment_s)

    def write(self, tree: HlsTree, listed: range, written: range) -> Path:
        (rung,) = tree.rungs
        rung.write_text(playlist(*listed))
        for number in written:
            (rung.parent / f"index{number}.vtt").write_text(f"WEBVTT\n\n00:01.000 --> 00:02.000\n{number}\n")
        return rung.parent

    def names(self, directory: Path) -> set[str]:
        return {path.name for path in directory.iterdir() if path.suffix == ".vtt"}

    def test_are_listed_once_ffmpeg_has_closed_them(self, spec: ChannelSpec, tree: HlsTree) -> None:
        subtitles.begin(tree, spec, TEXTS)
        self.write(tree, range(3), range(3))

        subtitles.tend(tree)
        (subtitle,) = subtitles.subtitles_of(tree)
        assert self.names(subtitle.playlist.parent) == {"s_00000000.vtt", "s_00000001.vtt"}
        assert subtitle.playlist.read_text() == playlist(0, 1).replace(".ts", ".vtt")
        subtitles.tend(tree, ended=True)
        assert subtitle.playlist.read_text() == playlist(0, 1, 2).replace(".ts", ".vtt")
        assert subtitle.language == "eng"

    def test_are_deleted_some_time_after_they_left_the_playlist(self, spec: ChannelSpec, tree: HlsTree) -> None:
        subtitles.begin(tree, spec, TEXTS)
        rung = self.write(tree, range(3), range(4))
        subtitles.tend(tree)
        self.write(tree, range(12, 15), range(16))

        subtitles.tend(tree)

        (subtitle,) = subtitles.subtitles_of(tree)
        assert self.names(subtitle.playlist.parent) == {f"s_{number:08d}.vtt" for number in (2, 12, 13, 14)}
        assert self.names(rung) == {f"index{number}.vtt" for number in range(2, 16)}

    def test_of_an_earlier_run_are_not_taken_for_new_ones(self, spec: ChannelSpec, tree: HlsTree) -> None:
        subtitles.begin(tree, spec, TEXTS)
        rung = self.write(tree, range(3), range(5))
        subtitles.tend(tree)

        subtitles.begin(tree, spec, TEXTS)

        assert self.names(rung) == {"index0.vtt", "index1.vtt", "index2.vtt"}

    def test_go_away_with_the_subtitles(self, spec: ChannelSpec, tree: HlsTree) -> None:
        subtitles.begin(tree, spec, TEXTS)
        rung = self.write(tree, range(3), range(5))
        subtitles.tend(tree)
        (subtitle,) = subtitles.subtitles_of(tree)

        subtitles.begin(tree, spec, ())

        assert subtitles.subtitles_of(tree) == []
        assert self.names(rung) == self.names(subtitle.playlist.parent) == set()
        assert not subtitle.playlist.exists()
