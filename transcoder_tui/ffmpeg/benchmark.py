"""The FFmpegs that measure what this machine encodes: pure functions, run and kept by the worker's ``capacity``."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.ffmpeg.encoders import Choice, Encoding, choose_encoders
from transcoder_tui.ffmpeg.filters import FILTER_THREADS
from transcoder_tui.ffmpeg.hardware import HARDWARE_ENCODERS, Trial, device_arguments
from transcoder_tui.ffmpeg.video_encoders import SOFTWARE_ENCODERS
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
GRID: Mapping[str, Mapping[str, Sequence[str]]] = {
    "h264": {
        "1920x1080": ("ultrafast", "superfast", "veryfast", "faster", "medium"),
        "1280x720": ("ultrafast", "superfast", "veryfast", "faster", "medium"),
        "640x360": ("ultrafast", "veryfast", "medium"),
    },
    "hevc": {"1920x1080": ("ultrafast", "veryfast"), "1280x720": ("ultrafast", "veryfast", "medium")},
    "mpeg2": {"1920x1080": ("veryfast",), "720x576": ("veryfast",)},
    "av1": {"1920x1080": ("ultrafast", "veryfast"), "1280x720": ("ultrafast", "veryfast", "medium")},
}
"""What is measured in software: presets by codec and size, the cheapest first."""
HARDWARE_PRESETS = ("veryfast", "medium")
"""What is measured of hardware encoders, at 1080p."""


@dataclass(frozen=True)
class Baseline:
    """A run without an encoder: what is taken off the runs with one, or measured itself."""

    name: str
    filters: str
    """Between the picture and the end; empty for none."""
    pattern: bool = False
    """Whether the picture is drawn instead of decoded."""


DECODE = Baseline("decode H.264", "")
DEINTERLACE = Baseline("decode, deinterlace", "yadif=deint=all")
PATTERN = Baseline("test pattern", "", pattern=True)


def scale_to(size: str) -> Baseline:
    """Decodes and scales; to the sample's own size it only decodes."""
    width, height = size_of(size)
    return DECODE if size == REFERENCE else Baseline(f"decode, scale to {size}", f"scale={width}:{height}")


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
    filters: str = "format=yuv420p,setsar=1"
    """Between scaler and encoder."""
    device: tuple[str, ...] = ()
    """What stands before the input, for hardware."""

    @property
    def size(self) -> str:
        """The size of the picture."""
        return self.video.size or REFERENCE

    @property
    def threads(self) -> int | None:
        """Threads of the encoder, where it is told a number."""
        option = "-threads:v:0"
        return int(self.arguments[self.arguments.index(option) + 1]) if option in self.arguments else None


def encodes(binary: Binary, tested: Mapping[str, Trial]) -> Iterator[Encode]:
    """The runs with an encoder, those of one encoder and size in a row, the cheapest first.

    Args:
        binary: The FFmpeg to measure; encoders that it lacks are left out.
        tested: What tests of hardware encoders found, by FFmpeg's name of the encoder.
    """
    for codec, sizes in GRID.items():
        if SOFTWARE_ENCODERS[codec].name in binary.encoders:
            for size, presets in sizes.items():
                for preset in presets:
                    yield _encode(binary, codec, size, preset, Choice(SOFTWARE_ENCODERS[codec]))
    for codec, encoders in HARDWARE_ENCODERS.items():
        for encoder in encoders.values():
            found = tested.get(encoder.name)
            if found is not None and not found.fault:
                for preset in HARDWARE_PRESETS:
                    yield _encode(binary, codec, REFERENCE, preset, Choice(encoder, found.device))


def _encode(binary: Binary, codec: str, size: str, preset: str, choice: Choice) -> Encode:
    encoder = choice.encoder
    video = Video.model_validate(
        {
            "codec": codec,
            "encoder": encoder.hardware or "software",
            "size": size,
            "preset": preset,
            "bitrate": BITRATES[size],
        }
    )
    return Encode(
        video,
        encoder.name,
        tuple(Encoding(binary.encoders, False).video(0, video, "video", choice)),
        ",".join(part for part in (f"format={encoder.pixel_format(video)}", "setsar=1", encoder.upload) if part),
        device_arguments(encoder, choice.device),
    )


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
    graph = f"[0:v:0]{','.join(part for part in (scaled, encode.filters) if part)}[v0]"
    return [*_beginning(binary), *encode.device, *_read(sample), *_ending(graph, encode.arguments, frames)]


def _beginning(binary: Binary) -> list[str]:
    return [str(binary.path), "-hide_banner", "-nostats", "-loglevel", "error", "-y", *FILTER_THREADS]


def _read(sample: Path) -> list[str]:
    return [*DECODER, "-stream_loop", "-1", "-i", f"file:{sample}"]


def _pattern() -> list[str]:
    return [*DECODER, "-f", "lavfi", "-i", f"testsrc2=size={REFERENCE}:rate={RATE}"]


def _ending(graph: str, encoder: Sequence[str], frames: int) -> list[str]:
    return ["-filter_complex", graph, "-map", "[v0]", *encoder, "-frames:v", str(frames), "-f", "null", "-"]


def encoder_names(spec: ChannelSpec, binary: Binary, tested: Mapping[str, Trial]) -> dict[str, str]:
    """FFmpeg's name of the encoder of each rendition, by the rendition's name.

    Args:
        spec: The channel.
        binary: The FFmpeg that will run it.
        tested: What tests of hardware encoders found, by FFmpeg's name of the encoder.
    """
    choices = choose_encoders([rendition.video for rendition in spec.renditions], binary.encoders, tested)
    return {
        rendition.name: choice.encoder.name
        for rendition, choice in zip(spec.renditions, choices, strict=True)
        if choice is not None
    }
