from dataclasses import replace
from typing import Any

import pytest
from ffmpeg_samples import BINARY, HOST, channel, rung

from transcoder_tui.errors import HostFault
from transcoder_tui.ffmpeg.command import build_command
from transcoder_tui.ffmpeg.encoders import choose_encoders, interleave_delta
from transcoder_tui.ffmpeg.hardware import HARDWARE_ENCODERS, Trial, build_test, why_not
from transcoder_tui.ffmpeg.video_encoders import SOFTWARE_ENCODERS
from transcoder_tui.models.rendition import HARDWARE, Audio, Video

ALL = frozenset(
    [encoder.name for encoder in SOFTWARE_ENCODERS.values()]
    + [encoder.name for there in HARDWARE_ENCODERS.values() for encoder in there.values()]
    + ["aac", "mp2", "ac3", "eac3", "libopus"]
)
EVERYTHING = replace(BINARY, encoders=ALL)
WORKS = {name: Trial("/dev/dri/renderD128" if name.endswith("vaapi") else "") for name in ALL if "_" in name}


def video(**fields: Any) -> Video:
    return Video.model_validate({"size": "320x180", "bitrate": "300k", **fields})


def options(**fields: Any) -> dict[str, str]:
    """What the chosen encoder is told."""
    wanted = video(**fields)
    choice = choose_encoders([wanted], ALL, WORKS)[0]
    assert choice is not None
    return choice.encoder.options(wanted)


def parameters(text: str) -> dict[str, str]:
    return dict(part.split("=") for part in text.split(":"))


class TestSoftware:
    def test_a_plain_rendition_is_capped_with_closed_gops(self) -> None:
        assert options(encoder="x264") == {
            "preset": "veryfast",
            "profile": "high",
            "threads": "2",
            "b": "300000",
            "maxrate": "300000",
            "bufsize": "300000",
            "g": "50",
            "keyint_min": "50",
            "sc_threshold": "0",
            "flags": "+cgop",
        }

    @pytest.mark.parametrize("codec", ["h264", "hevc", "mpeg2"])
    def test_the_buffer_is_time_at_the_ceiling(self, codec: str) -> None:
        told = options(codec=codec, encoder="software", maxrate="400k", vbv="500ms")

        assert (told["b"], told["maxrate"], told["bufsize"]) == ("300000", "400000", "200000")

    @pytest.mark.parametrize("codec", ["h264", "hevc", "mpeg2", "av1"])
    def test_vbr_has_no_ceiling(self, codec: str) -> None:
        told = options(codec=codec, encoder="software", rate="vbr")

        assert told["b"] == "300000"
        assert not {"maxrate", "bufsize"} & set(told)
        assert "rc=2" not in told.get("svtav1-params", "")

    @pytest.mark.parametrize(
        ("codec", "option", "value"),
        [
            ("h264", "x264-params", "nal-hrd=cbr:force-cfr=1"),
            ("mpeg2", "minrate", "300000"),
        ],
    )
    def test_cbr_is_filled_up(self, codec: str, option: str, value: str) -> None:
        assert options(codec=codec, rate="cbr")[option] == value

    def test_further_options_reach_the_encoder_and_change_nothing_that_is_fixed(self) -> None:
        told = parameters(options(codec="hevc", options="ref=4 deblock=-1:-1", bframes=3)["x265-params"])

        assert (told["ref"], told["deblock"], told["bframes"]) == ("4", "-1,-1", "3")
        assert (told["keyint"], told["min-keyint"], told["scenecut"], told["open-gop"]) == ("50", "50", "0", "0")

    @pytest.mark.parametrize("codec", ["h264", "hevc", "mpeg2", "av1"])
    def test_threads_do_not_grow_with_the_machine(self, codec: str) -> None:
        small, large = (options(codec=codec, encoder="software", size=size) for size in ("640x360", "1920x1080"))
        names = {"h264": "threads", "hevc": "pools", "mpeg2": "threads", "av1": "lp"}

        def count(told: dict[str, str]) -> str:
            params = told.get("x265-params") or told.get("svtav1-params")
            return (parameters(params) if params else told)[names[codec]]

        assert (count(small), count(large)) == ("2", "4")

    def test_mpeg2_keeps_to_the_buffer_of_its_level(self) -> None:
        assert options(codec="mpeg2", size="720x576", bitrate="8M")["bufsize"] == "1835008"
        assert options(codec="mpeg2", size="1920x1080", bitrate="20M")["bufsize"] == "9781248"

    @pytest.mark.parametrize(
        ("part", "field"),
        [({"video": {"codec": "hevc", "bitrate": "1M"}}, "video"), ({"audio": {"codec": "he-aac"}}, "audio")],
    )
    def test_an_encoder_that_this_ffmpeg_lacks_is_refused_by_name(self, part: Any, field: str) -> None:
        with pytest.raises(HostFault) as refused:
            build_command(channel(renditions=[{**rung("only"), **part}]), BINARY, HOST)

        assert refused.value.faults[0].field == f"renditions[0].{field}.codec"


class TestHardware:
    @pytest.mark.parametrize("codec", ["h264", "hevc", "av1"])
    @pytest.mark.parametrize("hardware", HARDWARE)
    def test_that_works_is_used(self, codec: str, hardware: str) -> None:
        argv = build_command(
            channel(
                {"url": "file://out.mp4"},
                renditions=[rung("only", codec=codec, encoder=hardware, maxrate="400k", gop="1s")],
            ),
            EVERYTHING,
            replace(HOST, tested=WORKS),
        ).argv
        told = {argv[at].removesuffix(":v:0"): argv[at + 1] for at, word in enumerate(argv) if word.endswith(":v:0")}

        assert told["-c"] == f"{codec}_{hardware}"
        assert (told["-b"], told["-maxrate"], told["-bufsize"]) == ("300000", "400000", "400000")
        assert (told["-g"], told["-flags"]) == ("25", "+cgop")

    def test_nvenc_takes_pictures_from_memory_and_makes_no_keyframe_at_a_cut(self) -> None:
        argv = build_command(
            channel(renditions=[rung("only", encoder="nvenc")]), EVERYTHING, replace(HOST, tested=WORKS)
        ).argv

        assert "-init_hw_device" not in argv
        assert "hwupload" not in " ".join(argv)
        assert ("-preset:v:0 p3 -profile:v:0 high -rc:v:0 vbr -no-scenecut:v:0 1 -forced-idr:v:0 1") in " ".join(argv)

    @pytest.mark.parametrize(
        ("hardware", "device", "upload"),
        [
            ("qsv", "qsv=hw", "format=nv12,setsar=1,hwupload=extra_hw_frames=16[v0]"),
            ("vaapi", "vaapi=hw:/dev/dri/renderD128", "format=nv12,setsar=1,hwupload[v0]"),
        ],
    )
    def test_qsv_and_vaapi_get_pictures_uploaded(self, hardware: str, device: str, upload: str) -> None:
        spec = channel(renditions=[rung("only", encoder=hardware)])
        argv = build_command(spec, EVERYTHING, replace(HOST, tested=WORKS)).argv

        assert argv[argv.index("-init_hw_device") + 1] == device
        assert argv[argv.index("-filter_hw_device") + 1] == "hw"
        assert any(word.endswith(upload) for word in argv)

    def test_ten_bits_are_uploaded_as_such(self) -> None:
        spec = channel(renditions=[rung("only", codec="hevc", encoder="vaapi", bit_depth=10)])
        text = " ".join(build_command(spec, EVERYTHING, replace(HOST, tested=WORKS)).argv)

        assert "format=p010le" in text
        assert "-profile:v:0 main10" in text

    def test_auto_takes_the_first_that_works(self) -> None:
        tested = {**WORKS, "h264_nvenc": Trial(fault="Cannot load libcuda.so.1")}
        (chosen,) = choose_encoders([video()], ALL, tested)

        assert chosen is not None
        assert (chosen.encoder.name, chosen.reason) == ("h264_qsv", "")

    def test_auto_on_a_host_without_hardware_is_software_without_a_word(self) -> None:
        (chosen,) = choose_encoders([video()], ALL, {})

        assert chosen is not None
        assert (chosen.encoder.name, chosen.reason) == ("libx264", "")

    @pytest.mark.parametrize("wanted", [{"options": "ref=4"}, {"rate": "cbr"}, {"encoder": "software"}])
    def test_auto_is_software_where_only_that_does_what_is_asked_for(self, wanted: dict[str, Any]) -> None:
        (chosen,) = choose_encoders([video(**wanted)], ALL, WORKS)

        assert chosen is not None
        assert chosen.encoder.name == "libx264"

    @pytest.mark.parametrize(
        ("wanted", "tested", "reason"),
        [
            ({}, {"h264_nvenc": Trial(fault="Cannot load libcuda.so.1")}, "nvenc: Cannot load libcuda.so.1"),
            ({}, {}, "nvenc: its test has not ended yet"),
            ({"size": "160x90"}, WORKS, "nvenc: the picture is smaller than 160 pixels"),
            ({"bit_depth": 10}, WORKS, "nvenc: it has 8 bits only"),
        ],
    )
    def test_that_is_named_and_does_not_work_is_replaced_with_the_reason(
        self, wanted: dict[str, Any], tested: dict[str, Trial], reason: str
    ) -> None:
        (chosen,) = choose_encoders([video(encoder="nvenc", **wanted)], ALL, tested)

        assert chosen is not None
        assert (chosen.encoder.name, chosen.reason) == ("libx264", reason)

    def test_one_channel_uses_one_device_for_its_filters(self) -> None:
        first, second = choose_encoders([video(encoder="qsv"), video(encoder="vaapi")], ALL, WORKS)

        assert first is not None
        assert second is not None
        assert second.encoder.name == "libx264"
        assert "another rendition uses qsv" in second.reason

    def test_a_test_is_one_frame_through_what_a_channel_would_use(self) -> None:
        test = build_test(HARDWARE_ENCODERS["h264"]["vaapi"], "h264", "/dev/dri/renderD128")

        assert "vaapi=hw:/dev/dri/renderD128" in test
        assert test[test.index("-frames:v") + 1] == "1"
        assert test[test.index("-vf") + 1] == "format=nv12,hwupload"
        assert test[-3:] == ("-f", "null", "-")

    @pytest.mark.parametrize(
        ("log", "reason"),
        [
            (
                "[h264_nvenc @ 0x5] [error] Cannot load libcuda.so.1\n[error] Error initializing output stream",
                "Cannot load libcuda.so.1",
            ),
            ("[error] Device creation failed: -542398533.\n[fatal] Error parsing", "Device creation failed"),
            (
                "[VAAPI @ 0x56] [error] No VA display found for device /dev/dri/renderD128.\n",
                "No VA display found for device /dev/dri/renderD128",
            ),
            ("", "a test of it ended with 8"),
        ],
    )
    def test_why_a_test_failed_is_its_first_error(self, log: str, reason: str) -> None:
        assert why_not(log, 8) == reason


class TestTheWaitOfAMuxer:
    def delta(self, *audios: dict[str, Any], **fields: Any) -> int:
        wanted = video(encoder="software", **fields)
        encoder = SOFTWARE_ENCODERS[wanted.codec]
        return interleave_delta([(wanted, encoder)], [Audio.model_validate(audio) for audio in audios])

    @pytest.mark.parametrize(
        ("faster", "slower"), [("ultrafast", "veryfast"), ("veryfast", "medium"), ("medium", "veryslow")]
    )
    @pytest.mark.parametrize("codec", ["h264", "hevc"])
    def test_is_longer_for_a_preset_that_holds_back_more(self, codec: str, faster: str, slower: str) -> None:
        assert self.delta(codec=codec, preset=faster) < self.delta(codec=codec, preset=slower) < 10_000_000
        assert self.delta(codec=codec, preset=slower, fps=50) < self.delta(codec=codec, preset=slower)

    def test_covers_a_longer_lookahead_loudness_and_sound_that_comes_early(self) -> None:
        plain = self.delta()

        assert self.delta(options="rc-lookahead=100") == plain + 90 * 40_000
        assert self.delta({"loudness": -23}) >= 4_000_000
        assert self.delta({"delay": "-3s"}) >= 4_000_000
