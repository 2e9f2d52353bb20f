"""Which keys of encrypted segments are made and deleted, with real files."""

import os
import time
from pathlib import Path

import pytest

from transcoder_tui.ffmpeg.ladders import HlsTree
from transcoder_tui.models.output import Output
from transcoder_tui.models.rendition import Rendition
from transcoder_tui.worker import keys


@pytest.fixture
def tree(tmp_path: Path) -> HlsTree:
    rendition = Rendition.model_validate({"name": "hi", "video": {"size": "320x180", "bitrate": "300k"}})
    playlist = tmp_path / "hi" / "index.m3u8"
    playlist.parent.mkdir()
    output = Output.model_validate({"url": "hls://news", "encryption": "aes-128", "key_rotation": "1h"})
    return HlsTree(output, tmp_path, {playlist: rendition}, {}, 4.0)


def current(tree: HlsTree) -> Path:
    uri, path = tree.key_info.read_text().splitlines()
    assert uri == f"../{Path(path).name}", "players find it from a media playlist"
    return Path(path)


def aged(key: Path, seconds: float) -> Path:
    os.utime(key, (time.time() - seconds, time.time() - seconds))
    return key


def test_a_key_is_made_where_there_is_none_and_changed_when_it_is_time(tree: HlsTree) -> None:
    keys.tend(tree, time.time())
    first = current(tree)
    assert len(first.read_bytes()) == 16

    keys.tend(tree, time.time() + 3500)
    assert current(tree) == first
    keys.tend(tree, time.time() + 3601)
    assert current(tree) != first
    assert current(tree).read_bytes() != first.read_bytes()


def test_a_former_key_goes_when_no_playlist_names_it_and_no_segment_in_the_making_can(tree: HlsTree) -> None:
    for age in (9000, 6000, 3000):
        keys.change(tree)
        aged(current(tree), age)
    listed, unlisted, last = sorted(tree.directory.glob("*Z-*.key"), key=lambda key: key.stat().st_mtime)
    stranger = tree.directory / "mine.key"
    stranger.touch()
    (playlist,) = tree.playlists
    playlist.write_text(f'#EXT-X-KEY:METHOD=AES-128,URI="../{listed.name}"\n')
    replaced = last.stat().st_mtime

    keys.tend(tree, replaced + keys.GRACE_S - 1)
    assert unlisted.exists()
    keys.tend(tree, replaced + keys.GRACE_S)

    assert not unlisted.exists()
    assert listed.exists()
    assert current(tree) == last
    assert stranger.exists()


def test_a_key_that_was_deleted_is_replaced(tree: HlsTree) -> None:
    keys.change(tree)
    current(tree).unlink()

    keys.tend(tree, time.time())

    assert current(tree).exists()
