"""The ladders that come along, those of the operator, and what a line-up makes of them."""

from pathlib import Path
from typing import Any

import pytest

from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.faults import parse
from transcoder_tui.models.ladder import Ladder, expand, names_ladders
from transcoder_tui.settings import Settings
from transcoder_tui.worker.ladders import all_ladders, put, read_ladders, shipped

SHIPPED = {ladder.name: ladder for ladder in read_ladders(shipped())}


def lineup(**channel: Any) -> dict[str, Any]:
    return {"version": 1, "channels": [{"name": "One", "sources": [{"url": "test://bars"}], **channel}]}


@pytest.mark.parametrize("ladder", SHIPPED.values(), ids=SHIPPED)
def test_every_ladder_that_comes_along_makes_a_channel(ladder: Ladder) -> None:
    single = len(ladder.renditions) == 1
    hevc = ladder.renditions[0].video.codec == "hevc"
    output = {"url": "udp://239.1.1.1:5000"} if single else {"url": "hls://one", "format": "fmp4" if hevc else "ts"}

    channel = expand(lineup(ladder=ladder.name, outputs=[output]), list(SHIPPED.values()))["channels"][0]

    spec = parse(ChannelSpec, channel)
    assert spec.renditions == ladder.renditions
    assert ladder.help and ladder.figures


def test_there_is_one_for_every_purpose() -> None:
    assert set(SHIPPED) >= {"apple-hls", "apple-hls-hevc", "dvb-hd", "dvb-sd", "mobile", "low-cpu"}
    rates = [rendition.video.bitrate for rendition in SHIPPED["apple-hls"].renditions]
    assert rates == sorted(rates, reverse=True)


def test_a_channel_may_take_the_lower_rungs_only_and_another_frame_rate() -> None:
    document = lineup(ladder={"name": "web", "top": "720p", "fps": 50}, outputs=[{"url": "hls://one"}])

    spec = parse(ChannelSpec, expand(document, list(SHIPPED.values()))["channels"][0])

    assert [rendition.name for rendition in spec.renditions] == ["720p", "480p", "360p"]
    assert {rendition.video.fps for rendition in spec.renditions} == {50}


@pytest.mark.parametrize(
    ("channel", "told"),
    [
        ({"ladder": "nope"}, "channels[0].ladder: there is no ladder 'nope'; choose one of apple-hls"),
        ({"ladder": "web", "renditions": []}, "channels[0].ladder: stands beside renditions"),
        ({"ladder": {"name": "web", "top": "8k"}}, "channels[0].ladder.top: web has no rung '8k'; choose one of 1080p"),
        ({"ladder": {"name": "web", "fps": "fast"}}, "channels[0].ladder.fps: 'fast' is not a frame rate"),
        ({"ladder": ["web"]}, "channels[0].ladder"),
    ],
)
def test_a_wrong_choice_is_told(channel: dict[str, Any], told: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        expand(lineup(**channel), list(SHIPPED.values()))
    assert str(refused.value.faults[0]).startswith(told)


def test_a_line_up_without_ladders_is_left_alone() -> None:
    assert not names_ladders(lineup(renditions=[]))
    assert not names_ladders({"version": 1})
    assert not names_ladders({"channels": "many"})


def test_the_operators_own_come_in_the_place_of_those_of_the_same_name(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.ladders.write_text(
        "version: 1\n"
        "ladders:\n"
        "  - {name: web, renditions: [{name: only, video: {size: 640x360, bitrate: 700k}}]}\n"
        "  - {name: house, renditions: [{name: hd, video: {size: 1280x720, bitrate: 2M}}]}\n"
    )

    found = {ladder.name: ladder for ladder in all_ladders(settings)}

    assert set(found) == {*SHIPPED, "house"}
    assert [rendition.name for rendition in found["web"].renditions] == ["only"]


def test_a_rendition_without_sound_keeps_none(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path)
    mute = {"name": "mute", "video": {"bitrate": "500k"}, "audio": None}

    put(settings, "quiet", parse(Ladder, {"name": "quiet", "renditions": [mute]}))

    [stored] = [ladder for ladder in all_ladders(settings) if ladder.own]
    assert stored.renditions[0].audio is None
    [channel] = expand(lineup(ladder="quiet", outputs=[{"url": "hls://one"}]), [stored])["channels"]
    assert parse(ChannelSpec, channel).renditions == stored.renditions


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (
            b"version: 1\nladders: [{name: x, renditions: [{name: y, video: {bitrate: lots}}]}]",
            "'lots' is not a bitrate",
        ),
        (b"version: [", "is not YAML"),
        (b"\xff\xfe\x00", "is not YAML"),
        (b"", "ladders.yaml: "),
        (b"#" * 1_100_000, "is larger than 1 MB"),
    ],
)
def test_a_broken_file_of_the_operators_is_told(tmp_path: Path, content: bytes, told: str) -> None:
    settings = Settings(data_dir=tmp_path)
    settings.ladders.write_bytes(content)

    with pytest.raises(InvalidInput) as refused:
        all_ladders(settings)

    fault = str(refused.value.faults[0])
    assert told in fault and str(settings.ladders) in fault
