"""What the worker concludes from FFmpeg's progress: on air, stalled, how fast."""

import pytest

from transcoder_tui.ffmpeg.progress import Progress
from transcoder_tui.host.sampling import ProcessSample
from transcoder_tui.worker.telemetry import WINDOW_S, RunTelemetry
from transcoder_tui.worker.watchdog import Watchdog


def progress(
    seconds: float | None,
    *,
    frame: int | None = None,
    size: int | None = None,
    drops: int | None = 0,
) -> Progress:
    out_time = None if seconds is None else round(seconds * 1e6)
    return Progress(frame=frame, out_time_us=out_time, total_size=size, drop_frames=drops, dup_frames=0, ended=False)


def test_a_run_is_on_air_after_two_blocks_with_advancing_media_time() -> None:
    watchdog = Watchdog(0)

    seen = []
    for second, block in enumerate([progress(None), progress(0.5), progress(0.5), progress(1.5)]):
        watchdog.feed(block, second)
        seen.append(watchdog.on_air)

    assert seen == [False, False, False, True]


def test_blocks_that_repeat_the_same_figures_are_no_progress() -> None:
    watchdog = Watchdog(0)
    watchdog.feed(progress(1), 1)
    watchdog.feed(progress(2), 2)
    for second in range(3, 12):
        watchdog.feed(progress(2), second)

    assert watchdog.stalled_s(12) == 10
    assert watchdog.silent_s(12) == 1, "blocks still come"


def test_audio_alone_is_progress() -> None:
    watchdog = Watchdog(0)
    for second in range(1, 60):
        watchdog.feed(progress(second, frame=None), second)

    assert watchdog.stalled_s(60) == 1


def test_an_adopted_run_is_on_air_and_gets_the_whole_time_again() -> None:
    watchdog = Watchdog(1000, on_air=True)

    assert watchdog.on_air
    assert watchdog.stalled_s(1009) == 9


def test_speed_over_a_minute_is_known_after_a_minute() -> None:
    telemetry = RunTelemetry(0, long_s=60)
    for second in range(60):
        telemetry.feed(progress(float(second)), second)
    assert telemetry.long_speed(59) is None

    for second in range(60, 200):
        telemetry.feed(progress(60 + (second - 60) * 0.9), second)

    assert telemetry.long_speed(199) == pytest.approx(0.9), "what was before is forgotten"


def test_figures_are_those_of_the_last_seconds_and_not_since_the_start() -> None:
    telemetry = RunTelemetry(0)
    for second in range(100):
        telemetry.feed(progress(second, frame=second * 25, size=second * 125_000), second)
    for second in range(100, 112):
        media = 100 + (second - 100) / 2
        telemetry.feed(progress(media, frame=round(media * 25), size=round(media * 125_000)), second)

    view = telemetry.view(111)

    assert view.speed == pytest.approx(0.5)
    assert view.fps == pytest.approx(12.5, abs=0.3)
    assert view.bitrate == pytest.approx(500_000, rel=0.02)


def test_stale_figures_are_not_shown() -> None:
    telemetry = RunTelemetry(0)
    telemetry.feed(progress(1, frame=25), 1)
    telemetry.feed(progress(2, frame=50), 2)

    assert telemetry.view(2).fps == 25
    assert telemetry.view(2 + WINDOW_S + 0.1).fps is None


def test_what_ffmpeg_does_not_say_is_measured_at_the_process() -> None:
    telemetry = RunTelemetry(2_000_000)
    for second in range(5):
        written = second * 100_000
        telemetry.feed_process(ProcessSample(at=second, cpu_percent=12.34, rss_bytes=50_000_000, written_bytes=written))
        telemetry.feed(progress(second, size=None), second)

    view = telemetry.view(4)

    assert view.bitrate == 2_000_000 + 800_000, "constant-rate output and what is written to files"
    assert view.cpu_percent == 12.3
    assert view.rss_bytes == 50_000_000


def test_a_run_without_figures_shows_none() -> None:
    view = RunTelemetry(0).view(0)

    assert (view.fps, view.speed, view.bitrate, view.drops) == (None, None, None, None)
