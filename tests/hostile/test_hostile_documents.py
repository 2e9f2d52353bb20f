"""Line-up files that are made to break whoever reads them."""

import json
import time
from pathlib import Path

import pytest

from transcoder_tui.cli.lineup import read_lineup
from transcoder_tui.errors import InvalidInput

BOMB = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n" + "".join(
    f"a{level}: &a{level} [{', '.join(f'*a{level - 1}' for _ in range(10))}]\n" for level in range(1, 12)
)
CHANNEL = """
version: 1
channels:
  - name: A
    sources: [{url: "test://bars"}]
    renditions: [{name: a, video: {size: 320x180, bitrate: 300k}}]
    outputs: [{url: "hls://a"}]
"""


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (BOMB + "channels: *a11\nversion: 1\n", "stand for too much"),
        ("version: 1\nchannels: &x [*x]\n", "refers to what it stands in"),
        ("version: 1\nchannels: " + "[" * 100_000, "levels of nesting"),
        ("version: 1\nchannels: " + "{a: " * 5_000, "levels of nesting"),
        ("version: 1\n" + "x: y\n" * 3_000_000, "larger than"),
        (CHANNEL + "version: 1\n", "given again"),
        (CHANNEL.replace("name: A", "name: A\n    name: B"), "given again"),
        (CHANNEL.replace("name: A", "name: !!python/object/apply:os.system [touch /tmp/pwned]"), "python"),
        (CHANNEL.replace("name: A", "name: !!python/name:os.system"), "python"),
        (CHANNEL.replace("name: A", "name: !!binary aGVsbG8="), "channels[0].name"),
        (CHANNEL.replace("name: A", "name: !!set {a, b}"), "channels[0].name"),
        (CHANNEL.replace("name: A", "name: 2026-01-01"), "channels[0].name"),
        (CHANNEL.replace("name: A", "name: " + "9" * 5000), ""),
        (CHANNEL.replace("name: A", "? [a, b]\n    : c"), ""),
        (CHANNEL.replace("name: A", "<<: {name: A, hidden: 1}"), "hidden"),
        (CHANNEL.replace("name: A", "__class__: A"), "__class__"),
        ("--- a\n--- b\n", ""),
        ("\x00\x01", ""),
        ("\ufeff", ""),
        ("just words", ""),
        ("[]", ""),
        ("version: 2\nchannels: []\n", "version"),
    ],
    ids=lambda value: ascii(value[:20]),
)
def test_it_is_refused_in_words_and_at_once(tmp_path: Path, text: str, words: str) -> None:
    file = tmp_path / "lineup.yaml"
    file.write_text(text)
    began = time.process_time()
    with pytest.raises(InvalidInput) as refusal:
        read_lineup(str(file))
    assert time.process_time() - began < 20
    assert words in str(refusal.value)
    assert len(str(refusal.value)) < 5000
    assert not Path("/tmp/pwned").exists()


@pytest.mark.parametrize("name", ["/dev/zero", "/proc/self/mem", "/nowhere", "/"])
def test_what_is_no_file_is_refused(name: str) -> None:
    with pytest.raises(InvalidInput):
        read_lineup(name)


def test_json_is_read_as_yaml_is(tmp_path: Path) -> None:
    file = tmp_path / "lineup.json"
    file.write_text(json.dumps({"version": 1, "channels": [{"name": "A" * 10_000}]}))
    with pytest.raises(InvalidInput, match="10000 characters"):
        read_lineup(str(file))
