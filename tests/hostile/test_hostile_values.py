"""Every field of a channel with values that mean harm: refused with field and remedy, or made harmless."""

import copy
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hostile_rig import channel

from transcoder_tui.client.yaml_text import read_yaml, write_yaml
from transcoder_tui.errors import TranscoderError
from transcoder_tui.ffmpeg.binary import Binary, carried, inspect_binary
from transcoder_tui.ffmpeg.command import HostFacts, build_command
from transcoder_tui.models.channel import ChannelFields, ChannelSpec
from transcoder_tui.models.faults import MAX_FAULT, parse
from transcoder_tui.models.field import describe
from transcoder_tui.models.output import Output
from transcoder_tui.models.overlay import Overlay
from transcoder_tui.models.rendition import Audio, Rendition, Video
from transcoder_tui.models.source import Source

INJECTIONS = [
    *(
        "-report",
        "--",
        "-init_hw_device",
        "-protocol_whitelist ALL",
        "- i",
        "$(touch /tmp/x)",
        "`id`",
        ";reboot",
        "a|b",
        "|x",
    ),
    *("'", '"', "a'b", "\\", "a\\:b", "a:b", ":", "a=b", "a,b", "a;b", "[v0]", "%d", "%v", "%{pts}", "%s%n", "{}", "#"),
    *(
        "a\nb",
        "a\rb",
        "a\0b",
        "\x1b[2J",
        "\x7f",
        "a\u2028b",
        "\u202eexe",
        "\u200b",
        "\ufeff",
        "\ud800",
        "\uff0e\uff0e/x",
    ),
    *("[f=x]", "1:v:0]movie=/etc/passwd[x];[x"),
]
"""What a shell, FFmpeg's option, tee, filter and pattern languages, or a terminal act on."""
ADDRESSES = [
    *("concat:/etc/passwd", "subfile,,start,0,end,9,,:/etc/passwd", "crypto:/etc/passwd", "data:text/plain,x"),
    *("file:/etc/passwd", "fd:0", "pipe:0", "pipe://0", "tee:x", "lavfi://x", "unix:/run/x", "ftp://a/b", "async:x"),
    *(
        "file:///etc/passwd",
        "file://../x.ts",
        "file:///srv/media/../../etc/x.ts",
        "file://%2e%2e/x.ts",
        "file://.%2e/x.ts",
    ),
    *(
        "file://%252e%252e/x.ts",
        "file://a%00.ts",
        "file://a%0ab.ts",
        "file://a%7cb.ts",
        "file://",
        "file:///",
        "file://a/",
    ),
    *(
        "file://a.ts?x",
        "file://a.ts#x",
        "file://%5c..%5cx.ts",
        "file://\uff0e\uff0e/x.ts",
        "file://-i.ts",
        "FILE://a.ts",
    ),
    *(
        "hls://..",
        "hls://../x",
        "hls://a/../../b",
        "hls:///etc",
        "hls://a%2e%2e",
        "hls://%2e%2e/x",
        "hls://.hidden",
        "hls://%d",
    ),
    *("dash://..", "hls://a//b", "hls://\u0430", "hls://a|b", "hls://a?x=1", "hls://a#x", "hls://-x", "hls://a\\b"),
    *(
        "udp://0xef.1.1.1:5000",
        "udp://2130706433:5000",
        "udp://127.1:5000",
        "udp://0177.0.0.1:5000",
        "udp://[::1%25lo]:5",
    ),
    *(
        "udp://239.1.1.1:5000?localaddr=1.2.3.4",
        "udp://239.1.1.1",
        "udp://239.1.1.1:0",
        "udp://239.1.1.1:99999",
        "udp://:5",
    ),
    *(
        "udp://\uff12\uff13\uff19.1.1.1:5000",
        "udp://239.1.1.1:\uff15",
        "udp://a b:5",
        "udp://-x:5",
        "udp://a_b.:5",
        "http://[",
    ),
    *("http://h/$(x)", "http://h/`x`", "http://h/a|b", "http://u:p@h/x", "http://h\\@evil/x", "http://h/x\nHost: evil"),
    *(
        "srt://h:1?mode=server",
        "srt://h:1?latency=\u00b2",
        "srt://h:1?passphrase=x",
        "srt://h:1?transtype=file",
        "srt://h:1?pbkeylen=x",
    ),
    *(
        "rtmp://h/a/k live=1 swfUrl=x",
        "rtmp://h/a|[f=flv]rtmp://evil",
        "rtmp://h/a/'x'",
        "test://bars?size=1e9x2",
        "test://x",
    ),
    *(
        "test://bars?fps=1e999999999",
        "test://bars?tone=\u00b2",
        "test://bars?size=\uff11\uff12\uff180x720",
        "test://bars?x=1",
    ),
]
"""Addresses that lead elsewhere than they seem."""
TEXTS = ("url", "playlist", "logo", "name", "group", "interface", "program", "text", "service_name", "options")
"""Fields that take a text of some freedom."""
MONSTERS: list[Any] = [
    *(
        "x" * 10_000,
        "9" * 10_000,
        "-" * 10_000,
        "1e400",
        "1e999999999",
        "-1",
        "0",
        "\u0661",
        "\u00b2",
        "NaN",
        "inf",
        "0x10",
    ),
    *(float("nan"), float("inf"), -1, 0, 10**30, 10**5000, 1.5, True, None, b"x", [], {}, [[]], {"a": {"b": 1}}),
    *(["x"] * 1000, {"x": "y"}, {1: 2}, ""),
]
"""Values of the wrong kind or size."""

PLACES: list[tuple[tuple[str | int, ...], type[Any]]] = [
    ((), ChannelFields),
    (("sources", 0), Source),
    (("outputs", 0), Output),
    (("renditions", 0), Rendition),
    (("renditions", 0, "video"), Video),
    (("renditions", 0, "audio"), Audio),
    (("overlay",), Overlay),
]
URLS = {
    "sources": [
        "udp://239.1.1.1:5000",
        "srt://h:1",
        "rtmp://127.0.0.1/a",
        "rtsp://h/",
        "https://h/x.m3u8",
        "file://x.ts",
    ],
    "outputs": ["udp://239.1.1.2:1", "hls://x", "dash://x", "rtmp://h/a/k", "file://x.ts", "srt://h:1"],
}
HOST = HostFacts(
    interfaces={"lo": ["127.0.0.1"]},
    media_roots=[Path("/srv/media")],
    hls_root=Path("/srv/hls"),
    font=Path("/usr/share/fonts/font.ttf"),
)


@pytest.fixture(scope="module")
def binary() -> Binary:
    return inspect_binary(carried(), "carried")


def documents(value: object) -> Iterator[tuple[str, dict[str, Any]]]:
    """A channel for each field that there is, with this value in it; other fields are as they should be."""
    for path, model in PLACES:
        for url in URLS.get(str(path[0]) if path else "", [None]):
            for field in describe(model):
                if url is not None and field.kinds and url.partition(":")[0] not in field.kinds:
                    continue
                if isinstance(value, str) and value in ADDRESSES and field.name not in TEXTS:
                    continue
                document = copy.deepcopy(channel(overlay={}))
                at: Any = document
                for part in path:
                    at = at[part]
                if url is not None:
                    at["url"] = url
                at[field.name] = value
                yield f"{path} {field.name} {url}", document


def named(value: object) -> str:
    """A short name of a value for the list of tests."""
    return "huge" if isinstance(value, int) and value > 1e40 else ascii(str(value)[:30])


@pytest.mark.parametrize("value", [*INJECTIONS, *ADDRESSES, *MONSTERS], ids=named)
def test_no_value_of_any_field_does_harm(binary: Binary, value: object) -> None:
    began = time.process_time()
    for where, document in documents(value):
        try:
            spec = parse(ChannelSpec, document)
            argv = build_command(spec, binary, HOST).argv
        except TranscoderError as refusal:
            for fault in refusal.faults:
                assert fault.field, where
                assert fault.remedy, where
                assert len(fault.fault) < MAX_FAULT + 50, where
            continue
        text = value if isinstance(value, str) else ""
        written = write_yaml({"version": 1, "channels": [spec.document()]}).encode()
        assert parse(ChannelSpec, read_yaml(written, "again")["channels"][0]) == spec, where
        assert not any(char in part for part in argv for char in "\0\r\x1b"), where
        if text.startswith("-") and not text[1:].isdigit():
            assert text not in argv, where
        for part in argv:
            for prefix in ("file:", "/srv"):
                if part.startswith(prefix):
                    assert part.removeprefix("file:").startswith(("/srv/media/", "/srv/hls/")), (where, part)
            assert "/../" not in part or "://" in part, (where, part)
            assert "/etc/passwd" not in part or "text=" in part or part.startswith("service_"), (where, part)
    assert time.process_time() - began < 30


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sources": [{"url": "concat:/etc/passwd"}]}, "sources[0].url"),
        ({"sources": [{"url": "file:///etc/passwd"}]}, "sources[0].url"),
        ({"sources": [{"url": "file://a.ts", "playlist": "file:///etc/passwd"}]}, "sources[0].playlist"),
        ({"sources": [{"url": "file://%2e%2e/a.ts"}]}, "sources[0].url"),
        ({"sources": [{"url": "udp://0xef.1.1.1:5000"}]}, "sources[0].url"),
        ({"sources": [{"url": "rtmp://h/a/k live=1"}]}, "sources[0].url"),
        ({"sources": [{"url": "udp://239.1.1.1:5000", "interface": "lo|x"}]}, "sources[0].interface"),
        ({"outputs": [{"url": "hls://../x"}]}, "outputs[0].url"),
        ({"outputs": [{"url": "hls://%v"}]}, "outputs[0].url"),
        ({"outputs": [{"url": "rtmp://h/a|[f=flv]rtmp://evil/x"}]}, "outputs[0].url"),
        ({"outputs": [{"url": "file:///etc/cron.d/x.ts"}]}, "outputs[0].url"),
        ({"overlay": {"logo": "file:///etc/x.png"}}, "overlay.logo"),
        ({"overlay": {"text": "a\nb"}}, "overlay.text"),
        ({"name": "--help"}, "name"),
        ({"name": "a\x1b[2J"}, "name"),
    ],
)
def test_the_gravest_are_refused_where_they_stand(binary: Binary, change: dict[str, Any], field: str) -> None:
    with pytest.raises(TranscoderError) as refusal:
        build_command(parse(ChannelSpec, channel(**change)), binary, HOST)
    assert refusal.value.faults[0].field == field
    assert refusal.value.faults[0].remedy
