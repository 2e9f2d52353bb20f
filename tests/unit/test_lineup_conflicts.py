"""What channels of one host must not share, within a channel, within a line-up, and with what is stored."""

import itertools
from pathlib import Path
from typing import Any

import pytest

from transcoder_tui.errors import InvalidInput
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.faults import parse
from transcoder_tui.models.lineup import LineUp
from transcoder_tui.worker import admission

RENDITION = {"name": "only", "video": {"size": "320x180", "bitrate": "300k"}, "audio": None}
HOST = HostFacts(interfaces={}, media_roots=[Path("/srv/media")], hls_root=Path("/srv/media/hls"))
_numbers = itertools.count()


def channel(name: str, *outputs: dict[str, Any], sources: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    return {
        "name": name,
        "sources": sources or [{"url": "test://bars"}],
        "renditions": [RENDITION],
        "outputs": list(outputs) or [{"url": f"hls://own-{next(_numbers)}"}],
    }


def sends(url: str, **fields: Any) -> dict[str, Any]:
    return channel("One", {"url": url, **fields})


def reads(url: str, **fields: Any) -> dict[str, Any]:
    return channel("One", sources=[{"url": url, **fields}])


def refusals(*channels: dict[str, Any]) -> list[str]:
    """What the line-up is refused for; nothing where it is accepted."""
    try:
        parse(LineUp, {"version": 1, "channels": list(channels)})
    except InvalidInput as refusal:
        return [str(fault) for fault in refusal.faults]
    return []


CLASHES = [
    (sends("udp://239.2.1.1:5000"), sends("udp://239.2.1.1:5000"), "outputs[0].url"),
    (sends("udp://239.2.1.1:5000", interface="eth1"), sends("udp://239.2.1.1:5000", interface="eth2"), "another"),
    (sends("udp://239.2.1.1:5000"), sends("rtp://239.2.1.1:5000"), "outputs[0].url: rtp://239.2.1.1:5000"),
    (sends("udp://192.0.2.9:5000"), sends("udp://192.0.2.9:5000"), "already an output of One"),
    (sends("hls://news"), sends("hls://news"), "own directory"),
    (sends("hls://news"), sends("dash://news"), "dash://news is already an output of One"),
    (sends("hls://news/hd"), sends("hls://news"), "hls://news is already an output of One"),
    (sends("dash://news"), sends("hls://news/hd/a"), "none within another's"),
    (sends("file://a/b.ts"), sends("file://a/b.ts"), "own address"),
    (sends("rtmp://H.example/live/key1"), sends("rtmp://h.example:1935/live/key1"), "***"),
    (sends("srt://h:9000"), sends("srt://h:9000?latency=500"), "already an output of One"),
    (sends("srt://:9000?mode=listener"), sends("srt://:9000?mode=listener"), "UDP port 9000"),
    (sends("srt://:9000?mode=listener"), reads("srt://:9000?mode=listener"), "sources[0].url"),
    (reads("udp://192.0.2.1:5000"), reads("udp://192.0.2.1:5000"), "UDP port 5000"),
    (reads("udp://0.0.0.0:5000"), reads("udp://192.0.2.1:5000"), "choose another one"),
    (reads("rtp://192.0.2.1:5004"), reads("udp://192.0.2.1:5005"), "UDP port 5005"),
    (reads("rtp://192.0.2.1:5004"), reads("udp://192.0.2.2:5005"), "UDP port 5005"),
    (reads("udp://0.0.0.0:9000"), sends("srt://:9000?mode=listener"), "outputs[0].url"),
    (reads("rtmp://0.0.0.0:1936/x/y", listen=True), reads("rtmp://0.0.0.0:1936/z/y", listen=True), "TCP port 1936"),
    (reads("udp://239.1.1.1:5000", interface="eth1"), reads("udp://239.1.1.1:5000", interface="eth2"), "own sender"),
    (reads("udp://239.1.1.1:5000"), reads("udp://239.1.1.1:5000", interface="eth2"), "sources[0].interface"),
    (
        reads("udp://239.1.1.1:5000", interface="eth1"),
        reads("rtp://239.1.1.1:5000", interface="eth2"),
        "same interface",
    ),
    (
        reads("udp://239.1.1.1:5000", interface="eth1", sender="192.0.2.1"),
        reads("udp://239.1.1.1:5000", interface="eth2"),
        "each would get both feeds",
    ),
    (
        reads("udp://239.1.1.1:5000", interface="eth1", sender="192.0.2.1"),
        reads("udp://239.1.1.1:5000", interface="eth2", sender="192.0.2.1"),
        "give each its own sender",
    ),
]


@pytest.mark.parametrize(("one", "other", "words"), CLASHES)
def test_two_channels_that_cannot_live_beside_each_other_are_refused_with_the_remedy(
    one: dict[str, Any], other: dict[str, Any], words: str
) -> None:
    [fault] = refusals(one, {**other, "name": "Other"})
    assert fault.startswith("channels[1].")
    assert words in fault
    assert "; " in fault
    assert "key1" not in fault


@pytest.mark.parametrize(("one", "other", "_words"), CLASHES)
def test_the_same_holds_against_what_is_stored_whichever_was_there_first(
    one: dict[str, Any], other: dict[str, Any], _words: str
) -> None:
    specs = [ChannelSpec.model_validate(document) for document in (one, {**other, "name": "Other"})]
    for new, stored in (specs, reversed(specs)):
        [fault] = admission.clashes([new], [stored], HOST)
        assert fault.field.startswith("channels[0].")
        assert fault.remedy
        assert admission.clashes([], [new, stored], HOST) == []


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (sends("udp://239.2.1.1:5000"), sends("udp://239.2.1.1:5001")),
        (sends("udp://239.2.1.1:5000"), sends("udp://239.2.1.2:5000")),
        (sends("rtp://239.2.1.1:5004"), sends("udp://239.2.1.1:5005")),
        (sends("hls://news"), sends("hls://newsroom")),
        (sends("hls://news/hd"), sends("hls://news/sd")),
        (sends("srt://h:9000?streamid=one"), sends("srt://h:9000?streamid=other")),
        (sends("srt://127.0.0.1:9000?mode=listener"), sends("srt://127.0.0.2:9000?mode=listener")),
        (reads("udp://239.1.1.1:5000"), reads("udp://239.1.1.1:5000")),
        (reads("udp://239.1.1.1:5000", interface="eth1"), reads("udp://239.1.1.2:5000", interface="eth2")),
        (
            reads("udp://239.1.1.1:5000", interface="eth1", sender="192.0.2.1"),
            reads("udp://239.1.1.1:5000", interface="eth2", sender="192.0.2.2"),
        ),
        (sends("udp://239.2.1.1:5000"), reads("udp://239.2.1.1:5000")),
        (sends("udp://127.0.0.1:5000"), reads("udp://127.0.0.1:5000")),
        (sends("srt://127.0.0.1:9000"), reads("srt://:9000?mode=listener")),
        (reads("udp://127.0.0.1:5000"), reads("rtmp://127.0.0.1:5000/a/b", listen=True)),
    ],
)
def test_what_only_looks_alike_is_accepted(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert refusals(one, {**other, "name": "Other"}) == []


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (channel("A", {"url": "udp://239.2.1.1:5000"}, {"url": "rtp://239.2.1.1:5000"}), "outputs[1].url"),
        (
            channel("A", *({"url": "udp://239.2.1.1:5000", "interface": name} for name in ("eth1", "eth2"))),
            "another interface does not tell two of them apart",
        ),
        (channel("A", {"url": "hls://a"}, {"url": "dash://a/b"}), "overlaps with hls://a"),
        (channel("A", *({"url": "srt://:9000?mode=listener"} for _ in "ab")), "outputs[1].url: A listens on UDP"),
        (
            channel("A", {"url": "srt://:9000?mode=listener"}, sources=[{"url": "srt://:9000?mode=listener"}]),
            "outputs[0].url",
        ),
        (
            channel("A", sources=[{"url": "udp://239.1.1.1:5000", "interface": name} for name in ("eth1", "eth2")]),
            "sources[1].interface: udp://239.1.1.1:5000 is read on eth1 already, by another source of this channel",
        ),
    ],
)
def test_the_same_holds_within_a_channel(document: dict[str, Any], words: str) -> None:
    [fault] = refusals(document)
    assert words in fault


def test_sources_of_one_channel_may_share_a_port_because_one_at_a_time_is_open() -> None:
    sources = [{"url": "udp://127.0.0.1:5000", "program": program} for program in ("1", "2")]
    assert refusals(channel("A", sources=sources)) == []


@pytest.mark.parametrize(
    ("source", "output", "words"),
    [
        ("file://a.ts", "file:///srv/media/a.ts", "/srv/media/a.ts is an output of Recorder, which overwrites it"),
        ("file://a/b.ts", "file://a//b.ts", "read another file"),
        ("test://bars", "file://hls/a/x.ts", "lies in a directory of HLS or DASH"),
    ],
)
def test_files_are_compared_by_where_they_lie(source: str, output: str, words: str) -> None:
    reader = ChannelSpec.model_validate(channel("Reader", {"url": "hls://a"}, sources=[{"url": source}]))
    recorder = ChannelSpec.model_validate(channel("Recorder", {"url": output}))
    faults = [*admission.clashes([reader], [recorder], HOST), *admission.clashes([recorder], [reader], HOST)]
    assert any(words in str(fault) for fault in faults)


def test_one_file_is_not_recorded_twice_by_a_channel_that_spells_it_in_two_ways() -> None:
    twice = ChannelSpec.model_validate(channel("A", {"url": "file://r.ts"}, {"url": "file:///srv/media/r.ts"}))
    [fault] = admission.clashes([twice], [], HOST)
    assert str(fault).startswith("channels[0].outputs[1].url: /srv/media/r.ts is already an output of A")


@pytest.mark.parametrize("extra", [{"playlist": "file://b.ts"}, {}])
def test_what_a_playlist_names_counts_as_read(extra: dict[str, Any]) -> None:
    sources = [{"url": "file://a.ts", **extra}]
    reader = ChannelSpec.model_validate(channel("Reader", sources=sources))
    recorder = ChannelSpec.model_validate(channel("Recorder", {"url": "file://b.ts"}))
    assert bool(admission.clashes([reader], [recorder], HOST)) is bool(extra)
