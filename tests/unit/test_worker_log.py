"""A channel's log and the files that FFmpeg writes to."""

import errno
import os
import subprocess
import tempfile
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

import pytest

from transcoder_tui.worker.logfile import BLOCK, ChannelLog, stamp
from transcoder_tui.worker.readers import ProgressReader, StderrReader
from transcoder_tui.worker.trimming import Numbers, collapse, cuttable


@pytest.fixture
def log(tmp_path: Path) -> ChannelLog:
    return ChannelLog(tmp_path / "logs" / "1-news.log", 100_000)


def cuts_in_place(directory: Path) -> bool:
    """Whether the file system below a directory can cut a file in place."""
    with tempfile.TemporaryFile(dir=directory) as file:
        file.write(b"x" * 1_000_000)
        file.flush()
        return collapse(file.fileno(), cuttable(file.fileno(), 500_000))


def append(path: Path, data: bytes) -> None:
    with path.open("ab") as file:
        file.write(data)


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


def test_the_cap_holds_at_every_moment_and_the_file_stays_the_same(log: ChannelLog) -> None:
    log.write(["first"])
    inode = log.path.stat().st_ino
    for number in range(3000):
        log.write([f"line {number} {'x' * 50}"])
        assert log.path.stat().st_size <= 100_000

    if not cuts_in_place(log.path.parent):
        pytest.skip("this file system cannot cut a file in place")
    assert log.path.stat().st_ino == inode


def test_following_a_log_over_many_cuts_misses_no_line_and_sees_none_twice(log: ChannelLog) -> None:
    seen: list[str] = []
    offset = 0
    for number in range(10_000):
        log.write([f"line {number} {'x' * (number % 97)}"])
        if number % 50 == 49:
            chunk = log.read(offset, 1000)
            assert chunk.offset == offset
            seen += chunk.lines
            offset = chunk.next_offset

    assert seen == [f"line {number} {'x' * (number % 97)}" for number in range(10_000)]


def test_where_a_file_cannot_be_cut_in_place_it_is_written_anew(
    log: ChannelLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transcoder_tui.worker.logfile.collapse", lambda _descriptor, _length: False)
    test_the_oldest_part_is_dropped_at_the_cap_and_offsets_stay_valid(log)

    assert log.read(0, 1).first_offset == log.read(0, 1).offset
    assert log.path.read_bytes().startswith(b"line "), "and is cut between two lines"
    assert sorted(path.suffix for path in log.path.parent.iterdir()) == [".dropped", ".log"]


@pytest.mark.parametrize("in_place", [True, False])
@pytest.mark.parametrize("dies", ["before the cut", "after it"])
def test_offsets_stay_valid_over_a_crash_while_the_oldest_part_is_dropped(
    log: ChannelLog, in_place: bool, dies: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if in_place and not cuts_in_place(log.path.parent.parent):
        pytest.skip("this file system cannot cut a file in place")
    if not in_place:
        monkeypatch.setattr("transcoder_tui.worker.logfile.collapse", lambda _descriptor, _length: False)
    while log.path.parent.exists() is False or log.path.stat().st_size < 90_000:
        log.write([f"line {log.end} {'x' * 50}"])
    middle = log.read(50_000, 1).next_offset
    expected = log.read(middle, 10).lines

    def die(*_arguments: object) -> bool:
        raise Crash

    if dies == "before the cut":
        monkeypatch.setattr(f"transcoder_tui.worker.logfile.{'collapse' if in_place else 'ChannelLog._rewrite'}", die)
    else:
        monkeypatch.setattr("transcoder_tui.worker.logfile.failpoint", die)
    with pytest.raises(Crash):
        for _ in range(1000):
            log.write([f"line {log.end} {'x' * 50}"])
    end = log.end
    monkeypatch.undo()

    for _ in range(2):
        survivor = ChannelLog(log.path, 100_000)
        assert survivor.end == end
        assert survivor.read(middle, 10).lines == expected
        survivor.write([f"line {survivor.end} after the crash"])
        end = survivor.end
    assert all(line.startswith("line ") for line in survivor.read(0, 100_000).lines)


class Crash(BaseException):
    """Stands for the end of the worker."""


def test_a_deleted_log_comes_back_and_its_offsets_go_on(log: ChannelLog) -> None:
    log.write(["one"])
    following = log.tail(1).next_offset
    log.path.unlink()
    assert log.tail(10).lines == []
    log.write(["two"])

    assert log.tail(10).lines == ["two"]
    assert log.read(following, 10).lines == ["two"], "who was following sees what is new"


def test_a_log_comes_back_after_its_directory_was_moved_away(log: ChannelLog) -> None:
    log.write(["one"])
    log.path.parent.rename(log.path.parent.with_name("logs.old"))
    log.write(["two"])

    assert log.tail(10).lines == ["two"]


def test_a_log_that_somebody_emptied_goes_on(log: ChannelLog) -> None:
    log.write(["one", "two"])
    following = log.tail(1).next_offset
    with log.path.open("w"):
        pass
    log.write(["three"])

    assert log.read(following, 10).lines == ["three"]
    assert ChannelLog(log.path, 100_000).read(following, 10).lines == ["three"]


def test_a_line_that_was_cut_short_is_not_glued_to_the_next_one(log: ChannelLog) -> None:
    log.write(["one"])
    append(log.path, b"half a li")
    assert log.tail(10).lines == ["one"]

    ChannelLog(log.path, 100_000).write(["two"])

    assert log.tail(10).lines == ["one", "half a li", "two"]


def test_lines_that_could_not_be_written_are_counted_in_the_log(
    log: ChannelLog, monkeypatch: pytest.MonkeyPatch
) -> None:
    log.write(["one"])

    def full_after(room: int) -> Callable[[int, bytes], int]:
        def write(descriptor: int, data: bytes) -> int:
            if room == 0:
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            return real(descriptor, data[:room])

        return write

    real = os.write
    monkeypatch.setattr(os, "write", full_after(6))
    log.write(["two", "three"])
    monkeypatch.setattr(os, "write", full_after(0))
    log.write(["four", "five"])
    monkeypatch.undo()
    log.write(["six"])
    log.write(["seven"])

    first, second, torn, note, *rest = log.tail(10).lines
    assert (first, second, torn) == ("one", "two", "th")
    assert note.endswith("WORKER  3 lines are missing here, which could not be written: No space left on device")
    assert rest == ["six", "seven"]


def test_the_tail_is_right_at_every_boundary(log: ChannelLog) -> None:
    log.write(["x" * (BLOCK - 1)])
    log.write(["second", "third"])

    assert [len(line) for line in log.tail(3).lines] == [BLOCK - 1, 6, 5]
    assert log.tail(4) == log.tail(3), "there are no more"
    assert log.tail(2).lines == ["second", "third"]
    assert log.tail(0).lines == []
    assert log.tail(3).offset == 0
    assert log.tail(1).offset == log.tail(2).next_offset - len("third\n")


def test_a_line_longer_than_any_of_ours_does_not_stop_a_reader(log: ChannelLog) -> None:
    log.write(["one"])
    append(log.path, b"x" * 80_000 + b"\ntwo\n")

    long = log.read(4, 1)

    assert len(long.lines[0]) == 80_000
    assert log.read(long.next_offset, 1).lines == ["two"]


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


@pytest.mark.parametrize("in_place", [True, False])
def test_what_was_read_is_cut_off_and_nothing_is_lost(
    stderr: tuple[Path, Path], in_place: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not in_place:
        monkeypatch.setattr("transcoder_tui.worker.readers.collapse", lambda _descriptor, _length: False)
    reader = StderrReader(*stderr, resume=False)
    lines = [f"line {number} {'x' * 90}" for number in range(5000)]
    read = []
    for start in range(0, 5000, 100):
        append(stderr[0], "".join(f"{line}\n" for line in lines[start : start + 100]).encode())
        read += reader.read()

    assert read == lines
    assert stderr[0].stat().st_size < 2 * StderrReader.TRIM_AT


def test_of_a_flood_the_first_and_the_last_lines_are_kept(stderr: tuple[Path, Path]) -> None:
    reader = StderrReader(*stderr, resume=False)
    append(stderr[0], b"".join(b"line %d of a flood\n" % number for number in range(100_000)))

    *first, note, last = reader.read()[: StderrReader.MAX_LINES // 2 + 2]
    *_, very_last = [*first, note, last]

    assert first[:2] == ["line 0 of a flood", "line 1 of a flood"]
    assert note.startswith("[warning] about ")
    assert "lines (" in note
    assert very_last.startswith("line 99")
    append(stderr[0], b"the flood is over\n")
    assert reader.read() == ["the flood is over"]


@pytest.mark.parametrize("length", [5, 60, 300, 20_000, 100_000])
def test_a_flood_costs_a_bounded_number_of_lines_and_bytes_and_all_are_accounted_for(
    stderr: tuple[Path, Path], length: int
) -> None:
    reader = StderrReader(*stderr, resume=False)
    data = (b"y" * (length - 1) + b"\n") * (3_000_000 // length)
    append(stderr[0], data)

    lines = reader.read()

    skipped = [int(line.partition("(")[2].partition(" ")[0]) for line in lines if "skipped here" in line]
    kept = [line for line in lines if "skipped here" not in line]
    assert len(skipped) == 1
    assert len(lines) <= StderrReader.MAX_LINES + 1
    assert sum(map(len, kept)) <= StderrReader.MAX_READ
    ends = sum(len(line) == length - 1 for line in kept)
    assert sum(map(len, kept)) + ends + skipped[0] == len(data)


def test_a_flood_without_line_ends_does_not_pile_up(stderr: tuple[Path, Path]) -> None:
    reader = StderrReader(*stderr, resume=False)
    for _ in range(50):
        append(stderr[0], b"z" * 100_000)
        assert sum(map(len, reader.read())) <= StderrReader.MAX_READ + 200

    append(stderr[0], b"\nquiet again\n")
    assert reader.read()[-1] == "quiet again"


def test_a_file_that_cannot_be_cut_does_not_grow_in_a_flood_without_end(
    stderr: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("transcoder_tui.worker.readers.collapse", lambda _descriptor, _length: False)
    reader = StderrReader(*stderr, resume=False)
    for _ in range(40):
        append(stderr[0], b"a line of a flood\n" * 20_000 + b"half of a li")
        reader.read()
        append(stderr[0], b"ne\n")

    assert stderr[0].stat().st_size < 2 * StderrReader.FLOODED


def test_a_crash_while_the_file_is_cut_loses_no_line_and_doubles_none(
    stderr: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    if not cuts_in_place(stderr[0].parent):
        pytest.skip("this file system cannot cut a file in place")
    reader = StderrReader(*stderr, resume=False)
    expected, read = [], []

    def die_before(_descriptor: int, _length: int) -> bool:
        raise Crash

    def die_after(descriptor: int, length: int) -> bool:
        assert collapse(descriptor, length)
        raise Crash

    for number in range(2000):
        lines = [f"line {number}.{part} {'x' * 90}" for part in range(10)]
        expected += lines
        append(stderr[0], "".join(f"{line}\n" for line in lines).encode())
        monkeypatch.setattr("transcoder_tui.worker.readers.collapse", die_after if number % 2 else die_before)
        try:
            read += reader.read()
        except Crash:
            monkeypatch.undo()
            reader = StderrReader(*stderr, resume=True)
            read += reader.read()

    assert read == expected


def test_the_next_worker_sees_in_the_log_whether_the_last_lines_came_there(stderr: tuple[Path, Path]) -> None:
    append(stderr[0], b"one\n")
    assert StderrReader(*stderr, resume=False).read(log_end=100) == ["one"]

    assert StderrReader(*stderr, resume=True, log_end=104).read() == [], "they are in the log"
    assert StderrReader(*stderr, resume=True, log_end=100).read() == ["one"], "the last worker died before"
    assert StderrReader(*stderr, resume=True).read() == [], "nobody knows"


def test_a_deleted_or_replaced_file_is_still_read_through_the_process_that_writes_to_it(
    stderr: tuple[Path, Path], tmp_path: Path
) -> None:
    with (
        stderr[0].open("ab") as file,
        subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=file) as writer,
    ):
        reader = StderrReader(*stderr, resume=False, pid=writer.pid)
        append(stderr[0], b"one\n")
        assert reader.read() == ["one"]
        stderr[0].rename(tmp_path / "away")
        append(tmp_path / "away", b"two\n")
        assert reader.read() == ["two"]
        stderr[0].write_bytes(b"somebody else's\n")
        append(tmp_path / "away", b"three\n")
        assert StderrReader(*stderr, resume=True, pid=writer.pid).read() == ["three"]
        stderr[0].unlink()
        file.write(b"four\n")
        (tmp_path / "away").unlink()
        file.flush()
        reader = StderrReader(*stderr, resume=True, pid=writer.pid)
        assert reader.read() == ["four"]
        writer.stdin.close()  # type: ignore[union-attr]
        writer.wait()
        assert reader.read(final=True) == []


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


def test_a_flood_of_progress_is_read_from_near_its_end_and_the_file_stays_small(tmp_path: Path) -> None:
    path = tmp_path / "progress"
    path.write_bytes(b"")
    reader = ProgressReader(path)
    for _ in range(20):
        append(path, b"noise=1\n" * 50_000 + b"progress=continue\n")
        data = reader.read() or b""
        assert data.endswith(b"progress=continue\n")
        assert len(data) <= ProgressReader.MAX_READ
        assert path.stat().st_size < 2_000_000


def test_numbers_survive_a_shorter_and_an_unreadable_file(tmp_path: Path) -> None:
    numbers = Numbers(tmp_path / "numbers", 3)
    assert numbers.read() == [0, 0, 0]
    numbers.path.write_text("7")
    assert numbers.read() == [7, 0, 0]
    numbers.write(1, -2)
    assert numbers.read() == [1, -2, 0]
    numbers.path.write_bytes(b"\xff\xfe")
    assert numbers.read() == [0, 0, 0]
