"""What a source may say, kind by kind, and in which words the rest is refused."""

from typing import Any

import pytest

from transcoder_tui.errors import InvalidInput
from transcoder_tui.models.faults import parse
from transcoder_tui.models.source import Source
from transcoder_tui.models.tracks import Track

GROUP = "udp://239.1.1.1:5000"
LISTEN = "rtmp://0.0.0.0/live/key"
CALLED = "srt://:9000?mode=listener"


def refused(**fields: Any) -> str:
    with pytest.raises(InvalidInput) as refusal:
        parse(Source, fields)
    return str(refusal.value)


@pytest.mark.parametrize(
    ("fields", "expected"),
    [
        ({"url": "udp://192.0.2.1:5000", "sender": "192.0.2.9"}, "sender: 192.0.2.1 is no multicast group; remove it"),
        ({"url": GROUP, "sender": "239.1.1.2"}, "sender: '239.1.1.2' is a multicast group; write the address that"),
        ({"url": "http://h/a.ts", "listen": True}, "listen: does not apply to http://; remove it; it is for rtmp://"),
        ({"url": "rtmp://ingest.example/live/key", "listen": True}, "url: ingest.example is no IP address to wait on"),
        ({"url": "rtmp://0.0.0.0:1935", "listen": True}, "url: names no application; write rtmp://0.0.0.0:1935/"),
        ({"url": "rtsp://h/live", "transport": "http"}, "transport: 'http' is not one of the choices"),
        ({"url": "udp://239.1.1.1:5000", "tls_verify": False}, "tls_verify: does not apply to udp://"),
        ({"url": "https://h/a.m3u8", "tls_verify": False}, "tls_verify: holds for the playlist only"),
        ({"url": "rtp://239.1.1.1:5000", "program": 101}, "program: does not apply to rtp://"),
        ({"url": CALLED, "program": "NEWS"}, "program: cannot be looked for by name before a peer calls; write the"),
        ({"url": CALLED, "subtitles": "swe"}, "subtitles: cannot be looked for by name before a peer calls; write all"),
        ({"url": "file://a.ts", "playlist": "file://b.mp4"}, "playlist: mixes .mp4 and .ts; bring all files into"),
        ({"url": "file://a.ts", "playlist": "http://h/b.ts"}, "playlist: 'http://h/b.ts' is no address that can be"),
        ({"url": "file://a.ts", "playlist": "file://../b.ts"}, "playlist: 'file://../b.ts' is not a plain path"),
        ({"url": "file://a.ts", "playlist": "file://b.ts", "program": 1}, "program: cannot be chosen in a playlist"),
        ({"url": "file://a.ts", "playlist": "file://b.ts", "audio": "0x101"}, "audio: cannot be chosen in a playlist"),
        ({"url": GROUP, "audio": "english"}, "audio: 'english' is no track; write a language such as eng, a PID"),
        ({"url": GROUP, "audio": "0x1fff"}, "audio: '0x1fff' is no track"),
        ({"url": GROUP, "audio": "all"}, "audio: 'all' is no track"),
        ({"url": GROUP, "video": "0x10"}, "video: '0x10' is no PID; write 0x20 to 0x1ffe"),
        ({"url": GROUP, "program": 65536}, "program: 65536 is no program number; write 1 to 65535"),
    ],
)
def test_what_cannot_be_is_refused_with_field_and_remedy(fields: dict[str, Any], expected: str) -> None:
    assert refused(**fields).startswith(expected)


def test_tracks_are_written_in_any_of_their_forms() -> None:
    source = Source.model_validate({"url": GROUP, "audio": ["eng", "0x103=fra", 260, "#2"]})

    assert source.audio == "eng, 0x103=fra, 260, #2"
    assert source.tracks == (Track(language="eng"), Track(0x103, "fra"), Track(260), Track(place=2))


@pytest.mark.parametrize(
    ("fields", "by_name"),
    [
        ({}, False),
        ({"program": 101, "audio": "eng", "subtitles": "all", "data": "0x1f0"}, False),
        ({"program": "NEWS"}, True),
        ({"subtitles": "0x105, swe"}, True),
    ],
)
def test_only_names_and_languages_that_may_be_missing_need_a_look(fields: dict[str, Any], by_name: bool) -> None:
    assert Source.model_validate({"url": GROUP, **fields}).is_chosen_by_name == by_name


@pytest.mark.parametrize(
    ("fields", "awaited", "port"),
    [
        ({"url": LISTEN, "listen": True}, "a publisher on port 1935", "tcp://:1935"),
        ({"url": "rtmp://192.0.2.7:1936/live/key", "listen": True}, "a publisher on port 1936", "tcp://:1936"),
        ({"url": CALLED}, "a caller on port 9000", "srt://:9000"),
        ({"url": "rtmp://192.0.2.7/live/key"}, "", None),
        ({"url": "srt://192.0.2.7:9000"}, "", None),
        ({"url": "rtp://127.0.0.1:5004"}, "", "udp://127.0.0.1:5004"),
    ],
)
def test_it_is_known_who_must_connect_and_where(fields: dict[str, Any], awaited: str, port: str | None) -> None:
    source = Source.model_validate(fields)

    assert (source.awaited, source.listens_on) == (awaited, port)
