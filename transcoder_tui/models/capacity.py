"""What this machine was measured to need for a picture, and what a channel will therefore cost.

All costs are CPU time per frame, because CPU time adds up over channels; frames per second on a busy machine do not.
"""

import math
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Literal, NamedTuple

from pydantic import BaseModel

from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.rendition import Audio, Rendition
from transcoder_tui.models.units import Size, cpus_of, format_fps, size_of

MEASURE = "transcoder-tui doctor --bench"
"""The command that measures."""
REFERENCE = "1920x1080"
"""Size of the picture that is decoded, scaled and encoded to measure."""
EFFORT = {
    "ultrafast": 0.16,
    "superfast": 0.26,
    "veryfast": 0.33,
    "faster": 0.56,
    "fast": 0.67,
    "medium": 1.0,
    "slow": 1.7,
    "slower": 2.4,
    "veryslow": 3.2,
}
"""CPU time of each x264 preset as a share of medium's, measured at 720p; stands in for presets not measured here."""
WEIGHT = {"libx264": 1.0, "libx265": 3.6, "libsvtav1": 4.6, "mpeg2video": 0.35}
"""CPU time of each encoder at veryfast as a share of x264's, measured at 1080p; for encoders not measured here."""
HARDWARE_WEIGHT = 0.2
"""The same for an encoder that is not in :data:`WEIGHT`: hardware, whose CPU time goes into bringing frames to it."""
TEN_BIT = 1.3
"""By how much 10 bits a sample are dearer than 8, roughly, for x264 and x265."""
SOUND_CORES = {"aac": 0.02, "he-aac": 0.02, "opus": 0.02, "mp2": 0.007, "ac3": 0.007, "eac3": 0.007, "copy": 0.0}
"""Cores for a stereo track, measured at 2.1 GHz."""
LOUDNESS_CORES = 0.013
"""Cores for loudness normalisation, measured likewise."""
TRANSPORT_CORES = 0.02
"""Cores to read a source and write the outputs, measured with 8.8 Mb/s."""
PIPELINE = 0.95
"""Share of a core that the filters, which run one after the other in a thread, can use at most."""


class PictureCost(BaseModel):
    """What one encoder takes for a picture."""

    encoder: str
    """FFmpeg's name of it, such as ``libx264``."""
    preset: str
    size: Size
    cpu_ms: float
    """CPU time per frame."""
    fps: float
    """Frames per second that decoder, scaler and encoder reached together."""
    width: float
    """Cores that the encoder keeps busy at most: its frame rate ends there, however many more there are."""


class Capacity(BaseModel):
    """The measurement of one machine with one FFmpeg."""

    version: Literal[1] = 1
    at: datetime
    ffmpeg: str
    """Version of the FFmpeg that was measured."""
    cpu: str
    """Model of the CPU."""
    cores: int
    busy: float
    """Cores that other programs used meanwhile."""
    decode_ms: float
    """CPU time per frame to decode H.264 of the size :data:`REFERENCE`."""
    pattern_ms: float
    """CPU time per frame to draw the test pattern in that size."""
    deinterlace_ms: float
    """CPU time per frame to deinterlace that size."""
    scale_ms: dict[str, float]
    """CPU time per frame to scale that size to others."""
    pictures: list[PictureCost]


class Estimate(BaseModel):
    """What a channel will cost on the machine that was measured."""

    cores: float
    """CPU seconds per second."""
    slow: list[str] = []
    """What will not reach real time."""
    guesses: list[str] = []
    """What is inferred from another encoder or preset."""


class Cost(BaseModel):
    """What a channel, or several, will cost, beside what is left of the machine."""

    cores: float | None = None
    """CPU seconds per second; None where the machine was not measured."""
    of: float
    """Cores of the machine, or of the channel's own CPUs."""
    left: float
    """Cores that the channels on air leave."""
    slow: list[str] = []
    """What will not reach real time."""
    notes: list[str] = []
    """How far the figures can be trusted, and what to do about it."""

    @property
    def is_too_much(self) -> bool:
        """Whether it will not keep up, or take from others what they need."""
        return bool(self.slow) or (self.cores is not None and self.cores > self.left)

    @property
    def words(self) -> str:
        """Such as ``about 1.4 of 8 cores; 3.1 are left``; empty where the machine was not measured."""
        if self.cores is None:
            return ""
        rest = f"only {self.left:.1f}" if self.cores > self.left else f"{self.left:.1f}"
        return f"about {self.cores:.1f} of {self.of:g} cores; {rest} are left"


def unmeasured(cores: int, left: float) -> Cost:
    """The answer where there is no measurement: how to make one."""
    return Cost(of=cores, left=left, notes=[f"what it costs is not known; measure this machine with '{MEASURE}'"])


def together(costs: Sequence[Cost], cores: int, left: float) -> Cost | None:
    """What several channels cost; None where there are none."""
    if not costs:
        return None
    known = [cost.cores for cost in costs if cost.cores is not None]
    if not known:
        return unmeasured(cores, left)
    # What each says of the machine, such as a measurement that is stale, is said once.
    common = [note for note in costs[0].notes if all(note in cost.notes for cost in costs)]
    return Cost(cores=round(sum(known), 2), of=cores, left=left, notes=common)


def cost_of(spec: ChannelSpec, capacity: Capacity, encoders: Mapping[str, str], left: float) -> Cost:
    """What a channel costs, and whether it can keep up.

    Args:
        spec: The channel.
        capacity: The measurement.
        encoders: FFmpeg's name of the encoder of each rendition, by the rendition's name.
        left: Cores that other channels leave.
    """
    found = estimate(spec, capacity, encoders)
    of = min(capacity.cores, len(cpus_of(spec.cpus))) if spec.cpus else capacity.cores
    slow = list(found.slow)
    if found.cores > of:
        whose = f"its CPUs {spec.cpus} are {of}" if spec.cpus else f"this machine has {of}"
        slow.insert(0, f"it needs about {found.cores:.1f} cores, and {whose}")
    return Cost(cores=round(found.cores, 2), of=of, left=round(min(left, of), 2), slow=slow, notes=found.guesses)


def estimate(spec: ChannelSpec, capacity: Capacity, encoders: Mapping[str, str]) -> Estimate:
    """What a channel costs.

    Nothing is known here of a source but the size and the rate of a test pattern: every other one is taken for
    progressive H.264 with the size and the rate of the largest rung.

    Args:
        spec: The channel.
        capacity: The measurement.
        encoders: FFmpeg's name of the encoder of each rendition, by the rendition's name.
    """
    wanted = {rendition.name for output in spec.outputs for rendition in spec.carried(output)}
    rungs = [rendition for rendition in spec.renditions if rendition.name in wanted]
    cores = TRANSPORT_CORES * (1 + len(spec.outputs)) + _sounds(rungs, len(spec.tracks))
    encoded = [rung for rung in rungs if not rung.video.is_copy]
    if not encoded:
        return Estimate(cores=cores)
    source, rate, read_ms = _source(spec, capacity, encoded)
    filters = _filter_ms(spec, capacity, encoded, source) * rate / 1000
    slow = ["scaling so many pictures takes more than one core, and cannot use two"] if filters > PIPELINE else []
    cores += read_ms * rate / 1000 + filters
    guesses: list[str] = []
    for rung in encoded:
        picture = _picture(capacity, encoders[rung.name], rung)
        cores += picture.cpu_ms * rung.video.fps / 1000
        allowed = min(picture.width, len(cpus_of(spec.cpus))) if spec.cpus else picture.width
        reach = allowed * 1000 / picture.cpu_ms
        if reach < rung.video.fps:
            slow.append(
                f"{rung.name}: {encoders[rung.name]} {rung.video.preset} reaches about {reach:.0f} "
                f"of {format_fps(rung.video.fps)} fps"
            )
        if picture.guess:
            guesses.append(f"{rung.name} is a guess: {picture.guess}")
    return Estimate(cores=cores, slow=slow, guesses=guesses)


class _Picture(NamedTuple):
    cpu_ms: float
    width: float
    guess: str


def _sounds(rungs: Sequence[Rendition], tracks: int) -> float:
    distinct: list[Audio] = []
    for rung in rungs:
        if rung.audio is not None and rung.audio not in distinct:
            distinct.append(rung.audio)
    each = [
        SOUND_CORES[audio.codec] * max(1, audio.channels / 2) + (LOUDNESS_CORES if audio.loudness is not None else 0)
        for audio in distinct
    ]
    return sum(each) * tracks


def _source(spec: ChannelSpec, capacity: Capacity, encoded: Sequence[Rendition]) -> tuple[int, float, float]:
    """Pixels of the source, its frame rate, and CPU milliseconds to get a frame of it."""
    chosen = spec.sources[0].address
    pixels = max(pixels_of(rung.video.size) for rung in encoded)
    rate, each = max(rung.video.fps for rung in encoded), capacity.decode_ms
    if chosen.scheme == "test":
        pixels = pixels_of(chosen.query.get("size", "1280x720"))
        rate, each = float(chosen.query.get("fps", rate)), capacity.pattern_ms
    return pixels, rate, each * pixels / pixels_of(REFERENCE)


def _filter_ms(spec: ChannelSpec, capacity: Capacity, encoded: Sequence[Rendition], source: int) -> float:
    """CPU milliseconds for a frame of the source to become one of each rung."""
    share = source / pixels_of(REFERENCE)
    total = capacity.deinterlace_ms * share if spec.sources[0].deinterlace in ("on", "bob") else 0.0
    (small, low), *_, (large, high) = sorted((pixels_of(size), ms) for size, ms in capacity.scale_ms.items())
    slope = max(0.0, high - low) / (large - small) if large > small else high / large
    reading = max(0.0, low - slope * small)
    for rung in encoded:
        pixels = pixels_of(rung.video.size)
        if pixels != source:
            total += reading * share + slope * pixels
    return total


def _picture(capacity: Capacity, encoder: str, rung: Rendition) -> _Picture:
    """What an encoder takes for a frame, from the nearest that was measured."""
    video, reasons = rung.video, []
    nearest = min(
        {entry.encoder for entry in capacity.pictures},
        key=lambda name: (name != encoder, _apart(_weight(encoder, name)), name),
    )
    entries = [entry for entry in capacity.pictures if entry.encoder == nearest]
    preset = min(
        {entry.preset for entry in entries}, key=lambda name: (_apart(EFFORT[video.preset] / EFFORT[name]), name)
    )
    entries = sorted((entry for entry in entries if entry.preset == preset), key=lambda entry: pixels_of(entry.size))
    factor = _weight(encoder, nearest) * EFFORT[video.preset] / EFFORT[preset]
    if (nearest, preset) != (encoder, video.preset):
        reasons.append(f"from {nearest} {preset}")
    if video.bit_depth == 10:
        factor *= TEN_BIT
        reasons.append("for 10 bit, from 8")
    pixels = pixels_of(video.size)
    closest = min(entries, key=lambda entry: _apart(pixels / pixels_of(entry.size)))
    cpu_ms = factor * _between([(pixels_of(entry.size), entry.cpu_ms) for entry in entries], pixels)
    return _Picture(max(cpu_ms, 0.01), closest.width, ", ".join(reasons))


def _weight(encoder: str, other: str) -> float:
    """CPU time of one encoder as a share of another's."""
    return WEIGHT.get(encoder, HARDWARE_WEIGHT) / WEIGHT.get(other, HARDWARE_WEIGHT)


def _apart(ratio: float) -> float:
    return abs(math.log(ratio))


def _between(points: Sequence[tuple[int, float]], pixels: int) -> float:
    """Milliseconds at a size: between two that were measured by a power of the pixels, beyond them in proportion."""
    below = [point for point in points if point[0] <= pixels]
    above = [point for point in points if point[0] > pixels]
    if not below or not above or min(below[-1][1], above[0][1]) <= 0:
        size, ms = below[-1] if below else above[0]
        return ms * pixels / size
    (small, low), (large, high) = below[-1], above[0]
    power = math.log(high / low) / math.log(large / small)
    return low * math.exp(power * math.log(pixels / small))


def pixels_of(size: str | None) -> int:
    """Pixels of a picture; one that has its source's size is taken for :data:`REFERENCE`."""
    width, height = size_of(size or REFERENCE)
    return width * height
