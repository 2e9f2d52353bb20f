"""What outputs refuse, alone and beside each other."""

from typing import Any

import pytest

from transcoder_tui.errors import Fault, InvalidInput
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.faults import parse


def document(*outputs: dict[str, Any], **fields: Any) -> dict[str, Any]:
    rendition = {"video": {"size": "320x180", "bitrate": "300k"}, "audio": {"bitrate": "64k"}}
    return {
        "name": "News",
        "sources": [{"url": "udp://239.1.1.1:5000", "audio": "eng, fra"}],
        "renditions": [{"name": "hi", **rendition}, {"name": "lo", **rendition}],
        "outputs": list(outputs),
        **fields,
    }


def fault_of(*outputs: dict[str, Any], **fields: Any) -> Fault:
    with pytest.raises(InvalidInput) as refused:
        parse(ChannelSpec, document(*outputs, **fields))
    return refused.value.faults[0]


def udp(number: int = 1, rendition: str = "hi", **fields: Any) -> dict[str, Any]:
    return {"url": f"udp://239.2.1.{number}:5000", "rendition": rendition, **fields}


class TestPids:
    @pytest.mark.parametrize(
        ("fields", "field"),
        [
            ({"video_pid": "0x1000"}, "video_pid"),
            ({"pmt_pid": "0x100"}, "pmt_pid"),
            ({"audio_pid": "0x100"}, "audio_pid"),
            ({"pmt_pid": "0x102"}, "pmt_pid"),
            ({"video_pid": "0x201", "audio_pid": "0x200"}, "video_pid"),
            ({"audio_pid": "0x20"}, "audio_pid"),
            ({"video_pid": "0x1ffb"}, "video_pid"),
            ({"audio_pid": "0x1ffa"}, "audio_pid"),
        ],
    )
    def test_that_collide_or_do_not_exist_are_refused(self, fields: dict[str, Any], field: str) -> None:
        fault = fault_of(udp(**fields))

        assert fault.field == f"outputs[0].{field}"
        assert fault.remedy

    def test_of_subtitles_and_data_are_kept_free(self) -> None:
        sources = [{"url": "udp://239.1.1.1:5000", "audio": "eng, fra", "subtitles": "all"}]

        fault = fault_of(udp(pmt_pid="0x110"), sources=sources)

        assert fault.field == "outputs[0].pmt_pid"
        assert "0x101 to 0x112" in fault.fault

    def test_of_one_picture_apart_from_its_sounds_are_the_same_in_every_output(self) -> None:
        fault = fault_of(udp(1, video_pid=600, audio_pid=700), udp(2, video_pid=601))

        assert fault.field == "outputs[1].video_pid"
        assert "0x258" in fault.fault

    @pytest.mark.parametrize(
        "second",
        [
            {"number": 2, "video_pid": 600, "audio_pid": 800},
            {"number": 2, "rendition": "lo", "video_pid": 900},
        ],
    )
    def test_that_ffmpeg_can_give_are_accepted(self, second: dict[str, Any]) -> None:
        parse(ChannelSpec, document(udp(1, video_pid=600, audio_pid=700), udp(**second)))

    def test_that_follow_each_other_may_differ_between_outputs(self) -> None:
        parse(ChannelSpec, document(udp(1, video_pid=600), udp(2, video_pid=700, audio_pid=701)))


class TestServices:
    @pytest.mark.parametrize("field", ["service_name", "service_provider"])
    def test_have_one_name_in_all_outputs_of_a_channel(self, field: str) -> None:
        fault = fault_of(udp(1, **{field: "One"}), udp(2, **{field: "Two"}))

        assert fault.field == f"outputs[1].{field}"
        assert "'Two' differs from 'One'" in fault.fault

    @pytest.mark.parametrize("field", ["service_name", "service_provider"])
    def test_without_a_name_have_that_of_another_output(self, field: str) -> None:
        """It had to be repeated on every output."""
        parse(ChannelSpec, document(udp(1, **{field: "Other"}), udp(2)))
        parse(ChannelSpec, document(udp(1), udp(2, **{field: "Other"})))

        assert fault_of(udp(1, **{field: "One"}), udp(2), udp(3, **{field: "Two"})).field == f"outputs[2].{field}"


@pytest.mark.parametrize(
    ("output", "field"),
    [
        ({"url": "hls://a", "playlist": "vod", "window": 6}, "window"),
        ({"url": "hls://a", "playlist": "event", "delete": True}, "delete"),
        ({"url": "hls://a", "format": "fmp4", "encryption": "aes-128"}, "encryption"),
        ({"url": "hls://a", "key_rotation": "1h"}, "key_rotation"),
        ({"url": "dash://a", "encryption": "aes-128"}, "encryption"),
        ({"url": "hls://a", "low_latency": True}, "low_latency"),
        ({"url": "file://a.ts", "rendition": "hi", "keep_for": "1d"}, "keep_for"),
        ({"url": "file://a.ts", "rendition": "hi", "keep_size": "1G"}, "keep_size"),
        ({"url": "hls://a", "split": "1h"}, "split"),
        ({"url": "rtmp://192.0.2.1/live/key", "rendition": "hi", "service_id": 3}, "service_id"),
    ],
)
def test_what_an_output_cannot_do_is_refused(output: dict[str, Any], field: str) -> None:
    assert fault_of(output).field == f"outputs[0].{field}"


def test_a_clock_of_local_time_is_refused_beside_files_named_in_utc() -> None:
    output = {"url": "file://a.ts", "rendition": "hi", "split": "1h"}

    assert fault_of(output, overlay={"clock": "local"}).field == "outputs[0].split"
    parse(ChannelSpec, document(output, overlay={"clock": "utc"}))
