"""This machine is measured with the real FFmpeg, and what is estimated from that is what a channel takes."""

import os
import signal
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from transcoder_tui.cli.bench import measure_machine
from transcoder_tui.ffmpeg import benchmark
from transcoder_tui.ffmpeg.binary import Binary, carried, inspect_binary
from transcoder_tui.ffmpeg.command import HostFacts, build_command
from transcoder_tui.ffmpeg.progress import ProgressParser
from transcoder_tui.host.metering import run_metered
from transcoder_tui.models.capacity import Capacity, estimate
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.settings import Settings
from transcoder_tui.worker import capacity as measuring
from transcoder_tui.worker.capacity import kept, staleness

SIZES = ("1280x720", "640x360")
ON_AIR_S = 5.0


@pytest.fixture(scope="module")
def ours() -> Binary:
    return inspect_binary(carried(), "carried")


@pytest.fixture(scope="module")
def measured(ours: Binary, tmp_path_factory: pytest.TempPathFactory) -> Capacity:
    """What ``doctor --bench`` keeps, of a part of its grid, so that it is soon done."""
    place = tmp_path_factory.mktemp("measured")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TRANSCODER_FFMPEG__PATH", str(ours.path))
        patch.setattr(benchmark, "GRID", {"h264": dict.fromkeys(SIZES, ("superfast",))})
        patch.setattr(benchmark, "SAMPLE_FRAMES", 50)
        patch.setattr(measuring, "BARE_FRAMES", 25)
        patch.setattr(measuring, "BARE_RUNS", 1)
        patch.setattr(measuring, "NICE", 0)
        settings = Settings(data_dir=place)
        measure_machine(settings, as_json=True)
    found = kept(settings.capacity)
    assert found is not None
    assert [file.name for file in place.iterdir()] == ["capacity.json"]
    return found


@pytest.mark.long
def test_a_measurement_holds_each_encoder_preset_and_size_in_cpu_time(measured: Capacity) -> None:
    assert [(cost.encoder, cost.preset, cost.size) for cost in measured.pictures] == [
        ("libx264", "superfast", size) for size in SIZES
    ]
    large, small = measured.pictures
    assert large.cpu_ms > small.cpu_ms > 0
    assert measured.decode_ms > 0
    assert set(measured.scale_ms) == set(benchmark.SCALED)


def test_a_measurement_is_stale_after_a_change_of_ffmpeg_or_cpu(measured: Capacity, ours: Binary) -> None:
    assert staleness(measured, ours) == ""
    assert "measured with FFmpeg" in staleness(measured, replace(ours, version="4.4"))
    assert "8 cores of Abacus" in staleness(measured.model_copy(update={"cpu": "Abacus", "cores": 8}), ours)


def test_a_channel_takes_about_what_was_estimated(measured: Capacity, ours: Binary, tmp_path: Path) -> None:
    spec = ChannelSpec.model_validate(
        {
            "name": "Ladder",
            "sources": [{"url": "test://bars?size=1280x720&fps=25"}],
            "renditions": [
                {"name": size, "video": {"size": size, "bitrate": "2000k", "preset": "superfast"}} for size in SIZES
            ],
            "outputs": [{"url": "hls://ladder"}],
        }
    )
    host = HostFacts({}, [tmp_path], tmp_path / "hls", progress_fd=1)
    for name in (*SIZES, "audio1"):
        (tmp_path / "hls" / "ladder" / name).mkdir(parents=True)
    command = build_command(spec, ours, host)

    used = run_metered(command.argv, command.env, limit_s=ON_AIR_S)

    blocks = ProgressParser().feed(used.output)
    media_s = max(block.out_time_us or 0 for block in blocks) / 1e6
    assert media_s > 1, used.errors
    found = estimate(spec, measured, dict.fromkeys(SIZES, "libx264"))
    assert not found.guesses
    assert 0.25 < found.cores / (used.cpu_s / media_s) < 4, "the machine may do other things meanwhile"


@pytest.mark.long
def test_an_interrupted_measurement_leaves_nothing_behind(tmp_path: Path) -> None:
    scratch, data = tmp_path / "scratch", tmp_path / "data"
    scratch.mkdir()
    doctor = subprocess.Popen(
        [sys.executable, "-m", "transcoder_tui", "--data-dir", str(data), "doctor", "--bench"],
        env={**os.environ, "TMPDIR": str(scratch)},
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert doctor.stdout is not None
        assert "Ctrl-C" in doctor.stdout.readline()
        while not (running := _children(doctor.pid)):
            assert doctor.poll() is None
        doctor.send_signal(signal.SIGINT)

        assert doctor.wait(30) == 130
    finally:
        doctor.kill()
        doctor.wait()
        assert doctor.stdout is not None
        doctor.stdout.close()

    assert list(scratch.iterdir()) == []
    assert not (data / "capacity.json").exists()
    assert not [pid for pid in running if Path(f"/proc/{pid}").exists()]


def _children(pid: int) -> list[int]:
    text = Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in text.split()]
