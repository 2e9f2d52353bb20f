"""What FFmpeg is told of each kind of output, and what is made of its master playlist."""

import re
from pathlib import Path
from typing import Any

import m3u8
import pytest
from ffmpeg_samples import BINARY, HOST, channel, command, rung, value_of

from transcoder_tui.ffmpeg.command import build_command
from transcoder_tui.ffmpeg.master import Sound, Variant, corrected, segments_of
from transcoder_tui.ffmpeg.outputs import hls_trees, recordings


class TestTransportStreams:
    def test_number_their_streams_from_the_one_before_the_first_sound(self) -> None:
        built = command({"url": "udp://239.2.1.1:5000", "video_pid": 600, "audio_pid": 700, "pmt_pid": 650})

        assert value_of(built, "-mpegts_start_pid") == "699"
        assert value_of(built, "-mpegts_pmt_start_pid") == "650"
        assert value_of(built, "-streamid") == "0:600"

    def test_need_no_numbers_of_their_own_where_picture_and_sound_follow_each_other(self) -> None:
        built = command({"url": "udp://239.2.1.1:5000", "video_pid": 600})

        assert value_of(built, "-mpegts_start_pid") == "600"
        assert "-streamid" not in built.argv

    def test_move_those_of_other_outputs_out_of_their_way(self) -> None:
        argv = command(
            {"url": "udp://239.2.1.1:5000", "video_pid": "0x101", "audio_pid": "0x300"},
            {"url": "hls://a"},
            {"url": "file://a.ts"},
        ).argv

        assert argv[-1].count("mpegts_start_pid=384") + argv[-1].count(r"mpegts_start_pid\\=384") == 2

    def test_tell_what_service_they_are(self) -> None:
        built = command(
            {"url": "rtp://239.2.1.1:5000", "service_id": 9, "transport_stream_id": 8, "network_id": 7}
            | {"service_name": "Name", "service_provider": "Provider"}
        )

        options = value_of(built, "-mpegts_muxer_options")
        for option in ("mpegts_service_id=9", "mpegts_transport_stream_id=8", "mpegts_original_network_id=7"):
            assert option in options.split(":")
        assert {"service_name=Name", "service_provider=Provider"} <= set(built.argv)

    @pytest.mark.parametrize(("scheme", "size", "rate"), [("udp", 1316, 3_090_000), ("rtp", 1328, 3_118_176)])
    def test_are_sent_evenly_a_little_above_their_rate(self, scheme: str, size: int, rate: int) -> None:
        """RTP went out in bursts: FFmpeg's own protocol of it cannot pace."""
        output = {"url": f"{scheme}://239.2.1.1:5000", "interface": "eth1", "ttl": 4, "muxrate": "3M"}

        built = command(output)

        assert built.argv[-1] == f"udp://239.2.1.1:5000?pkt_size={size}&ttl=4&localaddr=192.0.2.7&bitrate={rate}"

    def test_over_rtp_send_no_reports_to_the_port_of_the_stream(self) -> None:
        built = command({"url": "rtp://239.2.1.1:5000"})

        assert value_of(built, "-rtp_muxer_options") == "rtpflags=skip_rtcp"

    def test_over_srt_keep_secrets_out_of_the_address(self) -> None:
        built = command({"url": "srt://192.0.2.1:9000?passphrase=a%26b%20secret&streamid=x/y&latency=200"})

        assert value_of(built, "-passphrase") == "a&b secret"
        assert value_of(built, "-srt_streamid") == "x/y"
        assert built.argv[-1] == "srt://192.0.2.1:9000?mode=caller&latency=200000&pkt_size=1316&timeout=5000000"

    def test_that_wait_for_a_caller_are_kept_apart_even_when_alone(self) -> None:
        argv = command({"url": "srt://:9000?mode=listener"}).argv

        assert argv[-2] == "tee"
        assert "use_fifo=1" in argv[-1]
        assert argv[-1].endswith("srt://0.0.0.0:9000?mode=listener&latency=120000&pkt_size=1316&timeout=5000000")


class TestLadders:
    def test_of_a_vod_list_everything_and_delete_nothing(self) -> None:
        built = command({"url": "hls://a", "playlist": "vod"})

        assert value_of(built, "-hls_list_size") == "0"
        assert value_of(built, "-hls_playlist_type") == "event"
        assert "delete_segments" not in value_of(built, "-hls_flags")

    def test_without_deletion_keep_their_segments(self) -> None:
        assert "delete_segments" not in value_of(command({"url": "hls://a", "delete": False}), "-hls_flags")
        assert "delete_segments" in value_of(command({"url": "hls://a"}), "-hls_flags")

    def test_of_dash_put_all_rungs_into_one_set(self) -> None:
        built = command({"url": "dash://a", "window": 5}, renditions=[rung("hi"), rung("lo", audio="48k")])

        assert value_of(built, "-adaptation_sets") == "id=0,streams=0,1 id=1,streams=2,3"
        assert value_of(built, "-window_size") == "5"
        assert built.argv[-1] == "/srv/hls/a/manifest.mpd"
        (tree,) = hls_trees(channel({"url": "dash://a"}, renditions=[rung("hi"), rung("lo")]), HOST)
        assert [path.name for path in tree.playlists] == ["media_0.m3u8", "media_1.m3u8", "media_2.m3u8"]


class TestRecordings:
    def test_of_a_series_are_named_by_their_beginning_in_utc(self) -> None:
        built = command({"url": "file://rec/a.mp4", "split": "1h"})

        assert built.argv[-1] == "file:/srv/media/rec/a-%Y%m%dT%H%M%SZ.mp4"
        assert built.env["TZ"] == "UTC"
        assert value_of(built, "-segment_time") == "3600"
        assert value_of(built, "-segment_format") == "mp4"

    def test_leave_the_time_zone_alone_otherwise(self) -> None:
        assert "TZ" not in command({"url": "file://rec/a.mp4"}).env

    @pytest.mark.parametrize(
        ("name", "owned"),
        [
            ("a-20260101T000000Z.ts", True),
            ("a.ts", False),
            ("a-20260101T000000Z.ts.new", False),
            ("b-20260101T000000Z.ts", False),
            ("a-20260101T000000Z.mkv", False),
        ],
    )
    def test_of_a_series_know_their_own(self, name: str, owned: bool) -> None:
        (recording,) = recordings(channel({"url": "file://rec/a.ts", "split": "1h"}), HOST)

        assert recording.owns(name) == owned

    def test_of_one_file_are_never_opened_again(self) -> None:
        argv = command({"url": "file://a.ts"}, {"url": "file://b.ts", "split": "1h"}).argv
        single, series = argv[-1].split("|")

        assert "use_fifo=1" in single
        assert "attempt_recovery" not in single
        assert "attempt_recovery" in series


MASTER = """#EXTM3U
#EXT-X-VERSION:6
#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="group_a",NAME="audio_2",DEFAULT=YES,LANGUAGE="eng",URI="audio1/index.m3u8"
#EXT-X-STREAM-INF:BANDWIDTH=235400,AVERAGE-BANDWIDTH=1,RESOLUTION=160x90,CODECS="avc1.42c00b,mp4a.40.2",AUDIO="group_a"
hi/index.m3u8

"""


class TestMasterPlaylist:
    def known(self, **changes: Any) -> str:
        variant = {"bandwidth": 400_000, "average": 300_000, "fps": 29.97, **changes}
        return corrected(MASTER, {"hi/index.m3u8": Variant(**variant)}, {"audio1/index.m3u8": Sound("English", 2)})

    def test_gets_what_is_known_and_keeps_the_rest(self) -> None:
        master = m3u8.loads(self.known())

        (variant,) = master.playlists
        info = variant.stream_info
        assert (info.bandwidth, info.average_bandwidth, info.frame_rate) == (400_000, 300_000, 29.97)
        assert (info.resolution, info.codecs, info.audio) == ((160, 90), "avc1.42c00b,mp4a.40.2", "group_a")
        (media,) = master.media
        assert (media.name, media.channels, media.autoselect, media.language) == ("English", "2", "YES", "eng")
        assert master.is_independent_segments

    def test_that_is_true_stays_as_it_is(self) -> None:
        once = self.known()

        assert corrected(once, {"hi/index.m3u8": Variant(400_000, 300_000, 29.97)}, {}) == once

    def test_says_nothing_of_what_is_not_known(self) -> None:
        assert "FRAME-RATE" not in self.known(fps=0)

    def test_of_somebody_else_is_left_alone(self) -> None:
        assert "BANDWIDTH=235400" in corrected(MASTER, {}, {})


def test_segments_of_a_playlist_have_their_lengths() -> None:
    text = "#EXTM3U\n#EXTINF:1.5,\n#EXT-X-PROGRAM-DATE-TIME:2026\na.ts\n#EXTINF:2,\nb.ts\n"

    assert [(segment.uri, segment.duration_s) for segment in segments_of(text)] == [("a.ts", 1.5), ("b.ts", 2.0)]


def test_hls_keeps_each_key_file_where_its_playlists_find_it() -> None:
    built = command({"url": "hls://news/hd", "encryption": "aes-128"})

    assert Path(value_of(built, "-hls_key_info_file")).parent == Path("/srv/hls/news/hd")
    assert "periodic_rekey" in value_of(built, "-hls_flags")


class TestCopiedAac:
    def built(self, *outputs: dict[str, Any], codecs: tuple[str, ...]) -> list[str]:
        ladder = [{**rung("hi"), "audio": {"codec": "copy", "bitrate": "64k"}}, rung("lo")]
        spec = channel(*outputs, source="udp://239.1.1.1:5000", renditions=ladder)
        spec.sources[0].audio = "#1, #2"
        return list(build_command(spec, BINARY, HOST, codecs=codecs).argv)

    def test_loses_its_headers_on_the_way_into_mp4_only(self) -> None:
        outputs = {
            "hls://a": {"format": "fmp4"},
            "file://a.mp4": {"rendition": "hi"},
            "file://b.mp4": {"rendition": "lo"},
            "hls://c": {},
            "dash://d": {},
            "udp://239.2.1.1:5000": {"rendition": "hi"},
        }

        argv = self.built(*({"url": url, **fields} for url, fields in outputs.items()), codecs=("ac3", "aac"))

        # Pictures come first, then the sounds as they are, then both of them encoded.
        places = [re.findall(r"bsfs/(\d)=aac_adtstoasc", slave) for slave in argv[-1].split("|")]
        assert dict(zip(outputs, places, strict=True)) == {
            **{url: [] for url in outputs},
            "hls://a": ["3"],
            "file://a.mp4": ["2"],
        }

    def test_is_filtered_by_a_plain_output_too(self) -> None:
        argv = self.built({"url": "file://a.mp4", "rendition": "hi"}, codecs=("ac3", "aac"))

        assert argv[argv.index("-bsf:a:1") + 1] == "aac_adtstoasc"
        assert "-bsf:a:0" not in argv

    @pytest.mark.parametrize("codecs", [(), ("", ""), ("mp2", "aac_latm")])
    def test_is_left_alone_where_it_is_none(self, codecs: tuple[str, ...]) -> None:
        assert "adtstoasc" not in " ".join(self.built({"url": "hls://a", "format": "fmp4"}, codecs=codecs))
