"""A channel's document: what is accepted, what is refused, and in which words."""

import copy
from fractions import Fraction
from typing import Any

import pytest
import yaml

from transcoder_tui.errors import InvalidInput, TranscoderError, error_from
from transcoder_tui.models.channel import ChannelFields, ChannelSpec
from transcoder_tui.models.faults import parse
from transcoder_tui.models.field import describe
from transcoder_tui.models.lineup import LineUp
from transcoder_tui.models.output import Output
from transcoder_tui.models.units import (
    cpus_of,
    format_bitrate,
    format_bytes,
    format_seconds,
    frame_rate,
    parse_bitrate,
    parse_bytes,
    parse_fps,
)

CONTRACT = """
version: 1
channels:
  - name: News HD
    group: News
    priority: 50
    autostart: true
    sources:
      - url: udp://239.1.1.1:5000
        interface: eth1
    renditions:
      - name: 1080p
        video: {codec: h264, size: 1920x1080, fps: 25, bitrate: 5000k, preset: veryfast, gop: 2s}
        audio: {codec: aac, bitrate: 128k, sample_rate: 48000, channels: 2}
    outputs:
      - {url: "udp://239.2.1.1:5000", interface: eth2, rendition: 1080p, ttl: 16, muxrate: 6500k}
      - {url: "hls://news-hd", segment: 4s, window: 6}
      - {url: "rtmp://203.0.113.5/live/key", rendition: 1080p}
"""


@pytest.fixture
def lineup() -> dict[str, Any]:
    document: dict[str, Any] = yaml.safe_load(CONTRACT)
    return document


def faults(document: dict[str, Any]) -> list[str]:
    with pytest.raises(InvalidInput) as refusal:
        parse(LineUp, document)
    return [str(fault) for fault in refusal.value.faults]


def test_an_aspect_may_be_written_without_quotes(lineup: dict[str, Any]) -> None:
    """YAML 1.1 reads 16:9 as 969."""
    lineup["channels"][0]["renditions"][0]["video"] |= yaml.safe_load("{size: 720x576, aspect: 16:9}")

    video = parse(LineUp, lineup).channels[0].renditions[0].video

    assert (video.aspect, video.pixel_aspect) == ("16:9", Fraction(64, 45))


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"size": None}, "aspect: needs a size; write the size, such as 720x576, or remove the aspect"),
        ({"aspect": "14:9"}, "aspect: '14:9' is not one of"),
        ({"codec": "av1", "preset": "veryfast"}, "aspect: does not apply to av1; remove it"),
    ],
)
def test_an_aspect_is_one_of_a_size_and_of_a_codec_that_has_it(
    lineup: dict[str, Any], changes: dict[str, Any], fault: str
) -> None:
    lineup["channels"][0]["renditions"][0]["video"] |= {"aspect": "16:9"} | changes

    assert faults(lineup)[0].startswith(f"channels[0].renditions[0].video.{fault}")


def test_the_contract_survives_being_read_and_written(lineup: dict[str, Any]) -> None:
    written = parse(LineUp, lineup).document()

    assert written == lineup
    assert parse(LineUp, yaml.safe_load(yaml.safe_dump(written))) == parse(LineUp, lineup)


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        (("name",), "", "channels[0].name: has the wrong length; write 1 to 64 characters"),
        (("name",), "17", "channels[0].name: '17' could be taken for a channel's id; add a letter"),
        (("name",), "a\x1b[2J", "channels[0].name: 'a\\x1b[2J' contains control characters; write printable"),
        (("priority",), 101, "channels[0].priority: 101 is out of range; allowed are 0 to 100"),
        (("priority",), "high", "channels[0].priority: 'high' is not a whole number; write digits only"),
        (("autostart",), "perhaps", "channels[0].autostart: 'perhaps' is neither true nor false"),
        (("nice",), 20, "channels[0].nice: 20 is out of range; allowed are -20 to 19"),
        (("nice",), True, "channels[0].nice: True is not a whole number; write digits only"),
        (("cpus",), "3-1", "channels[0].cpus: '3-1' is not a list of CPUs; write numbers and ranges from 0 on"),
        (("cpus",), "all", "channels[0].cpus: 'all' is not a list of CPUs"),
        (("cpus",), "-1", "channels[0].cpus: '-1' is not a list of CPUs"),
        (("cpus",), [0, 1], "channels[0].cpus: [0, 1] is not a text; write a text, in quotes"),
        (("memory",), "much", "channels[0].memory: 'much' is not an amount of memory; write a number with M or G"),
        (("memory",), "2M", "channels[0].memory: 2M is out of range; allowed are 64M to 16T"),
        (("memory",), 2.5, "channels[0].memory: 2.5 is not an amount of memory"),
        (("sources",), [], "channels[0].sources: is empty; give at least 1"),
        (("sources",), None, "channels[0].sources: is empty; write a list, each entry behind a dash"),
        (("renditions", 0), None, "channels[0].renditions[0]: is empty; write its fields below it"),
        (("name",), None, "channels[0].name: is empty; write a text"),
        (("sources",), {"url": "x"}, "channels[0].sources: {'url': 'x'} is not a list"),
        (("sources", 0, "url"), "239.1.1.1:5000", "channels[0].sources[0].url: '239.1.1.1:5000' is no address"),
        (("sources", 0, "url"), "udp://239.1.1.1", "channels[0].sources[0].url: 'udp://239.1.1.1' has no port"),
        (("sources", 0, "url"), "udp://239.1.1.300:1", "channels[0].sources[0].url: '239.1.1.300' is no IP address"),
        (("sources", 0, "url"), "udp://239.1.1.1:5000?fifo_size=1", "channels[0].sources[0].url: 'fifo_size' is no"),
        (("sources", 0, "url"), "concat:/etc/passwd", "channels[0].sources[0].url: 'concat:/etc/passwd' is no address"),
        (("sources", 0, "url"), "file:///../etc/passwd", "channels[0].sources[0].url: 'file:///../etc/passwd' is not"),
        (("sources", 0, "url"), "test://bars?size=99x100", "channels[0].sources[0].url: 99x100 has an odd side"),
        (("sources", 0, "url"), "srt://h:1?passphrase=short", "channels[0].sources[0].url: the passphrase has the"),
        (("sources", 0, "interfac"), "eth1", "channels[0].sources[0].interfac: is not known here"),
        (("renditions", 0, "video", "codec"), "h266", "channels[0].renditions[0].video.codec: 'h266' is not one"),
        (("renditions", 0, "video", "size"), "big", "channels[0].renditions[0].video.size: 'big' is not a picture"),
        (("renditions", 0, "video", "fps"), 500, "channels[0].renditions[0].video.fps: 500 is out of range"),
        (("renditions", 0, "video", "bitrate"), "lots", "channels[0].renditions[0].video.bitrate: 'lots' is not a"),
        (("renditions", 0, "video", "gop"), "2m", "channels[0].renditions[0].video.gop: '2m' is not a duration"),
        (("renditions", 0, "video"), 3, "channels[0].renditions[0].video: 3 is not a section with fields"),
        (("renditions", 0, "audio", "channels"), 3, "channels[0].renditions[0].audio.channels: 3 is not one of"),
        (("renditions", 0, "name"), "../x", "channels[0].renditions[0].name: '../x' cannot stand in a path"),
        (("outputs", 0, "rendition"), "720p", "channels[0].outputs[0].rendition: '720p' is no rendition of this"),
        (("outputs", 0, "muxrate"), "3000k", "channels[0].outputs[0].muxrate: 3000k does not hold video, audio"),
        (("outputs", 0, "ttl"), 0, "channels[0].outputs[0].ttl: 0 is out of range; allowed are 1 to 255"),
        (("outputs", 1, "ttl"), 4, "channels[0].outputs[1].ttl: does not apply to hls://; remove it; it is for udp"),
        (("outputs", 1, "segment"), "5s", "channels[0].outputs[1].segment: 5s is no multiple of the GOP of 2s; write"),
        (("outputs", 1, "url"), "hls://../up", "channels[0].outputs[1].url: 'hls://../up' names no directory"),
        (("outputs", 1, "url"), "hls://a%d", "channels[0].outputs[1].url: 'hls://a%d' names no directory"),
        (("outputs", 2, "url"), "rtmp://host", "channels[0].outputs[2].url: 'rtmp://host' names no application"),
        (("outputs", 2, "url"), "file:///a/b.avi", "channels[0].outputs[2].url: 'file:///a/b.avi' has no known ending"),
        (("outputs", 2, "url"), "rtmp://h/a|[f=x]", "channels[0].outputs[2].url: 'rtmp://h/a|[f=x]' contains '|'"),
    ],
)
def test_a_wrong_field_is_named_with_fault_and_remedy(
    lineup: dict[str, Any], path: tuple[str | int, ...], value: object, expected: str
) -> None:
    place: Any = lineup["channels"][0]
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value

    [fault] = faults(lineup)

    assert fault.startswith(expected)
    assert "; " in fault, "a remedy follows the fault"


def test_every_wrong_field_is_named_at_once(lineup: dict[str, Any]) -> None:
    video = lineup["channels"][0]["renditions"][0]["video"]
    video["size"], video["bitrate"] = "big", "lots"
    del lineup["channels"][0]["outputs"]

    assert [fault.split(":")[0] for fault in faults(lineup)] == [
        "channels[0].renditions[0].video.size",
        "channels[0].renditions[0].video.bitrate",
        "channels[0].outputs",
    ]


def test_two_channels_cannot_share_a_name_or_a_destination(lineup: dict[str, Any]) -> None:
    twin = copy.deepcopy(lineup["channels"][0])
    twin["name"] = "NEWS hd"
    lineup["channels"].append(twin)
    assert faults(lineup)[0].startswith("channels[1].name: 'NEWS hd' is used twice")

    twin["name"] = "Sport"
    assert faults(lineup)[0].startswith(
        "channels[1].outputs[0].url: udp://239.2.1.1:5000 is already an output of News HD"
    )


@pytest.mark.parametrize("kind", ["video", "audio"])
def test_a_test_pattern_has_nothing_to_copy(lineup: dict[str, Any], kind: str) -> None:
    [channel] = lineup["channels"]
    channel["sources"].append({"url": "test://bars"})
    channel["renditions"][0][kind] = {"codec": "copy", "bitrate": "1M"}

    assert faults(lineup)[0].startswith(f"channels[0].renditions[0].{kind}.codec: a test pattern comes without a codec")


def test_a_ladder_needs_one_gop_and_outputs_that_name_their_rung(lineup: dict[str, Any]) -> None:
    channel = lineup["channels"][0]
    low = copy.deepcopy(channel["renditions"][0])
    low["name"] = "540p"
    channel["renditions"].append(low)
    del channel["outputs"][0]["rendition"]
    assert faults(lineup)[0].startswith("channels[0].outputs[0].rendition: is missing; name the rendition")

    channel["outputs"][0]["rendition"] = "540p"
    low["video"]["gop"] = "1s"
    assert faults(lineup)[0].startswith(
        "channels[0].renditions[1].video.gop: keyframes come every 1 s, those of 1080p every 2 s"
    )

    low["video"] |= {"gop": "2s", "fps": 29.97}
    assert "keyframes come every 2.002 s, those of 1080p every 2 s" in faults(lineup)[0]


def test_an_hls_directory_cannot_lie_in_another(lineup: dict[str, Any]) -> None:
    lineup["channels"][0]["outputs"].append({"url": "hls://news-hd/1080p"})
    assert "hls://news-hd/1080p overlaps with hls://news-hd" in faults(lineup)[0]

    lineup["channels"][0]["outputs"].pop()
    other = copy.deepcopy(lineup["channels"][0])
    other |= {"name": "Other", "outputs": [{"url": "hls://news-hd/1080p"}]}
    lineup["channels"].append(other)
    assert "hls://news-hd/1080p is already an output of News HD" in faults(lineup)[0]


def test_a_rendition_without_sound_stays_without_sound(lineup: dict[str, Any]) -> None:
    lineup["channels"][0]["renditions"][0]["audio"] = None

    channel = parse(LineUp, parse(LineUp, lineup).document()).channels[0]

    assert channel.renditions[0].audio is None
    assert channel.renditions[0].peak() == 5_000_000


def test_what_is_not_given_gets_a_value_that_fits(lineup: dict[str, Any]) -> None:
    channel = lineup["channels"][0]
    channel["renditions"][0]["video"]["gop"] = "3s"
    channel["outputs"] = [{"url": "hls://a"}, {"url": "udp://239.2.1.1:5000"}]

    spec = parse(ChannelSpec, channel)

    assert spec.segment(spec.outputs[0]) == 6.0
    assert spec.muxrate(spec.outputs[1]) == spec.least_muxrate(spec.outputs[1]) == 5_640_000


@pytest.mark.parametrize(
    ("text", "bits"),
    [("5000k", 5_000_000), ("5M", 5_000_000), ("1.5M", 1_500_000), ("64000", 64_000), (64_000, 64_000)],
)
def test_bitrates_are_read_as_operators_write_them(text: object, bits: int) -> None:
    assert parse_bitrate(text) == bits


def test_quantities_are_written_as_operators_write_them() -> None:
    assert [format_bitrate(5_000_000), format_bitrate(1_234_567)] == ["5000k", "1234567"]
    assert [format_seconds(2), format_seconds(1.92)] == ["2s", "1920ms"]


@pytest.mark.parametrize(
    ("text", "count"),
    [("2G", 2 << 30), ("512M", 512 << 20), ("1.5 GiB", 3 << 29), ("64mb", 64 << 20), ("4096", 4096), (4096, 4096)],
)
def test_memory_is_read_in_binary_units(text: object, count: int) -> None:
    assert parse_bytes(text) == count


def test_memory_is_written_in_the_largest_unit_that_divides() -> None:
    written = [format_bytes(count) for count in (2 << 30, 3 << 29, 1 << 40, 65_000, 0)]
    assert written == ["2G", "1536M", "1T", "65000", "0"]


@pytest.mark.parametrize(
    ("text", "cpus"), [("0", {0}), ("0-3,8", {0, 1, 2, 3, 8}), ("2,4", {2, 4}), ("1-1", {1}), ("0-2,1-3", {0, 1, 2, 3})]
)
def test_lists_of_cpus_name_numbers_and_ranges(text: str, cpus: set[int]) -> None:
    assert cpus_of(text) == cpus


def test_limits_survive_being_read_and_written(lineup: dict[str, Any]) -> None:
    lineup["channels"][0] |= yaml.safe_load("{nice: 5, cpus: 3, memory: 1.5G}")

    channel = parse(LineUp, lineup).channels[0]

    assert (channel.nice, channel.cpus, channel.memory) == (5, "3", 3 << 29)
    written = parse(LineUp, lineup).document()
    assert {name: written["channels"][0][name] for name in ("nice", "cpus", "memory")} == {
        "nice": 5,
        "cpus": "3",
        "memory": "1536M",
    }
    assert parse(LineUp, yaml.safe_load(yaml.safe_dump(written))) == parse(LineUp, lineup)


def test_limits_do_not_reach_the_command(lineup: dict[str, Any]) -> None:
    without = parse(LineUp, lineup).channels[0]
    lineup["channels"][0] |= {"nice": 5, "cpus": "0-3", "memory": "2G"}

    assert parse(LineUp, lineup).channels[0].on_air_part() == without.on_air_part()


@pytest.mark.parametrize("written", ["29.97", 29.97, "30000/1001"])
def test_ntsc_rates_are_exact_however_they_are_written(written: object) -> None:
    fps = parse_fps(written)

    assert isinstance(fps, float)
    assert frame_rate(fps).numerator == 30000
    assert frame_rate(fps).denominator == 1001


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("rtmp://203.0.113.5/live/key", "rtmp://203.0.113.5/live/***"),
        ("srt://h:9000?mode=caller&passphrase=longenough12", "srt://h:9000?mode=caller&passphrase=***"),
        ("http://joe:pass@h/x.m3u8", "http://joe:***@h/x.m3u8"),
        ("udp://239.1.1.1:5000", "udp://239.1.1.1:5000"),
    ],
)
def test_secrets_of_an_address_are_hidden(lineup: dict[str, Any], url: str, shown: str) -> None:
    channel = lineup["channels"][0]
    channel["sources"][0] = {"url": url}

    assert parse(ChannelSpec, channel).sources[0].address.masked == shown


def test_fields_describe_themselves() -> None:
    fields = {field.name: field for field in describe(Output)}

    assert fields["ttl"].kinds == ("udp", "rtp")
    assert fields["ttl"].range == "1 to 255"
    assert fields["muxrate"].unit == "b/s"
    assert all(field.label and field.help for field in fields.values())


def test_fields_that_are_rarely_used_say_so() -> None:
    assert [field.name for field in describe(ChannelFields) if field.apart] == ["nice", "cpus", "memory", "overlay"]


def test_an_error_crosses_the_wire_unchanged() -> None:
    for kind in TranscoderError.__subclasses__():
        error = kind("the fault", "the remedy", "the.field")

        received = error_from(error.document())

        assert type(received) is kind
        assert received.faults == error.faults
