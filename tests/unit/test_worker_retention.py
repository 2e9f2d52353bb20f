"""Which recordings are deleted, with real files."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from transcoder_tui.ffmpeg.recording import Recording
from transcoder_tui.models.output import Output
from transcoder_tui.worker.retention import FRESH_S, newest, prune

NOW = 1_800_000_000.0
HOUR = 3600.0
Make = Callable[..., Path]


def series(directory: Path, **keeps: Any) -> Recording:
    return Recording(Output(url="file://news.ts", split="1h", **keeps), directory / "news.ts")


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Makes a file of some hours ago."""

    def file(name: str, hours: float, size: int = 1000) -> Path:
        path = tmp_path / name
        path.write_bytes(b"x" * size)
        os.utime(path, (NOW - hours * HOUR, NOW - hours * HOUR))
        return path

    return file


def stamps(count: int) -> list[str]:
    return [f"news-20270115T{hour:02}0000Z.ts" for hour in range(count)]


def test_files_older_than_kept_are_deleted(tmp_path: Path, make: Make) -> None:
    names = stamps(4)
    for age, name in zip((5, 4, 1, 0), names, strict=True):
        make(name, age)

    assert prune(series(tmp_path, keep_for="3h"), NOW) == names[:2]
    assert sorted(path.name for path in tmp_path.iterdir()) == names[2:]


def test_the_oldest_are_deleted_until_the_rest_fits(tmp_path: Path, make: Make) -> None:
    names = stamps(4)
    for age, name in zip((4, 3, 2, 1), names, strict=True):
        make(name, age, 1 << 20)

    assert prune(series(tmp_path, keep_size="2M"), NOW) == names[:2]


def test_short_files_take_no_more_than_they_may(tmp_path: Path, make: Make) -> None:
    names = [f"news-20270115T0000{second:02}Z.ts" for second in range(0, 60, 10)]
    for number, name in enumerate(names, 1):
        make(name, (60 - 10 * number) / HOUR, 400_000)

    assert prune(series(tmp_path, keep_size="1M"), NOW) == names[:4]


def test_nothing_else_is_ever_deleted(tmp_path: Path, make: Make) -> None:
    others = ["news.ts", "news-20270115T000000Z.ts.bak", "news-2027.ts", "news-hd-20270115T000000Z.ts", "a.txt"]
    others += ["xnews-20270115T000000Z.ts", "news-20270115T000000Z.mkv"]
    for name in others:
        make(name, 1000)
    outside = make("outside", 1000)
    (tmp_path / "news-20270101T000000Z.ts").symlink_to(outside)
    (tmp_path / "news-20270102T000000Z.ts").mkdir()
    make(stamps(1)[0], 0)
    before = sorted(tmp_path.iterdir())

    assert prune(series(tmp_path, keep_for="1h", keep_size="1M"), NOW) == []
    assert sorted(tmp_path.iterdir()) == before


def test_the_file_that_is_being_written_stays_whatever_the_clock_says(tmp_path: Path, make: Make) -> None:
    names = stamps(3)
    make(names[0], 0, 3 << 20)  # Still written: the clock was set back since.
    make(names[1], 1000, 3 << 20)
    make(names[2], 1000, 3 << 20)  # The newest by its name.

    assert prune(series(tmp_path, keep_for="1h", keep_size="1M"), NOW) == [names[1]]
    assert newest(series(tmp_path)) == names[2]


def test_files_that_stayed_empty_go(tmp_path: Path, make: Make) -> None:
    names = stamps(3)
    make(names[0], 2 * FRESH_S / HOUR, 0)
    make(names[1], 0.5 * FRESH_S / HOUR, 0)
    make(names[2], 0, 0)

    assert prune(series(tmp_path), NOW) == names[:1]


def test_a_directory_that_is_gone_is_told(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        prune(series(tmp_path / "gone", keep_for="1h"), NOW)
