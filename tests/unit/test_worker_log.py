"""A channel's log and the files that FFmpeg writes to."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from transcoder_tui.worker.logfile import ChannelLog, stamp
from transcoder_tui.worker.readers import ProgressReader, StderrReader


@pytest.fixture
def log(tmp_path: Path) -> ChannelLog:
    return ChannelLog(tmp_path / "logs" / "1-news.log", 100_000)


def test_lines_carry_utc_time_and_level() -> None:
    at = datetime(2026, 1, 2, 3, 4, 5, 678_000, UTC)

    assert stamp(at, "error", "no such file") == "2026-01-02T03:04:05.678Z ERROR   no such file"
    assert len(stamp(at, "info", "x" * 50_000)) < 5_000


def test_the_tail_is_the_last_lines_and_reading_goes_on_behind_it(log: ChannelLog) -> None:
    log.write(f"line {number}" for number in range(1000))

    tail = log.tail(3)
    log.write(["line 1000"])
    following = log.read(tail.next_offset, 10)

    assert tail.lines == ["line 997", "line 998", "line 999"]
    assert following.lines == ["line 1000"]
    assert log.read(following.next_offset, 10).lines == []


def test_an_empty_or_missing_log_has_no_lines(log: ChannelLog) -> None:
    assert log.tail(10).lines == []
    assert log.read(0, 10).lines == []


def test_the_oldest_part_is_dropped_at_the_cap_and_offsets_stay_valid(log: ChannelLog) -> None:
    log.write(["the very first line"])
    middle = 0
    for number in range(3000):
        log.write([f"line {number} {'x' * 50}"])
        if number == 2990:
            middle = log.tail(1).next_offset

    assert log.path.stat().st_size <= 100_000
    assert log.read(middle, 100).lines == [f"line {number} {'x' * 50}" for number in range(2991, 3000)]
    oldest = log.read(0, 1)
    assert oldest.offset == oldest.first_offset > 0
    assert oldest.lines[0].startswith("line "), "the oldest line that is kept is whole"
    assert ChannelLog(log.path, 100_000).read(middle, 1).lines[0].startswith("line 2991")


def test_a_deleted_log_comes_back(log: ChannelLog) -> None:
    log.write(["one"])
    log.path.unlink()
    log.write(["two"])

    assert log.tail(10).lines == ["two"]


def test_a_log_follows_the_name_of_its_channel(log: ChannelLog) -> None:
    log.write(["one"])
    old = log.path
    log.move(old.with_name("1-sport.log"))
    log.write(["two"])

    assert not old.exists()
    assert log.tail(10).lines == ["one", "two"]


@pytest.fixture
def stderr(tmp_path: Path) -> tuple[Path, Path]:
    path = tmp_path / "stderr"
    path.write_bytes(b"")
    return path, tmp_path / "offset"


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


def test_lines_are_read_once_they_are_whole(stderr: tuple[Path, Path]) -> None:
    reader = StderrReader(*stderr, resume=False)
    append(stderr[0], b"one\ntw")
    assert reader.read() == ["one"]
    append(stderr[0], b"o\nthree")
    assert reader.read() == ["two"]
    assert reader.read(final=True) == ["three"]


def test_the_next_worker_goes_on_where_the_last_one_stopped(stderr: tuple[Path, Path]) -> None:
    append(stderr[0], b"one\nhalf of ")
    assert StderrReader(*stderr, resume=False).read() == ["one"]

    append(stderr[0], b"two\n")

    assert StderrReader(*stderr, resume=True).read() == ["half of two"]


def test_a_file_that_was_read_is_emptied_and_nothing_is_lost(stderr: tuple[Path, Path]) -> None:
    reader = StderrReader(*stderr, resume=False)
    lines = [f"line {number} {'x' * 90}" for number in range(5000)]
    read = []
    for start in range(0, 5000, 100):
        append(stderr[0], "".join(f"{line}\n" for line in lines[start : start + 100]).encode())
        read += reader.read()

    assert read == lines
    assert stderr[0].stat().st_size < 2 * StderrReader.RESET_AT


def test_a_flood_is_skipped_and_the_log_says_so(stderr: tuple[Path, Path]) -> None:
    reader = StderrReader(*stderr, resume=False)
    append(stderr[0], b"x" * 99 + b"\n" * 1)
    append(stderr[0], (b"y" * 99 + b"\n") * 30_000)

    lines = reader.read()

    assert "bytes of log skipped" in lines[0]
    assert sum(map(len, lines)) <= StderrReader.MAX_READ + 200


def test_invalid_bytes_and_carriage_returns_do_not_hurt(stderr: tuple[Path, Path]) -> None:
    append(stderr[0], b"a\xff\xfeb\rsecond\r\n\x00\n")

    assert StderrReader(*stderr, resume=False).read() == ["a\ufffd\ufffdb", "second", "\x00"]


def test_progress_is_read_to_its_end_and_the_file_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    reader = ProgressReader(path)
    assert reader.read() is None, "a file that is not there is not a file without progress"
    path.write_bytes(b"")
    total = 0
    for number in range(3000):
        append(path, b"frame=%d\n" % number + b"x" * 200 + b"\nprogress=continue\n")
        total += (reader.read() or b"").count(b"progress=continue")

    assert total == 3000
    assert path.stat().st_size < ProgressReader.RESET_AT + 1000


def test_an_old_progress_file_is_read_from_near_its_end(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    path.write_bytes(b"old\n" * 100_000 + b"progress=continue\n")

    data = ProgressReader(path).read() or b""

    assert data.endswith(b"progress=continue\n")
    assert len(data) <= ProgressReader.BACKLOG
