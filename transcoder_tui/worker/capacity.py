"""Measures what this machine encodes, and keeps it."""

import json
import os
import tempfile
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psutil
from pydantic import ValidationError

from transcoder_tui.errors import HostFault
from transcoder_tui.ffmpeg import benchmark
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import ENVIRONMENT
from transcoder_tui.ffmpeg.hardware import HARDWARE_ENCODERS, Trial, build_test
from transcoder_tui.host.cpus import cpu_model
from transcoder_tui.host.metering import Usage, run_metered
from transcoder_tui.models.capacity import MEASURE, Capacity, PictureCost
from transcoder_tui.store.files import FILE_MODE, put_in_place

NICE = 19
"""Channels on air go first."""
FRAMES = (25, 100)
"""Frames of a run at least and at most."""
BARE_FRAMES = 50
"""Frames of a run without an encoder."""
BARE_RUNS = 3
"""Of those the cheapest counts: their figure is taken off all others."""
AIM_S = 2.0
"""Seconds that a run should take; so many frames as the run before makes in this time."""
LIMIT_S = 60.0
"""Seconds after which a run is given up."""
TEST_S = 5.0
"""Seconds for a test of whether hardware works."""
SATURATED = 0.85
"""Share of the machine's cores that are busy from which on a run is held up by them, and not by its encoder."""


class Step(NamedTuple):
    """What was measured last."""

    number: int
    """From 1 on."""
    total: int
    what: str
    cpu_ms: float
    """CPU time per frame."""
    fps: float | None
    """Frames per second, where it was an encoder."""


Report = Callable[[Step], None]


def measure(binary: Binary, report: Report) -> Capacity:
    """Measures this machine; takes a minute or two on two cores.

    Nothing is left behind, also where it is interrupted.

    Args:
        binary: The FFmpeg of the channels.
        report: Shows how far it is.

    Raises:
        HostFault: Where FFmpeg fails.
    """
    with tempfile.TemporaryDirectory(prefix="transcoder-tui-bench-") as place:
        return _Measurement(binary, Path(place) / "sample.ts", report).run()


class _Measurement:
    def __init__(self, binary: Binary, sample: Path, report: Report) -> None:
        self._binary, self._sample, self._report = binary, sample, report
        self._cores = os.cpu_count() or 1
        self._used_s = 0.0
        self._start_s = 0.0
        self._done = 0

    def run(self) -> Capacity:
        baselines, encodes = benchmark.baselines(), list(benchmark.encodes(self._binary, self._hardware()))
        total = len(baselines) + len(encodes)
        began, busy_s = time.monotonic(), _busy_s()
        self._ffmpeg(benchmark.make_sample(self._binary, self._sample))
        self._start_s = min(self._bare(benchmark.DECODE, 1) for _ in range(BARE_RUNS))
        bare: dict[str, float] = {}
        for baseline in baselines:
            used_s = min(self._bare(baseline, BARE_FRAMES) for _ in range(BARE_RUNS))
            bare[baseline.name] = self._per_frame(used_s, BARE_FRAMES)
            self._tell(total, baseline.name, _ms(bare[baseline.name]), None)
        pictures: list[PictureCost] = []
        frames = FRAMES[1]
        for encode in encodes:
            if not pictures or (pictures[-1].encoder, pictures[-1].size) != (encode.encoder, encode.size):
                frames = BARE_FRAMES
            cost, wall_s = self._encode(encode, bare[benchmark.scale_to(encode.size).name], frames)
            frames = min(FRAMES[1], max(FRAMES[0], round(frames * AIM_S / wall_s / 2)))
            pictures.append(cost)
            self._tell(total, f"{cost.encoder} {cost.preset} {cost.size}", cost.cpu_ms, cost.fps)
        decode = bare[benchmark.DECODE.name]
        return Capacity(
            at=datetime.now(UTC),
            ffmpeg=self._binary.version,
            cpu=cpu_model(),
            cores=self._cores,
            busy=round(max(0.0, _busy_s() - busy_s - self._used_s) / (time.monotonic() - began), 2),
            decode_ms=_ms(decode),
            pattern_ms=_ms(bare[benchmark.PATTERN.name]),
            deinterlace_ms=_ms(bare[benchmark.DEINTERLACE.name] - decode),
            scale_ms={size: _ms(bare[benchmark.scale_to(size).name] - decode) for size in benchmark.SCALED},
            pictures=pictures,
        )

    def _encode(self, encode: benchmark.Encode, bare: float, frames: int) -> tuple[PictureCost, float]:
        busy_s = _busy_s()
        used = self._ffmpeg(benchmark.run_encode(self._binary, self._sample, encode, frames))
        cpu_s = max(self._per_frame(used.cpu_s, frames) - bare, 1e-5)
        fps = frames / used.wall_s
        # Where the machine holds it up, the encoder's own limit does not show; it cannot be more than its threads.
        is_held_up = (_busy_s() - busy_s) / used.wall_s > SATURATED * self._cores
        width = float(encode.threads or self._cores) if is_held_up else cpu_s * fps
        cost = PictureCost(
            encoder=encode.encoder,
            preset=encode.video.preset,
            size=encode.size,
            cpu_ms=_ms(cpu_s),
            fps=round(fps, 1),
            width=round(width, 2),
        )
        return cost, used.wall_s

    def _hardware(self) -> dict[str, Trial]:
        """Tries each hardware encoder out, on the device that its driver finds."""
        found: dict[str, Trial] = {}
        for codec, encoders in HARDWARE_ENCODERS.items():
            for encoder in encoders.values():
                if encoder.name in self._binary.encoders:
                    argv = [str(self._binary.path), *build_test(encoder, codec, "")]
                    used = run_metered(argv, {**ENVIRONMENT, **self._binary.environment}, TEST_S)
                    if used.exit_code == 0:
                        found[encoder.name] = Trial()
        return found

    def _bare(self, baseline: benchmark.Baseline, frames: int) -> float:
        return self._ffmpeg(benchmark.run_baseline(self._binary, self._sample, baseline, frames)).cpu_s

    def _per_frame(self, cpu_s: float, frames: int) -> float:
        """CPU seconds for a frame, without those that FFmpeg takes to start and to look into the sample."""
        return max(0.0, cpu_s - self._start_s) / frames

    def _ffmpeg(self, argv: Sequence[str]) -> Usage:
        used = run_metered(argv, {**ENVIRONMENT, **self._binary.environment}, LIMIT_S, NICE)
        self._used_s += used.cpu_s
        if used.exit_code:
            said = used.errors.strip().splitlines()[-1:] or [f"it ended with {used.exit_code}"]
            raise HostFault(f"{argv[0]} could not be measured: {said[0]}", "'transcoder-tui doctor' looks at it")
        return used

    def _tell(self, total: int, what: str, cpu_ms: float, fps: float | None) -> None:
        self._done += 1
        self._report(Step(self._done, total, what, cpu_ms, fps))


def keep(capacity: Capacity, path: Path) -> None:
    """Puts a measurement in place, in one step.

    Raises:
        HostFault: Where it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        try:
            with os.fdopen(descriptor, "w") as file:
                os.fchmod(file.fileno(), FILE_MODE)
                file.write(capacity.model_dump_json(indent=1) + "\n")
            put_in_place(Path(draft), path)
        except BaseException:
            Path(draft).unlink(missing_ok=True)
            raise
    except OSError as error:
        raise HostFault(
            f"{path} cannot be written: {error.strerror}", "run it as the user of the worker, or as root"
        ) from None


def kept(path: Path) -> Capacity | None:
    """The measurement that is kept; None where there is none, or one that cannot be read."""
    try:
        return Capacity.model_validate_json(path.read_bytes())
    except (OSError, ValidationError, json.JSONDecodeError):
        return None


def staleness(capacity: Capacity, binary: Binary | None) -> str:
    """Why a measurement does not hold any more, and what to do; empty where it does."""
    changes = []
    if binary is not None and binary.version != capacity.ffmpeg:
        changes.append(f"with FFmpeg {capacity.ffmpeg}, and this is {binary.version}")
    if cpu_model() != capacity.cpu or (os.cpu_count() or 1) != capacity.cores:
        changes.append(f"on {capacity.cores} cores of {capacity.cpu}")
    return f"it was measured {' '.join(changes)}; measure again with '{MEASURE}'" if changes else ""


def _busy_s() -> float:
    """CPU seconds that all programs of this machine, and others on its host, have used."""
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - times.iowait - times.guest - times.guest_nice)


def _ms(seconds: float) -> float:
    return round(max(0.0, seconds) * 1000, 3)
