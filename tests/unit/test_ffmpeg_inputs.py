"""How each kind of source is opened, which streams are taken, and how names become numbers."""

import base64
from itertools import pairwise
from typing import Any

import pytest
from ffmpeg_samples import BINARY, HOST, channel, rung

from transcoder_tui.errors import HostFault, InvalidInput, SourceFault
from transcoder_tui.ffmpeg.command import build_command
from transcoder_tui.ffmpeg.inputs import Input, build_input
from transcoder_tui.ffmpeg.resolution import needs_look, resolve
from transcoder_tui.models.probe import Kind, Probe, ProbedProgram, ProbedStream
from transcoder_tui.models.source import Source

GROUP = "udp://239.1.1.1:5000"


def read(url: str = GROUP, **fields: Any) -> Input:
    return build_input(Source.model_validate({"url": url, **fields}), HOST, "sources[0]")


def opened(url: str, **fields: Any) -> list[str]:
    return list(read(url, **fields).args)


def after(arguments: list[str], option: str) -> str:
    return arguments[arguments.index(option) + 1]


class TestOpening:
    def test_takes_one_sender_of_a_group(self) -> None:
        for scheme in ("udp", "rtp"):
            address = opened(f"{scheme}://239.1.1.1:5000", interface="eth1", sender="192.0.2.99")[-1]

            assert "localaddr=192.0.2.7" in address
            assert "sources=192.0.2.99" in address

    def test_reads_segments_of_hls_that_are_media_and_no_lists_of_other_files(self) -> None:
        formats = after(opened("https://cdn.example/live/index.m3u8"), "-format_whitelist").split(",")

        assert {"hls", "mpegts", "mov", "aac"} <= set(formats)
        assert {"concat", "sdp", "rtsp", "dash", "image2", "lavfi"}.isdisjoint(formats)

    def test_survives_an_overrun_and_ends_by_itself_when_nothing_comes(self) -> None:
        query = opened(GROUP)[-1].partition("?")[2].split("&")

        assert {"fifo_size=50000", "buffer_size=8000000", "overrun_nonfatal=1", "timeout=5000000"} <= set(query)

    @pytest.mark.parametrize(
        ("fields", "protocols"),
        [
            ({"url": GROUP}, "udp"),
            ({"url": "rtp://239.1.1.1:5000"}, "rtp,udp"),
            ({"url": "srt://h:9000"}, "srt"),
            ({"url": "rtsp://h/live"}, "rtp,udp,tcp"),
            ({"url": "rtmp://h/live/key"}, "rtmp,rtmps,tls,tcp"),
            ({"url": "https://h/a.ts"}, "http,https,tls,tcp"),
            ({"url": "file://a.ts"}, "file"),
            ({"url": "file://a.ts", "playlist": "file://b.ts"}, "file,data"),
            ({"url": "test://bars"}, "none"),
        ],
    )
    def test_confines_each_kind_to_its_protocols(self, fields: dict[str, Any], protocols: str) -> None:
        arguments = opened(**fields)

        told = {value for option, value in pairwise(arguments) if option == "-protocol_whitelist"}
        assert told == {protocols}

    def test_waits_for_a_publisher_on_an_address_of_this_host(self) -> None:
        assert after(opened("rtmp://0.0.0.0/live/key", listen=True), "-listen") == "1"
        assert after(opened("rtmp://192.0.2.8/live/key", listen=True), "-listen") == "1"
        assert "-listen" not in opened("rtmp://192.0.2.8/live/key")
        with pytest.raises(HostFault, match=r"sources\[0\].url: 192.0.2.99 is no address of this host"):
            opened("rtmp://192.0.2.99/live/key", listen=True)

    def test_pulls_rtsp_over_tcp_unless_it_is_told_otherwise(self) -> None:
        assert after(opened("rtsp://h/live"), "-rtsp_transport") == "tcp"
        assert after(opened("rtsp://h/live", transport="udp"), "-rtsp_transport") == "udp"

    def test_says_in_every_version_whether_certificates_are_verified(self) -> None:
        assert after(opened("https://h/a.ts"), "-tls_verify") == "1"
        assert after(opened("rtmps://h/live/key", tls_verify=False), "-tls_verify") == "0"
        assert "-tls_verify" not in opened("http://h/a.ts")

    def test_writes_a_playlist_into_the_address(self) -> None:
        arguments = opened("file://a.ts", playlist=["file://b%20c%27d.ts", "file:///srv/more/e.ts"])

        script = base64.b64decode(arguments[-1].partition("base64,")[2]).decode()
        assert script.splitlines() == [
            "ffconcat version 1.0",
            "file 'file:/srv/media/a.ts'",
            r"file 'file:/srv/media/b c'\''d.ts'",
            "file 'file:/srv/more/e.ts'",
        ]
        assert after(arguments, "-f") == "concat"
        assert after(arguments, "-stream_loop") == "-1"

    def test_refuses_a_playlist_that_leaves_the_media_roots(self) -> None:
        with pytest.raises(InvalidInput, match=r"sources\[0\].playlist: /etc/b.ts is not below a media root"):
            opened("file://a.ts", playlist="file:///etc/b.ts")


class TestMultiplexes:
    @pytest.mark.parametrize(
        ("chosen", "told"),
        [({}, ("1", "10000000")), ({"program": 101}, ("8", "5000000")), ({"video": "0x201"}, ("8", "5000000"))],
    )
    @pytest.mark.parametrize("url", [GROUP, "srt://192.0.2.1:9000", "https://192.0.2.1/live.ts"])
    def test_are_looked_at_longer_before_a_guess_and_shorter_in_all(
        self, url: str, chosen: dict[str, Any], told: tuple[str, str]
    ) -> None:
        arguments = opened(url, **chosen)

        assert (after(arguments, "-max_probe_packets"), after(arguments, "-analyzeduration")) == told


@pytest.mark.parametrize(
    ("url", "formats"), [("rtmp://192.0.2.1/live/key", "flv,live_flv"), ("rtsp://192.0.2.1/live", "rtsp")]
)
def test_a_session_brings_one_format_whatever_its_server_says(url: str, formats: str) -> None:
    assert after(opened(url), "-format_whitelist") == formats


class TestStreams:
    def test_are_the_first_ones_where_nothing_is_chosen(self) -> None:
        assert (read().video, read().audios, read().copied) == ("0:v:0", ("0:a:0",), ())
        assert read("test://bars").audios == ("1:a:0",)

    def test_are_those_of_the_program(self) -> None:
        found = read(program=101, audio="fra, #2, 0x105=eng", subtitles="all", data="all")

        assert found.video == "0:p:101:v:0"
        assert found.audios == ("0:p:101:a:m:language:fra", "0:p:101:a:1", "0:i:0x105")
        assert found.copied == ("0:p:101:s?", "0:p:101:d?")

    def test_are_chosen_by_pid_whatever_their_program_is(self) -> None:
        found = read(video="0x201", audio="260", subtitles="0x1e0, #1", data="0x1f0")

        assert (found.video, found.audios) == ("0:i:0x201", ("0:i:0x104",))
        assert found.copied == ("0:i:0x1e0?", "0:s:0?", "0:i:0x1f0?")

    def test_have_their_language_told_to_receivers_once_for_each_sound(self) -> None:
        spec = channel({"url": "udp://239.2.1.1:5000"}, source=GROUP)
        spec.sources[0].audio = "0x103=fra, #2, eng"

        arguments = build_command(spec, BINARY, HOST).argv

        told = {option: value for option, value in pairwise(arguments) if "s:a:" in option}
        assert told == {"-metadata:s:a:0": "language=fra", "-metadata:s:a:2": "language=eng"}


def stream(index: int, kind: Kind, pid: int | None, language: str = "", codec: str = "") -> ProbedStream:
    return ProbedStream(index=index, kind=kind, pid=pid, language=language, codec=codec)


FOUND = Probe(
    source=GROUP,
    container="mpegts",
    programs=[
        ProbedProgram(number=101, name="SPORT", streams=[0, 1]),
        ProbedProgram(number=102, name="NEWS ", streams=[2, 3, 4, 5]),
    ],
    streams=[
        stream(0, "video", 0x101),
        stream(1, "audio", 0x102, "fra", "mp2"),
        stream(2, "video", 0x201),
        stream(3, "audio", 0x202, "eng", "aac"),
        stream(4, "audio", 0x203, "eng,fra", "ac3"),
        stream(5, "subtitle", 0x204, "swe"),
    ],
)


class TestNames:
    def test_become_the_numbers_of_this_moment(self) -> None:
        source = Source.model_validate(
            {"url": GROUP, "program": "news", "audio": "fra, eng, #1", "subtitles": "nor, swe", "data": "all"}
        )

        found = resolve(source, FOUND, "sources[0]").source

        assert (found.program, found.audio) == ("102", "0x203=fra, 0x202=eng, #1")
        assert (found.subtitles, found.data) == ("0x204=swe", "all")

    def test_of_copied_streams_may_be_missing(self) -> None:
        source = Source.model_validate({"url": GROUP, "subtitles": "nor"})

        assert resolve(source, FOUND, "sources[0]").source.subtitles is None

    def test_that_are_not_there_are_refused_with_what_is(self) -> None:
        weather = Source.model_validate({"url": GROUP, "program": "WEATHER"})
        dutch = Source.model_validate({"url": GROUP, "program": "NEWS", "audio": "dut"})

        with pytest.raises(SourceFault) as program:
            resolve(weather, FOUND, "sources[1]")
        with pytest.raises(SourceFault) as sound:
            resolve(dutch, FOUND, "sources[1]")

        assert str(program.value) == (
            f"sources[1].program: no program 'WEATHER' in {GROUP}; there are: 101 SPORT, 102 NEWS"
        )
        assert str(sound.value) == (
            f"sources[1].audio: no sound in 'dut' in {GROUP}; there are: 0x202 eng, 0x203 eng,fra"
        )

    def test_of_sounds_need_a_look_only_where_sound_is_copied(self) -> None:
        encoded = channel(source=GROUP)
        encoded.sources[0].audio = "eng"
        copied = encoded.model_copy(deep=True)
        audio = copied.renditions[0].audio
        assert audio is not None
        audio.codec = "copy"

        assert not needs_look(encoded, encoded.sources[0])
        assert needs_look(copied, copied.sources[0])

    @pytest.mark.parametrize(
        ("output", "codec", "asked"),
        [
            ({"url": "hls://a", "format": "fmp4"}, "copy", True),
            ({"url": "file://a.mp4"}, "copy", True),
            ({"url": "hls://a", "format": "fmp4"}, "aac", False),
            ({"url": "hls://a"}, "copy", False),
            ({"url": "dash://a"}, "copy", False),
        ],
    )
    def test_of_codecs_are_asked_for_where_mp4_takes_a_sound_as_it_is(
        self, output: dict[str, Any], codec: str, asked: bool
    ) -> None:
        rendition = rung("only")
        rendition["audio"]["codec"] = codec
        spec = channel(output, source=GROUP, renditions=[rendition])

        assert needs_look(spec, spec.sources[0]) is asked


class TestCodecs:
    @pytest.mark.parametrize(
        ("fields", "codecs"),
        [
            ({"program": "NEWS", "audio": "eng, fra, #2"}, ("aac", "ac3", "ac3")),
            ({"audio": "#1"}, ("mp2",)),
            ({"program": "102", "audio": "0x102, 0x202"}, ("mp2", "aac")),
            ({"audio": "0x999, #7"}, ("", "")),
        ],
    )
    def test_are_those_of_the_sounds_that_are_taken(self, fields: dict[str, Any], codecs: tuple[str, ...]) -> None:
        source = Source.model_validate({"url": GROUP, **fields})

        assert resolve(source, FOUND, "sources[0]").codecs == codecs

    def test_are_known_where_no_pids_are_shown_but_all_sounds_are_alike(self) -> None:
        streams = [stream(0, "video", None), stream(1, "audio", None, "", "aac"), stream(2, "audio", None, "", "aac")]
        source = Source.model_validate({"url": "rtp://239.1.1.1:5000", "audio": "0x203"})

        found = resolve(source, Probe(source=source.url, container="rtp", streams=streams), "sources[0]")

        assert found.codecs == ("aac",)
