import dataclasses
import re
from pathlib import Path
from typing import Any

import pytest
from ffmpeg_samples import BINARY, HOST, channel, command, graphs_of, read_from, rung, value_of

from transcoder_tui.errors import HostFault, InvalidInput, TranscoderError
from transcoder_tui.ffmpeg.command import build_command, mask
from transcoder_tui.ffmpeg.outputs import hls_trees, recordings

KINDS_OF_SOURCE = [
    "udp://239.1.1.1:5000",
    "http://203.0.113.5/live.m3u8",
    "https://203.0.113.5/live.ts",
    "rtmp://203.0.113.5/live/key",
    "rtmps://203.0.113.5/live/key",
    "srt://203.0.113.5:9000",
    "file://clip.ts",
    "test://bars",
]
KINDS_OF_OUTPUT = [
    "udp://239.2.1.1:5000",
    "hls://news",
    "rtmp://203.0.113.5/live/key",
    "rtmps://203.0.113.5/live/key",
    "file://out.ts",
    "file://out.mp4",
    "file://out.mkv",
]


def refusal(*outputs: dict[str, Any], **fields: Any) -> TranscoderError:
    with pytest.raises(TranscoderError) as refused:
        command(*outputs, **fields)
    return refused.value


class TestEveryCommand:
    def test_runs_the_binary_quietly_and_reports_progress_on_the_inherited_descriptor(self) -> None:
        built = build_command(channel(), BINARY, dataclasses.replace(HOST, progress_fd=9))

        assert built.argv[0] == "/usr/bin/ffmpeg"
        assert {"-hide_banner", "-nostats", "-y"} <= set(built.argv)
        assert value_of(built, "-loglevel") == "+level+info"
        assert value_of(built, "-progress") == "pipe:9"
        assert value_of(built, "-stats_period") == "1"

    def test_never_has_nostdin_with_which_ffmpeg_7_ignores_sigterm(self) -> None:
        assert "-nostdin" not in command().argv

    def test_inherits_nothing_but_a_minimal_environment(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("FFREPORT", "file=/tmp/x")
        needy = dataclasses.replace(BINARY, environment={"GCONV_PATH": "/nonexistent"})

        environment = build_command(channel(), needy, HOST).env

        assert environment["GCONV_PATH"] == "/nonexistent"
        assert environment["AV_LOG_FORCE_NOCOLOR"] == "1"
        assert set(environment) == {"PATH", "LC_ALL", "AV_LOG_FORCE_NOCOLOR", "GCONV_PATH"}

    def test_is_the_same_each_time(self) -> None:
        assert command({"url": "hls://news"}) == command({"url": "hls://news"})

    @pytest.mark.parametrize("source", KINDS_OF_SOURCE)
    def test_confines_each_input_to_its_protocols_and_limits_its_threads(self, source: str) -> None:
        argv = command(source=source).argv
        first_input = argv.index("-i")

        assert argv[:first_input].count("-protocol_whitelist") == 1
        assert argv[argv.index("-threads") + 1] == "2"
        inputs = argv[: argv.index("-filter_complex")]
        assert inputs.count("-protocol_whitelist") == inputs.count("-i")

    @pytest.mark.parametrize("url", KINDS_OF_OUTPUT)
    def test_confines_a_single_output_to_its_protocols(self, url: str) -> None:
        argv = command({"url": url}).argv

        allowed = argv[argv.index("-protocol_whitelist", argv.index("-filter_complex")) + 1].split(",")

        assert url.partition(":")[0].replace("hls", "file") in allowed
        assert "http" not in allowed

    @pytest.mark.parametrize("url", KINDS_OF_OUTPUT)
    def test_ends_in_an_address_that_cannot_be_taken_for_an_option_or_another_protocol(self, url: str) -> None:
        assert re.match(r"(udp|rtmps?)://|file:/|/", command({"url": url}).argv[-1])

    def test_reads_the_source_that_is_asked_for(self) -> None:
        spec = channel(source="udp://239.1.1.1:5000")
        spec.sources.append(spec.sources[0].model_copy(update={"url": "srt://203.0.113.5:9000"}))

        assert read_from(build_command(spec, BINARY, HOST, source=1))[0].startswith("srt://203.0.113.5:9000?")

    def test_is_refused_where_this_ffmpeg_lacks_the_encoder(self) -> None:
        with pytest.raises(HostFault) as refused:
            build_command(channel(), dataclasses.replace(BINARY, encoders=frozenset({"aac"})), HOST)

        assert refused.value.faults[0].field == "renditions[0].video.codec"
        assert "libx264" in refused.value.faults[0].fault


class TestSources:
    def test_joins_a_multicast_group_on_the_named_interface_and_notices_silence(self) -> None:
        url = read_from(command(source="udp://239.1.1.1:5000", interface="eth1"))[0]

        assert url.startswith("udp://239.1.1.1:5000?")
        assert "localaddr=192.0.2.7" in url
        assert "timeout=5000000" in url
        assert "overrun_nonfatal=1" in url

    def test_takes_an_interface_by_its_address_too(self) -> None:
        assert "localaddr=192.0.2.7" in read_from(command(source="udp://239.1.1.1:5000", interface="192.0.2.7"))[0]

    def test_leaves_the_choice_to_the_routing_table_where_no_interface_is_named(self) -> None:
        assert "localaddr" not in read_from(command(source="udp://239.1.1.1:5000"))[0]

    def test_receives_unicast_on_the_address_that_the_url_names_only(self) -> None:
        assert "localaddr=127.0.0.1" in read_from(command(source="udp://127.0.0.1:5000"))[0]
        assert "localaddr=192.0.2.7" in read_from(command(source="udp://192.0.2.7:5000"))[0]
        assert "localaddr" not in read_from(command(source="udp://198.51.100.9:5000"))[0]

    def test_refuses_an_interface_that_this_host_lacks_and_lists_what_there_is(self) -> None:
        fault = refusal(source="udp://239.1.1.1:5000", interface="eth9").faults[0]

        assert fault.field == "sources[0].interface"
        assert fault.fault == "no interface eth9 on this host"
        assert "lo (127.0.0.1), eth1 (192.0.2.7)" in fault.remedy

    def test_takes_http_for_a_transport_stream_unless_it_is_a_playlist(self) -> None:
        stream, playlist = command(source="http://h.example/x.ts"), command(source="http://h.example/x.m3u8?t=1")

        assert "-reconnect" in stream.argv
        assert "-reconnect" not in playlist.argv
        assert playlist.argv[playlist.argv.index("-f") + 1] == "hls"

    @pytest.mark.parametrize("source", ["https://h.example/x.ts", "https://h.example/x.m3u8", "rtmps://h.example/a/k"])
    def test_verifies_certificates_in_every_version(self, source: str) -> None:
        assert value_of(command(source=source), "-tls_verify") == "1"

    def test_hands_srt_secrets_over_as_options_and_the_latency_in_microseconds(self) -> None:
        built = command(source="srt://203.0.113.5:9000?latency=200&passphrase=a%26b%20secret&streamid=live/a%20b")

        assert "latency=200000" in read_from(built)[0]
        assert "secret" not in read_from(built)[0]
        assert value_of(built, "-passphrase") == "a&b secret"
        assert value_of(built, "-srt_streamid") == "live/a b"

    def test_leaves_it_to_the_watchdog_how_long_it_waits_for_an_srt_caller(self) -> None:
        url = read_from(command(source="srt://:9000?mode=listener"))[0]

        assert url.startswith("srt://0.0.0.0:9000?mode=listener")
        assert "listen_timeout" not in url

    def test_loops_a_file_in_real_time(self) -> None:
        built = command(source="file://clips/a.ts")

        assert read_from(built) == ["file:/srv/media/clips/a.ts"]
        assert value_of(built, "-stream_loop") == "-1"
        assert "-re" in built.argv

    def test_reads_absolute_files_below_any_media_root(self) -> None:
        assert read_from(command(source="file:///srv/more/a.ts")) == ["file:/srv/more/a.ts"]

    @pytest.mark.parametrize("url", ["file:///etc/passwd", "file:///srv/media2/a.ts", "file:///srv/./a.ts"])
    def test_refuses_files_outside_the_media_roots(self, url: str) -> None:
        refused = refusal(source=url)

        assert isinstance(refused, InvalidInput)
        assert refused.faults[0].field == "sources[0].url"
        assert "/srv/media, /srv/more" in refused.faults[0].remedy

    def test_makes_a_moving_picture_and_a_tone(self) -> None:
        built = command(source="test://bars?size=640x360&fps=29.97&tone=440")

        assert read_from(built) == ["testsrc2=size=640x360:rate=30000/1001", "sine=frequency=440:sample_rate=48000"]
        assert "[1:a:0]" in graphs_of(built)
        assert read_from(command())[0] == "testsrc2=size=1280x720:rate=25"


class TestEncoders:
    def test_holds_bitrate_and_gop_of_each_rung_by_its_stream_number(self) -> None:
        built = command(
            {"url": "hls://news"},
            renditions=[rung("hi", bitrate="800k", gop="2s", fps=50), rung("lo", bitrate="200k", gop="2s", fps=25)],
        )

        assert [value_of(built, f"-{option}:v:0") for option in ("b", "maxrate", "bufsize", "g")] == [
            "800000",
            "800000",
            "800000",
            "100",
        ]
        assert value_of(built, "-g:v:1") == "50"
        assert value_of(built, "-keyint_min:v:1") == "50"
        assert value_of(built, "-sc_threshold:v:1") == "0"
        assert "+cgop" in value_of(built, "-flags:v:1")

    def test_encodes_each_distinct_sound_once(self) -> None:
        built = command(
            {"url": "hls://news"},
            renditions=[rung("hi", audio="128k"), rung("mid", audio="128k"), rung("lo", audio="48k")],
        )

        assert value_of(built, "-b:a:0") == "128000"
        assert value_of(built, "-b:a:1") == "48000"
        assert "-b:a:2" not in built.argv

    def test_does_not_encode_what_no_output_carries(self) -> None:
        built = command(
            {"url": "udp://239.2.1.1:5000", "rendition": "lo"}, renditions=[rung("hi"), rung("lo", "160x90")]
        )

        assert "pad=160:90" in graphs_of(built)
        assert "pad=320:180" not in graphs_of(built)
        assert "-b:v:1" not in built.argv

    def test_makes_no_sound_for_a_channel_without(self) -> None:
        built = command(renditions=[rung("only", audio=None)])

        assert "-c:a:0" not in built.argv
        assert "asplit" not in graphs_of(built)


class TestOneOutput:
    def test_writes_a_constant_rate_transport_stream_paced_a_little_above_its_rate(self) -> None:
        built = command({"url": "udp://239.2.1.1:5000", "interface": "eth1", "ttl": 4, "muxrate": "2M"})

        assert value_of(built, "-muxrate") == "2000000"
        assert value_of(built, "-flush_packets") == "0"
        assert value_of(built, "-pat_period") == "0.1"
        assert built.argv[-1] == "udp://239.2.1.1:5000?pkt_size=1316&ttl=4&localaddr=192.0.2.7&bitrate=2060000"

    def test_falls_back_to_the_least_muxrate_and_a_ttl_of_sixteen(self) -> None:
        spec = channel({"url": "udp://239.2.1.1:5000"})

        built = build_command(spec, BINARY, HOST)

        assert value_of(built, "-muxrate") == str(spec.muxrate(spec.outputs[0]))
        assert "ttl=16" in built.argv[-1]

    def test_names_service_and_provider(self) -> None:
        argv = command(name="Nachrichten: 'HD' [1]").argv

        assert "service_name=Nachrichten: 'HD' [1]" in argv
        assert "service_provider=transcoder-tui" in argv

    def test_refuses_an_interface_that_this_host_lacks(self) -> None:
        fault = refusal({"url": "udp://239.2.1.1:5000", "interface": "eth9"}).faults[0]

        assert (fault.field, fault.fault) == ("outputs[0].interface", "no interface eth9 on this host")

    def test_gives_even_a_single_rendition_a_master_playlist_and_sound_in_its_segments(self) -> None:
        built = command({"url": "hls://news/hd", "segment": "4s", "window": 8}, renditions=[rung("720p")])

        assert value_of(built, "-var_stream_map") == "v:0,a:0,name:720p"
        assert value_of(built, "-master_pl_name") == "master.m3u8"
        assert value_of(built, "-hls_segment_filename") == "/srv/hls/news/hd/%v/s_%08d.ts"
        assert value_of(built, "-hls_time") == "4"
        assert value_of(built, "-hls_list_size") == "8"
        assert built.argv[-1] == "/srv/hls/news/hd/%v/index.m3u8"

    @pytest.mark.parametrize(
        ("fps", "gop", "segment", "written"),
        [
            (25, "2s", "4s", "4"),
            (29.97, "2s", "4s", "4.004"),
            (59.94, "1s", "6s", "6.006"),
            (23.976, "2s", None, "4.004"),
            (12.5, "2s", "4s", "4"),
            (25, "1920ms", "3840ms", "3.84"),
            (23.976, "1s", "3s", "3.003"),
            (59.94, "500ms", "1500ms", "1.5015"),
        ],
    )
    def test_cuts_segments_as_long_as_their_gops_really_are(
        self, fps: float, gop: str, segment: str | None, written: str
    ) -> None:
        built = command({"url": "hls://a", "segment": segment}, renditions=[rung("only", fps=fps, gop=gop)])

        assert value_of(built, "-hls_time") == written

    def test_refuses_an_hls_root_that_ffmpeg_would_take_for_a_pattern(self) -> None:
        with pytest.raises(HostFault, match="%"):
            build_command(channel({"url": "hls://a"}), BINARY, dataclasses.replace(HOST, hls_root=Path("/srv/%d")))

    def test_lets_a_frozen_rtmp_server_end_ffmpeg_so_that_it_is_seen(self) -> None:
        built = command({"url": "rtmp://203.0.113.5/live/key"})

        assert value_of(built, "-rw_timeout") == "5000000"
        assert built.argv[-3:] == ("-f", "flv", "rtmp://203.0.113.5/live/key")

    @pytest.mark.parametrize(("ending", "muxer"), [(".ts", "mpegts"), (".mp4", "mp4"), (".mkv", "matroska")])
    def test_records_into_the_container_of_the_ending_without_holding_back(self, ending: str, muxer: str) -> None:
        built = command({"url": f"file://rec/a{ending}"})

        assert built.argv[-3:] == ("-f", muxer, f"file:/srv/media/rec/a{ending}")
        assert value_of(built, "-flush_packets") == "1"

    def test_refuses_to_write_outside_the_media_roots(self) -> None:
        assert refusal({"url": "file:///etc/cron.d/a.ts"}).faults[0].field == "outputs[0].url"


class TestSeveralOutputs:
    def slaves(self, *outputs: dict[str, Any], **fields: Any) -> list[str]:
        argv = command(*outputs, **fields).argv
        assert argv[-3:-1] == ("-f", "tee")
        return argv[-1].split("|")

    def test_share_one_tee_in_which_all_but_datagrams_may_fail_alone(self) -> None:
        hls, udp, rtmp = self.slaves(
            {"url": "udp://239.2.1.1:5000"}, {"url": "hls://news"}, {"url": "rtmp://203.0.113.5/live/key"}
        )

        assert "onfail=abort" in udp
        assert "use_fifo" not in udp
        for slave in (hls, rtmp):
            assert "onfail=ignore" in slave
            assert "use_fifo=1" in slave
            assert "attempt_recovery=1" in slave

    def test_write_files_first_because_they_are_closed_in_that_order(self) -> None:
        slaves = self.slaves(
            *({"url": url} for url in ("udp://239.2.1.1:5000", "hls://a", "srt://203.0.113.5:7000")),
            *({"url": url} for url in ("dash://b", "rtmp://203.0.113.5/live/key", "file://c.ts")),
        )

        addresses = [slave.rpartition("]")[2] for slave in slaves]
        assert [re.split("[:?]", address)[0] for address in addresses] == [
            *("/srv/hls/a/%v/index.m3u8", "/srv/hls/b/manifest.mpd", "file", "udp", "srt", "rtmp"),
        ]

    def test_select_what_they_carry_and_number_hls_variants_within_it(self) -> None:
        hls, udp = self.slaves(
            {"url": "udp://239.2.1.1:5000", "rendition": "hi"},
            {"url": "hls://news", "rendition": "lo"},
            renditions=[rung("hi", audio="128k"), rung("lo", audio="48k")],
        )

        assert r"select=v\\:0,a\\:0" in udp
        assert r"select=v\\:1,a\\:1" in hls
        assert r"var_stream_map=v\\:0,a\\:0,name\\:lo" in hls

    def test_repeat_parameter_sets_in_the_stream_where_another_output_wants_them_apart(self) -> None:
        udp, rtmp = self.slaves({"url": "udp://239.2.1.1:5000"}, {"url": "rtmp://203.0.113.5/live/key"})
        _, beside_hls = self.slaves({"url": "udp://239.2.1.1:5000"}, {"url": "hls://news"})
        alone, _ = self.slaves({"url": "udp://239.2.1.1:5000"}, {"url": "udp://239.2.1.2:5000"})

        assert "bsfs/v=dump_extra" in udp
        assert "bsfs/v=dump_extra" in beside_hls
        assert "bsfs" not in rtmp
        assert "bsfs" not in alone

    def test_confine_each_slave_to_its_protocols(self) -> None:
        for slave in self.slaves({"url": "udp://239.2.1.1:5000"}, {"url": "file://a.mkv"}):
            assert "protocol_whitelist=" in slave


class TestLadders:
    def variants(self, *renditions: dict[str, Any]) -> str:
        return value_of(command({"url": "hls://news"}, renditions=list(renditions)), "-var_stream_map")

    def test_with_one_sound_refer_to_its_playlist(self) -> None:
        assert self.variants(rung("hi"), rung("lo")) == (
            "v:0,agroup:audio1,name:hi v:1,agroup:audio1,name:lo a:0,agroup:audio1,default:yes,name:audio1"
        )

    def test_with_a_sound_for_each_rung_hold_it_in_their_segments(self) -> None:
        assert self.variants(rung("hi", audio="128k"), rung("lo", audio="48k")) == "v:0,a:0,name:hi v:1,a:1,name:lo"

    def test_with_some_sounds_shared_give_every_sound_a_playlist(self) -> None:
        variants = self.variants(rung("a", audio="128k"), rung("b", audio="128k"), rung("c", audio="48k")).split()

        assert variants[2] == "v:2,agroup:audio2,name:c"
        assert variants[4] == "a:1,agroup:audio2,default:yes,name:audio2"

    def test_with_a_silent_rung_leave_it_silent(self) -> None:
        assert self.variants(rung("hi"), rung("lo", audio=None)) == "v:0,a:0,name:hi v:1,name:lo"

    def test_do_not_give_a_sound_the_name_of_a_rung(self) -> None:
        assert self.variants(rung("audio1"), rung("lo")).endswith("a:0,agroup:audio2,default:yes,name:audio2")


class TestWhatTheWorkerPrepares:
    def test_hls_trees_hold_a_playlist_for_each_rung_and_shared_sound(self) -> None:
        spec = channel(
            {"url": "hls://news/hd"},
            {"url": "udp://239.2.1.1:5000", "rendition": "hi"},
            renditions=[rung("hi"), rung("lo")],
        )

        (tree,) = hls_trees(spec, HOST)

        assert tree.directory == Path("/srv/hls/news/hd")
        assert tree.master == tree.directory / "master.m3u8"
        assert [str(path.relative_to(tree.directory)) for path in tree.playlists] == [
            "hi/index.m3u8",
            "lo/index.m3u8",
            "audio1/index.m3u8",
        ]

    def test_recordings_are_the_files_that_are_written(self) -> None:
        (recording,) = recordings(channel({"url": "file://rec/a.ts"}, {"url": "hls://x"}), HOST)

        assert recording.path == Path("/srv/media/rec/a.ts")


class TestSecrets:
    def test_are_masked_in_argv_and_shell_line_but_not_in_what_runs(self) -> None:
        built = command(
            {"url": "rtmp://203.0.113.5/live/k3y-of-the-day"},
            {"url": "hls://news"},
            source="srt://203.0.113.5:9000?passphrase=a%26b%20secret",
        )

        assert "k3y-of-the-day" in built.argv[-1]
        assert "a&b secret" in built.argv
        shown = built.shell()
        assert "k3y-of-the-day" not in shown
        assert "a&b secret" not in shown
        assert "rtmp://203.0.113.5/live/***" in shown
        assert len(built.masked()) == len(built.argv)

    def test_shell_line_can_be_pasted(self) -> None:
        assert "'[v0]'" in command().shell()

    @pytest.mark.parametrize(
        ("text", "secrets", "shown"),
        [
            ("to rtmp://h/live/abcdefghij: refused", ("abcdefghij",), "to rtmp://h/live/***: refused"),
            ("key=abcdefghijkl", ("abcdefgh", "abcdefghijkl"), "key=***"),
            ("keyframe of rtmp://h/live/key", ("key",), "keyframe of rtmp://h/live/***"),
            ("nothing", ("", "absent"), "nothing"),
            ("a.b+c(d)", ("b+c(d)",), "a.***"),
            (r"passphrase=a\\\ b\\:c|d:use_fifo=1", ("a b:c|d",), "passphrase=***:use_fifo=1"),
        ],
    )
    def test_mask_replaces_the_longest_first_and_short_ones_as_words_only(
        self, text: str, secrets: tuple[str, ...], shown: str
    ) -> None:
        assert mask(text, secrets) == shown
