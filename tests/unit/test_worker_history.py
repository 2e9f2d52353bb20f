"""The rings in which figures are kept, and the file in which they outlive the worker."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from transcoder_tui.models.history import Span
from transcoder_tui.models.view import Telemetry
from transcoder_tui.worker.history import COARSE, FINE, MEAN_OF, STEP_S, Histories, write

START = datetime(2026, 3, 1, 3, 0, tzinfo=UTC)


def at(step: float) -> datetime:
    return START + timedelta(seconds=step * STEP_S)


def run(histories: Histories, first: int, last: int, *, channels: tuple[int, ...] = (1,)) -> None:
    """Ticks with the number of the step as the frame rate."""
    for step in range(first, last):
        figures = {key: Telemetry(fps=float(step % 1000), speed=1.0, bitrate=5e6) for key in channels}
        histories.tick(figures, channels, step * STEP_S, at(step))


def saved(histories: Histories, file: Path) -> Path:
    write(file, histories.packed())
    return file


def test_a_figure_is_taken_every_five_seconds_whatever_the_ticks() -> None:
    histories = Histories()
    for tenth in range(200):
        second = tenth / 10
        histories.tick({1: Telemetry(fps=second)}, [1], second, START + timedelta(seconds=second))

    series = histories.series(1, Span.MINUTES)

    assert series.fps[-5:] == [None, 0, 5, 10, 15]
    assert series.end == START + timedelta(seconds=15)
    assert len(series.fps) == FINE


def test_the_oldest_figures_go() -> None:
    histories = Histories()
    run(histories, 0, FINE + 7)

    assert histories.series(1, Span.MINUTES).fps == list(range(7, FINE + 7))


def test_the_day_holds_the_mean_of_each_five_minutes() -> None:
    histories = Histories()
    run(histories, 0, 2 * MEAN_OF + 3)

    day = histories.series(1, Span.DAY)

    assert day.fps[-3:] == [None, 29.5, 89.5]
    assert (day.speed[-1], day.bitrate[-1], day.cpu[-1]) == (1.0, 5_000_000, None)
    assert (len(day.fps), day.step_s, day.end) == (COARSE, 300, at(2 * MEAN_OF + 2) - timedelta(seconds=15))


def test_a_mean_is_that_of_the_time_on_air() -> None:
    histories = Histories()
    run(histories, 0, MEAN_OF // 2)
    for step in range(MEAN_OF // 2, MEAN_OF):
        histories.tick({}, [1], step * STEP_S, at(step))

    assert histories.series(1, Span.DAY).fps[-1] == 14.5
    assert histories.series(1, Span.MINUTES).fps[-1] is None


def test_a_worker_that_was_paused_leaves_a_gap() -> None:
    histories = Histories()
    run(histories, 0, 10)
    run(histories, 14, 16)

    assert histories.series(1, Span.MINUTES).fps[-8:] == [8, 9, None, None, None, None, 14, 15]


def test_deleted_channels_are_forgotten_and_stopped_ones_take_nothing() -> None:
    histories = Histories()
    run(histories, 0, 3, channels=(1, 2))
    histories.tick({}, [2, 3], 3 * STEP_S, at(3))

    assert set(histories.series(1, Span.MINUTES).fps) == {None}
    assert histories.series(2, Span.MINUTES).fps[-2:] == [2, None]
    assert len(b"".join(histories.packed())) < 7000


@pytest.mark.parametrize("missed", [0, 4, FINE, 5 * MEAN_OF, 2 * COARSE * MEAN_OF])
def test_the_next_worker_goes_on_after_a_gap(tmp_path: Path, missed: int) -> None:
    histories = Histories()
    run(histories, 0, 3 * MEAN_OF)
    before = histories.series(1, Span.MINUTES).fps
    file = saved(histories, tmp_path / "history.bin")

    after = Histories()
    after.load(file, at(3 * MEAN_OF - 1 + missed))
    gap: list[float | None] = [None] * missed
    seen = after.series(1, Span.MINUTES).fps
    after.tick({1: Telemetry(fps=77.0)}, [1], 1000.0, at(3 * MEAN_OF + missed))

    assert seen == (before + gap)[-FINE:]
    assert after.series(1, Span.MINUTES).fps[-1] == 77
    means = [29.5, 89.5, 149.5]
    there = [value for value in after.series(1, Span.DAY).fps if value is not None]
    assert there == ([] if missed > COARSE * MEAN_OF else means)


def test_a_clock_that_was_set_back_leaves_no_gap(tmp_path: Path) -> None:
    histories = Histories()
    run(histories, 0, 5)
    file = saved(histories, tmp_path / "history.bin")

    after = Histories()
    after.load(file, START - timedelta(days=1))

    assert after.series(1, Span.MINUTES).fps == histories.series(1, Span.MINUTES).fps


@pytest.mark.parametrize("damage", ["cut", "bit", "empty", "foreign", "long"])
def test_a_damaged_file_is_passed_over(tmp_path: Path, damage: str) -> None:
    histories = Histories()
    run(histories, 0, 5)
    file = saved(histories, tmp_path / "history.bin")
    whole = file.read_bytes()
    bad = {
        "cut": whole[:-100],
        "bit": whole[:500] + bytes([whole[500] ^ 1]) + whole[501:],
        "empty": b"",
        "foreign": b"something else" * 1000,
        "long": whole + b"more",
    }[damage]
    file.write_bytes(bad)

    after = Histories()
    after.load(file, at(5))
    run(after, 6, 7)

    assert [value for value in after.series(1, Span.MINUTES).fps if value is not None] == [6]


def test_no_file_is_no_trouble(tmp_path: Path) -> None:
    histories = Histories()
    histories.load(tmp_path / "nothing", START)

    assert set(histories.series(1, Span.DAY).fps) == {None}
