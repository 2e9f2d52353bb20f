"""Passwords, passphrases and stream keys are shown nowhere but in the document itself."""

from pathlib import Path
from typing import Any
from urllib.parse import unquote_plus

import pytest
from hostile_rig import channel, spec

from transcoder_tui.errors import TranscoderError
from transcoder_tui.ffmpeg.binary import Binary, carried, inspect_binary
from transcoder_tui.ffmpeg.command import HostFacts, build_command
from transcoder_tui.ffmpeg.diagnosis import Verdict
from transcoder_tui.ffmpeg.masking import mask
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.faults import parse
from transcoder_tui.models.lineup import LineUp
from transcoder_tui.worker import admission

SECRET, ENCODED = "s3cr3tvalue", "s3cr3t%21va%2Flue+x"
SOURCES = [
    "http://user:{}@127.0.0.1:1/a.ts",
    "https://user:{}@h.example/live/a.m3u8",
    "http://127.0.0.1:1/a.ts?token={}",
    "http://127.0.0.1:1/a.ts?x=1&Access_Token={}",
    "http://127.0.0.1:1/a.ts?hdnts={}&y=2",
    "http://127.0.0.1:1/a.ts?Signature={}",
    "srt://127.0.0.1:9000?passphrase={}",
    "srt://127.0.0.1:9000?streamid={}&latency=200",
    "rtmp://h.example/app/{}",
    "rtmp://user:{}@h.example/app/x",
    "rtsp://user:{}@h.example/x",
]
OUTPUTS = [
    "rtmp://h.example/live/{}",
    "rtmps://h.example/live/a/{}?x=1",
    "rtmp://h.example/live?key={}",
    "srt://h.example:9000?passphrase={}",
    "srt://h.example:9000?streamid={}",
]
HOST = HostFacts(interfaces={}, media_roots=[Path("/srv/media")], hls_root=Path("/srv/hls"))


@pytest.fixture(scope="module")
def binary() -> Binary:
    return inspect_binary(carried(), "carried")


def with_secret(url: str, secret: str, *, output: bool) -> dict[str, Any]:
    end = [{"url": url.format(secret)}]
    return channel(**{"outputs" if output else "sources": end})


CASES = [(url, False) for url in SOURCES] + [(url, True) for url in OUTPUTS]


@pytest.mark.parametrize(("url", "output"), CASES)
@pytest.mark.parametrize("secret", [SECRET, ENCODED])
def test_no_command_and_no_line_of_a_log_shows_it(binary: Binary, url: str, output: bool, secret: str) -> None:
    found = parse(ChannelSpec, with_secret(url, secret, output=output))
    ends = found.outputs if output else found.sources
    command = build_command(found, binary, HOST)
    line = f"[rtmp @ 0x1] [error] Server rejected {secret} or {unquote_plus(secret)}"
    verdict = Verdict(found.sources[0].address.masked, found.secrets)
    verdict.feed(line)
    shown = [
        *(end.address.masked for end in ends),
        command.shell(),
        mask(line, found.secrets),
        str(verdict.result(1, ours=False)),
    ]
    for text in shown:
        assert secret not in text
        assert "s3cr3t" not in text
    assert any(form in part for part in command.argv for form in (secret, unquote_plus(secret))), "FFmpeg needs it"
    assert secret in str(found.document()), "the document is the operator's own"


@pytest.mark.parametrize(
    ("document", "output"),
    [
        ("rtmp://h.example/live/{}|x", True),
        ("rtmp://h.example:port/live/{}", True),
        ("rtmpx://h.example/live/{}", True),
        ("rtmp:///live/{}", True),
        ("srt://h.example?passphrase={}", True),
        ("srt://h.example:9000?passphrase={}&mode=server", True),
        ("srt://h.example:9000?passphrase={}&latency=1", True),
        ("srt://h.example:9000?passphrase={}&nonsense=1", True),
        ("http://user:{}@-h.example/a.ts", False),
        ("http://user:{}@h.example:99999/a.ts", False),
        ("http://user:{}@h.example/a b.ts", False),
        ("udp://user:{}@239.1.1.1", False),
        ("udp://239.1.1.1?key={}", False),
    ],
)
def test_no_refusal_shows_it(document: str, output: bool) -> None:
    with pytest.raises(TranscoderError) as refusal:
        parse(ChannelSpec, with_secret(document, SECRET, output=output))
    assert SECRET not in str(refusal.value)
    assert refusal.value.faults[0].remedy


@pytest.mark.parametrize("url", OUTPUTS)
def test_no_conflict_shows_it(url: str) -> None:
    document = with_secret(url, SECRET, output=True)
    with pytest.raises(TranscoderError) as refusal:
        parse(LineUp, {"version": 1, "channels": [document, {**document, "name": "Other"}]})
    assert SECRET not in str(refusal.value)
    twins = [spec(**with_secret(url, SECRET, output=True)) for _ in "ab"]
    assert SECRET not in str(admission.clashes(twins[:1], twins[1:], HOST))


def test_a_key_that_is_a_common_word_does_not_blot_out_other_words() -> None:
    assert mask("rtmp://h/live/live: delivery of live failed", ["live"]) == "rtmp://h/***/***: delivery of *** failed"
