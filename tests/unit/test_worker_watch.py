"""What the worker concludes from FFmpeg's progress: on air, stalled, how fast."""

from pathlib import Path

import pytest

from transcoder_tui.ffmpeg.facts import HostFacts
from transcoder_tui.ffmpeg.progress import Progress
from transcoder_tui.host.sampling import ProcessSample
from transcoder_tui.host.signs import Signs
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.health import Health
from transcoder_tui.models.source import Source
from transcoder_tui.settings import WatchdogSettings
from transcoder_tui.worker.health import Trouble
from transcoder_tui.worker.logfile import ChannelLog
from transcoder_tui.worker.monitor import Monitor, Observed
from transcoder_tui.worker.output_watch import OutputWatch
from transcoder_tui.worker.rundir import RunDir
from transcoder_tui.worker.telemetry import WINDOW_S, RunTelemetry
from transcoder_tui.worker.watch import Watch
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


def test_an_encoder_that_is_too_slow_is_told_however_unevenly_its_progress_is_read() -> None:
    for speed in (0.2, 0.4, 0.8):
        telemetry = RunTelemetry(0, long_s=60)
        for second in range(75):
            if second % 5 != 4:
                telemetry.feed(progress(second * speed), second)

        assert telemetry.long_speed(74) == pytest.approx(speed, abs=0.01)


@pytest.mark.parametrize("blocks", [False, True], ids=["no blocks in the pause", "blocks with frozen figures"])
def test_a_source_that_paused_is_no_slow_encoder(blocks: bool) -> None:
    telemetry = RunTelemetry(0, long_s=60)
    seen = []
    for second in range(300):
        paused = second // 100 * 3 + min(second % 100, 3)
        if blocks or second % 100 not in (1, 2, 3):
            telemetry.feed(progress(second + 10 - paused), second)
        seen.append(telemetry.long_speed(second))

    assert seen[99] == seen[199] == seen[299] == 1
    assert min(speed for speed in seen if speed is not None) == 1


class Rig:
    """A monitor whose FFmpeg and clock are the test's."""

    def __init__(self, path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now, self.media = 100.0, 0
        monkeypatch.setattr("transcoder_tui.worker.monitor.time.monotonic", lambda: self.now)
        self.run_dir = RunDir(path / "run")
        self.run_dir.path.mkdir()
        self._stderr = path / "stderr"
        self._stderr.touch()
        self.run_dir.progress.touch()
        observed = Observed(self.run_dir, None, self._stderr, "udp://239.1.1.1:5000", (), 0, 60)
        self.monitor = Monitor(observed, ChannelLog(path / "log", 1_000_000))

    def say(self, line: str) -> None:
        with self._stderr.open("a") as file:
            file.write(line + "\n")
        self.monitor.read()

    def run(self, seconds: int, *, advancing: bool = True) -> None:
        for _ in range(seconds):
            self.now += 1
            self.media += advancing
            with self.run_dir.progress.open("a") as file:
                file.write(f"frame={self.media * 25}\nout_time_us={self.media * 1_000_000}\nprogress=continue\n")
            self.monitor.read()


FOREIGN = "[hls @ 0x1] [error] Protocol 'ftp' not on whitelist 'http,https'!"
LOST = Trouble(Health.INPUT_LOST, "nothing has arrived", "check the source")


def test_a_line_that_ffmpeg_survived_decides_nothing_later(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    rig = Rig(tmp_path, monkeypatch)
    rig.say(FOREIGN)
    assert not rig.monitor.verdict(1).heals

    rig.run(30)
    rig.run(15, advancing=False)

    blame = rig.monitor.blame(LOST)
    assert (blame.cause, blame.heals) == ("nothing has arrived", True)
    assert "ended or fell silent" in rig.monitor.verdict(0).cause


def test_a_line_just_before_the_end_is_its_cause_but_what_was_on_air_can_be_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, monkeypatch)
    rig.run(30)
    rig.say(FOREIGN)
    rig.run(5)
    rig.run(15, advancing=False)

    blame = rig.monitor.blame(LOST)

    assert blame.cause.startswith("nothing has arrived: a playlist or redirection led to ftp:")
    assert blame.heals


def hls_watch(root: Path, now: float) -> OutputWatch:
    return OutputWatch(spec({"url": "hls://t", "segment": "2s"}), HostFacts({}, [root], root), now)


def spec(*outputs: dict[str, str]) -> ChannelSpec:
    rendition = {"name": "a", "video": {"size": "160x90", "bitrate": "100k"}, "audio": {"bitrate": "32k"}}
    document = {
        "name": "T",
        "sources": [{"url": "udp://239.1.1.1:5000"}],
        "renditions": [rendition],
        "outputs": list(outputs),
    }
    return ChannelSpec.model_validate(document)


def test_an_output_that_does_not_grow_while_media_advances_is_frozen(tmp_path: Path) -> None:
    watch = hls_watch(tmp_path, 0)

    for second in range(12):
        watch.look(second)

    assert [trouble.health for trouble in watch.troubles({})] == [Health.OUTPUT_FROZEN]
    assert watch.troubles({}, 12) == [], "a source that comes in bursts needs more patience"


def test_time_without_media_is_no_fault_of_an_output(tmp_path: Path) -> None:
    watch = hls_watch(tmp_path, 0)

    watch.hold(14)
    for second in range(14, 20):
        watch.look(second)
    for second in range(20, 50):
        watch.hold(second)
        watch.look(second)
    watch.look(53)
    assert watch.troubles({}) == [], "it began late, and was quiet for long"


def watched(root: Path, outputs: list[dict[str, str]], looks: list[Signs], monkeypatch: pytest.MonkeyPatch) -> Trouble:
    """What is told of a channel that was on air and has been quiet for 3 s, after two looks at it."""
    rig = Rig(root, monkeypatch)
    rig.run(5)
    document = spec(*outputs)
    watched_outputs = OutputWatch(document, HostFacts({}, [root], root), rig.now)
    limits = WatchdogSettings()
    watch = Watch(1, rig.monitor, watched_outputs, document.sources[0], limits, rig.run_dir.path)
    remaining = iter(looks)
    monkeypatch.setattr("transcoder_tui.worker.watch.look", lambda pid: next(remaining))
    found: list[Trouble] = []
    for _ in range(3):
        rig.run(1, advancing=False)
        found = watch.troubles(rig.now, {})
    return found[0]


@pytest.mark.parametrize(
    ("url", "unsent", "health"),
    [
        ("rtmp://127.0.0.1/live/key", 200_000, Health.OUTPUT_BLOCKED),
        ("rtmp://127.0.0.1/live/key", 300, Health.INPUT_LOST),
        ("udp://239.1.1.2:5000", 200_000, Health.INPUT_LOST),
    ],
)
def test_only_a_full_send_buffer_of_an_output_over_tcp_blocks(
    url: str, unsent: int, health: Health, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signs = Signs("S", 0, 0, 0, 0, unsent)

    assert watched(tmp_path, [{"url": url}], [signs] * 2, monkeypatch).health == health


@pytest.mark.parametrize(
    ("url", "backed_up", "health"),
    [
        ("srt://:9000?mode=listener", False, Health.NO_PEER),
        ("srt://:9000?mode=listener", True, Health.NEVER_STARTED),
        ("srt://192.0.2.1:9000", False, Health.NEVER_STARTED),
    ],
)
def test_a_source_that_waits_for_its_peer_may_start_late_unless_there_is_a_backup(
    url: str, backed_up: bool, health: Health, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, monkeypatch)
    document = spec({"url": "udp://239.1.1.2:5000"})
    outputs = OutputWatch(document, HostFacts({}, [tmp_path], tmp_path), rig.now)
    limits = WatchdogSettings()
    source = Source(url=url)
    watch = Watch(1, rig.monitor, outputs, source, limits, rig.run_dir.path, backed_up=backed_up)
    monkeypatch.setattr("transcoder_tui.worker.watch.look", lambda pid: Signs("S", 0, 0, 0, 0, 0))

    found: list[Trouble] = []
    for _ in range(round(limits.startup_s) + 1):
        rig.run(1, advancing=False)
        found = watch.troubles(rig.now, {})

    assert [trouble.health for trouble in found] == [health]
    assert watch.must_end(found[0], rig.now) == (health != Health.NO_PEER)


@pytest.mark.parametrize(
    ("url", "on_air", "quiet_s", "words", "ended"),
    [
        ("udp://239.1.1.1:5000", True, 4, "nothing usable has arrived from udp://239.1.1.1:5000 for 4 s", False),
        ("udp://239.1.1.1:5000", True, 8, "packets arrive from udp://239.1.1.1:5000, but", False),
        ("udp://239.1.1.1:5000", False, 15, "no media within 15 s of the start: packets arrive from udp://", True),
        ("rtp://239.1.1.1:5000", False, 15, "no media within 15 s of the start: packets arrive from rtp://", True),
        ("rtp://239.1.1.1:5000", True, 4, "nothing usable has arrived from rtp://", False),
        ("rtp://239.1.1.1:5000", True, 5, "nothing usable has arrived from rtp://", True),
        ("srt://192.0.2.1:9000", False, 15, "(input lost): nothing usable has arrived from srt://", True),
    ],
)
def test_a_datagram_source_that_ffmpeg_still_waits_for_is_not_called_silent(
    url: str, on_air: bool, quiet_s: int, words: str, ended: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, monkeypatch)
    if on_air:
        rig.run(5)
    outputs = OutputWatch(spec({"url": "udp://239.1.1.2:5000"}), HostFacts({}, [tmp_path], tmp_path), rig.now)
    watch = Watch(1, rig.monitor, outputs, Source(url=url), WatchdogSettings(), rig.run_dir.path)
    monkeypatch.setattr("transcoder_tui.worker.watch.look", lambda pid: Signs("S", 0, 0, 0, 0, 0))

    found: list[Trouble] = []
    for _ in range(quiet_s):
        rig.run(1, advancing=False)
        found = watch.troubles(rig.now, {})

    assert words in found[0].message
    assert watch.must_end(found[0], rig.now) == ended


def test_what_the_log_says_of_a_source_that_never_came_on_air_is_the_cause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rig = Rig(tmp_path, monkeypatch)
    rig.run(10, advancing=False)
    assert rig.monitor.blame(LOST).cause == "nothing has arrived"

    rig.say("[error] Cannot determine format of input stream 0:0 after EOF")

    assert rig.monitor.blame(LOST).cause == "nothing of udp://239.1.1.1:5000 could be decoded"
