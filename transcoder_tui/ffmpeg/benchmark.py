"""The FFmpegs that measure what this machine encodes: pure functions, run and kept by the worker's ``capacity``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from transcoder_tui.errors import HostFault
from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.encoders import Encoding
from transcoder_tui.ffmpeg.filters import FILTER_THREADS
from transcoder_tui.models.capacity import REFERENCE
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.rendition import Video
from transcoder_tui.models.units import size_of

RATE = 25
"""Frames per second of the sample; costs are per frame, whatever the rate."""
SAMPLE_FRAMES = 100
"""Frames in the sample, which is looped where more are measured."""
SAMPLE = f"testsrc2=size={REFERENCE}:rate={RATE},noise=alls=8:allf=t"
"""Moving edges and a little grain. x264 takes within 10 % as long for a frame of it as for a fractal zoom without noise
and for a picture with strong grain; FFmpeg's test pattern alone is some 10 % cheaper (veryfast, 1080p)."""
DECODER = ("-threads", "2")
"""As a channel decodes."""
BITRATES = {"1920x1080": 5_000_000, "1280x720": 3_000_000, "720x576": 3_000_000, "640x360": 800_000}
"""Bits per second at which each size is encoded."""
SCALED = ("1280x720", "640x360")
"""Sizes to which scaling is measured."""
GRID: Mapping[tuple[str, str], Mapping[str, Sequence[str]]] = {
    ("h264", "x264"): {
        "1920x1080": ("ultrafast", "superfast", "veryfast", "faster", "medium"),
        "1280x720": ("ultrafast", "superfast", "veryfast", "faster", "medium"),
        "640x360": ("ultrafast", "veryfast", "medium"),
    },
    ("hevc", "x265"): {"1920x1080": ("ultrafast", "veryfast"), "1280x720": ("ultrafast", "veryfast", "medium")},
    ("mpeg2", "software"): {"1920x1080": ("veryfast",), "720x576": ("veryfast",)},
    ("av1", "svtav1"): {"1920x1080": ("ultrafast", "veryfast"), "1280x720": ("ultrafast", "veryfast", "medium")},
}
"""What is measured in software: presets by codec, encoder and size, the cheapest first."""
HARDWARE = ("nvenc", "qsv", "vaapi")
"""Encoders that are measured where they work, with the codecs that they have."""


@dataclass(frozen=True)
class Baseline:
    """A run without an encoder: what is taken off the runs with one, or measured itself."""

    name: str
    filters: str
    """Between the picture and the end; empty for none."""
    pattern: bool = False
    """Whether the picture is drawn instead of decoded."""


DECODE = Baseline("decode H.264", "")
DEINTERLACE = Baseline("deinterlace", "yadif=deint=all")
PATTERN = Baseline("test pattern", "", pattern=True)


def scale_to(size: str) -> Baseline:
    """Decodes and scales; to the sample's own size it only decodes."""
    width, height = size_of(size)
    return DECODE if size == REFERENCE else Baseline(f"scale to {size}", f"scale={width}:{height}")


def baselines() -> list[Baseline]:
    """The runs without an encoder; that of :data:`DECODE` comes first."""
    sizes = {size for grid in GRID.values() for size in grid if size != REFERENCE}
    return [DECODE, PATTERN, DEINTERLACE, *(scale_to(size) for size in sorted(sizes))]


@dataclass(frozen=True)
class Encode:
    """A run with an encoder."""

    video: Video
    encoder: str
    """FFmpeg's name of it."""
    arguments: tuple[str, ...]
    """As a channel gives them."""

    @property
    def size(self) -> str:
        """The size of the picture."""
        return self.video.size or REFERENCE

    @property
    def threads(self) -> int | None:
        """Threads of the encoder, where it is told a number."""
        option = "-threads:v:0"
        return int(self.arguments[self.arguments.index(option) + 1]) if option in self.arguments else None


def encodes(encoding: Encoding) -> Iterator[Encode]:
    """The runs with an encoder, those of one encoder and size in a row, the cheapest first."""
    for (codec, encoder), sizes in GRID.items():
        for size, presets in sizes.items():
            for preset in presets:
                video = Video.model_validate(
                    {"codec": codec, "encoder": encoder, "size": size, "preset": preset, "bitrate": BITRATES[size]}
                )
                try:
                    arguments = encoding.video(0, video, "video")
                except HostFault:
                    # This FFmpeg has no such encoder.
                    continue
                yield Encode(video, arguments[arguments.index("-c:v:0") + 1], tuple(arguments))


def make_sample(binary: Binary, sample: Path) -> list[str]:
    """The command that makes the picture that the others read."""
    return [
        *_beginning(binary),
        *("-f", "lavfi", "-i", SAMPLE, "-frames:v", str(SAMPLE_FRAMES), "-pix_fmt", "yuv420p"),
        *("-c:v", "libx264", "-preset", "superfast", "-b:v", "8M", "-g", "50", "-f", "mpegts", f"file:{sample}"),
    ]


def run_baseline(binary: Binary, sample: Path, baseline: Baseline, frames: int) -> list[str]:
    """The command of a run without an encoder."""
    read = _pattern() if baseline.pattern else _read(sample)
    graph = f"[0:v:0]{','.join(part for part in (baseline.filters, 'format=yuv420p') if part)}[v0]"
    return [*_beginning(binary), *read, *_ending(graph, ["-c:v", "wrapped_avframe"], frames)]


def run_encode(binary: Binary, sample: Path, encode: Encode, frames: int) -> list[str]:
    """The command of a run with an encoder."""
    scaled = scale_to(encode.size).filters
    graph = f"[0:v:0]{','.join(part for part in (scaled, 'format=yuv420p,setsar=1') if part)}[v0]"
    return [*_beginning(binary), *_read(sample), *_ending(graph, encode.arguments, frames)]


def _beginning(binary: Binary) -> list[str]:
    return [str(binary.path), "-hide_banner", "-nostats", "-loglevel", "error", "-y", *FILTER_THREADS]


def _read(sample: Path) -> list[str]:
    return [*DECODER, "-stream_loop", "-1", "-i", f"file:{sample}"]


def _pattern() -> list[str]:
    return [*DECODER, "-f", "lavfi", "-i", f"testsrc2=size={REFERENCE}:rate={RATE}"]


def _ending(graph: str, encoder: Sequence[str], frames: int) -> list[str]:
    return ["-filter_complex", graph, "-map", "[v0]", *encoder, "-frames:v", str(frames), "-f", "null", "-"]


def encoder_names(spec: ChannelSpec, available: frozenset[str]) -> dict[str, str]:
    """FFmpeg's name of the encoder of each rendition, by the rendition's name.

    Args:
        spec: The channel.
        available: The encoders that FFmpeg has; one that it lacks goes by the name of its codec.
    """
    names: dict[str, str] = {}
    for rendition in spec.renditions:
        try:
            arguments = Encoding(available, False).video(0, rendition.video, "video")
            names[rendition.name] = arguments[arguments.index("-c:v:0") + 1]
        except HostFault:
            names[rendition.name] = rendition.video.codec
    return names
