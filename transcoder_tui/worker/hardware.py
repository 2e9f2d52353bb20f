"""Which hardware encoders work: tested when a channel that may use them starts, and known for a while then."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.command import ENVIRONMENT, Command
from transcoder_tui.ffmpeg.encoders import hardware_for
from transcoder_tui.ffmpeg.hardware import Trial, build_test, why_not
from transcoder_tui.ffmpeg.video_encoders import VideoEncoder
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.rendition import HARDWARE
from transcoder_tui.worker.errand import run_errand

WORKS_S = 10.0
"""Seconds for which hardware that worked is taken to work: others may use up its sessions meanwhile."""
FAILS_S = 60.0
"""Seconds for which hardware that failed is not tried again."""
WAIT_S = 2.0
"""Seconds that a start waits for tests at most; one takes 20 to 80 ms where there is no such hardware (measured)."""
LIMIT_S = 10.0
"""Seconds after which a test has failed."""
NODES: Mapping[str, tuple[str, ...]] = {
    "nvenc": ("nvidia[0-9]*", "dxg"),
    "qsv": ("dri/renderD*",),
    "vaapi": ("dri/renderD*",),
}
"""Below ``/dev``, what there is where a driver has found hardware."""
FIRST_NODE = "dri/renderD128"


@dataclass(frozen=True, slots=True)
class _Answer:
    trial: Trial
    at: float
    """Seconds of the event loop's clock."""


class Hardware:
    """Tests hardware encoders.

    Args:
        devices: Where device nodes are.
    """

    def __init__(self, devices: Path = Path("/dev")) -> None:
        self._devices = devices
        self._binary: Binary | None = None
        self._answers: dict[str, _Answer] = {}
        self._tests: dict[str, asyncio.Task[None]] = {}

    @property
    def tested(self) -> Mapping[str, Trial]:
        """What the latest tests found, by FFmpeg's name of the encoder."""
        return {name: answer.trial for name, answer in self._answers.items()}

    async def test_for(self, spec: ChannelSpec, binary: Binary) -> None:
        """Tests what a channel may use, where the last answer is too old; a start is not held up for long.

        Where a driver has found no hardware at all, only a channel that names it has it tested.

        Args:
            spec: The channel.
            binary: The FFmpeg that will run it.
        """
        if binary is not self._binary:
            self._binary, self._answers, self._tests = binary, {}, {}
        waited = [self._test(encoder, codec, binary) for encoder, codec in self._wanted(spec) if self._is_due(encoder)]
        if waited:
            await asyncio.wait(waited, timeout=WAIT_S)

    def distrust(self, names: frozenset[str], fault: str) -> None:
        """Notes that encoders failed in a channel, although their tests passed: it is started again without them.

        Args:
            names: FFmpeg's names of the encoders that the channel used.
            fault: What happened.
        """
        now = asyncio.get_running_loop().time()
        for name in names & self._answers.keys():
            if not self._answers[name].trial.fault:
                self._answers[name] = _Answer(Trial(fault=fault), now)

    def _wanted(self, spec: ChannelSpec) -> Iterator[tuple[VideoEncoder, str]]:
        seen: set[str] = set()
        for rendition in spec.renditions:
            video = rendition.video
            for encoder in () if video.is_copy else hardware_for(video):
                if encoder.name not in seen and (video.encoder in HARDWARE or self._nodes(encoder.hardware)):
                    seen.add(encoder.name)
                    yield encoder, video.codec

    def _is_due(self, encoder: VideoEncoder) -> bool:
        assert self._binary is not None, "tests belong to an FFmpeg"
        answer = self._answers.get(encoder.name)
        if encoder.name not in self._binary.encoders:
            return False
        if answer is None:
            return True
        return asyncio.get_running_loop().time() - answer.at >= (FAILS_S if answer.trial.fault else WORKS_S)

    def _test(self, encoder: VideoEncoder, codec: str, binary: Binary) -> asyncio.Task[None]:
        """The test of an encoder; channels that start together share one."""
        running = self._tests.get(encoder.name)
        if running is None or running.done():
            running = asyncio.get_running_loop().create_task(self._find_out(encoder, codec, binary))
            self._tests[encoder.name] = running
        return running

    async def _find_out(self, encoder: VideoEncoder, codec: str, binary: Binary) -> None:
        trial = Trial()
        for device in self._places(encoder):
            trial = await _tried(encoder, codec, device, binary)
            if not trial.fault:
                break
        if binary is self._binary:
            self._answers[encoder.name] = _Answer(trial, asyncio.get_running_loop().time())

    def _places(self, encoder: VideoEncoder) -> list[str]:
        """The devices to try one after the other; those of other drivers are found by FFmpeg."""
        if encoder.hardware != "vaapi":
            return [""]
        return [str(node) for node in self._nodes("vaapi")] or [str(self._devices / FIRST_NODE)]

    def _nodes(self, hardware: str) -> list[Path]:
        return [node for pattern in NODES[hardware] for node in sorted(self._devices.glob(pattern))]


async def _tried(encoder: VideoEncoder, codec: str, device: str, binary: Binary) -> Trial:
    argv = (str(binary.path), *build_test(encoder, codec, device))
    try:
        said = await run_errand(Command(argv, {**ENVIRONMENT, **binary.environment}, ()), LIMIT_S)
    except OSError as error:
        return Trial(fault=f"it could not be tested: {error.strerror}")
    return Trial(device) if said.exit_code == 0 else Trial(fault=why_not(said.log, said.exit_code))
