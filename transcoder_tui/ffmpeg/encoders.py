"""What each codec's encoder is told; a new codec is one entry in a table."""

from collections.abc import Callable
from dataclasses import dataclass

from transcoder_tui.errors import HostFault
from transcoder_tui.models.rendition import Audio, Video
from transcoder_tui.models.units import size_of

LOOKAHEAD = {
    "ultrafast": 0,
    "superfast": 0,
    "veryfast": 10,
    "faster": 20,
    "fast": 30,
    "medium": 40,
    "slow": 50,
    "slower": 60,
    "veryslow": 60,
}
"""Frames that x264 holds back in each preset before the first one leaves (``rc-lookahead``, ``x264 --fullhelp``)."""

LARGE_PICTURE = 1280 * 720
"""Pixels above which an encoder gets four threads instead of two."""


@dataclass(frozen=True)
class VideoCodec:
    """How one video codec is encoded."""

    encoder: str
    """FFmpeg's name of the encoder."""
    options: Callable[[Video], dict[str, str]]
    """Its options, without stream specifiers."""


@dataclass(frozen=True)
class AudioCodec:
    """How one audio codec is encoded."""

    encoder: str
    """FFmpeg's name of the encoder."""
    options: Callable[[Audio], dict[str, str]]
    """Its options, without stream specifiers."""


def _x264(video: Video) -> dict[str, str]:
    """Constant closed GOPs and a capped bitrate.

    A VBV buffer of one second keeps a constant muxrate feasible; without ``sc_threshold 0`` x264 inserts keyframes at
    scene cuts, and the rungs of a ladder no longer switch at the same instant.
    """
    return {
        "preset": video.preset,
        "profile": "high",
        "threads": "4" if _is_large(video) else "2",
        "b": str(video.bitrate),
        "maxrate": str(video.bitrate),
        "bufsize": str(video.bitrate),
        "g": str(video.gop_frames),
        "keyint_min": str(video.gop_frames),
        "sc_threshold": "0",
        "flags": "+cgop",
    }


def _is_large(video: Video) -> bool:
    """Whether a picture may be larger than :data:`LARGE_PICTURE`; one of the source's size may."""
    if video.size is None:
        return True
    width, height = size_of(video.size)
    return width * height > LARGE_PICTURE


def _aac(audio: Audio) -> dict[str, str]:
    return {"b": str(audio.bitrate), "ar": str(audio.sample_rate), "ac": str(audio.channels)}


VIDEO_CODECS = {"h264": VideoCodec("libx264", _x264)}
"""Encoder of each value of :attr:`Video.codec`."""

AUDIO_CODECS = {"aac": AudioCodec("aac", _aac)}
"""Encoder of each value of :attr:`Audio.codec`."""

REQUIRED = frozenset(
    [codec.encoder for codec in VIDEO_CODECS.values()] + [codec.encoder for codec in AUDIO_CODECS.values()]
)
"""Encoders without which an FFmpeg is of no use here."""


@dataclass(frozen=True)
class Encoding:
    """What all encoders of one command have in common."""

    available: frozenset[str]
    """Names of the encoders that this FFmpeg has."""
    global_header: bool
    """Whether parameter sets go into the container's header instead of the stream."""

    def video(self, number: int, video: Video, field: str) -> list[str]:
        """The arguments for the n-th encoded picture.

        Raises:
            HostFault: Where this FFmpeg has no such encoder; ``field`` is the path of the picture in the document.
        """
        if video.is_copy:
            return [f"-c:v:{number}", "copy"]
        codec = VIDEO_CODECS[video.codec]
        return self._arguments(f"v:{number}", codec.encoder, codec.options(video), field)

    def audio(self, number: int, audio: Audio, field: str) -> list[str]:
        """The arguments for the n-th encoded sound.

        Raises:
            HostFault: Where this FFmpeg has no such encoder; ``field`` is the path of the sound in the document.
        """
        if audio.is_copy:
            return [f"-c:a:{number}", "copy"]
        codec = AUDIO_CODECS[audio.codec]
        return self._arguments(f"a:{number}", codec.encoder, codec.options(audio), field)

    def _arguments(self, stream: str, encoder: str, options: dict[str, str], field: str) -> list[str]:
        if encoder not in self.available:
            raise HostFault(
                f"this FFmpeg has no encoder {encoder}",
                "install one that has it, or unset TRANSCODER_FFMPEG__PATH",
                f"{field}.codec",
            )
        if self.global_header:
            options = {**options, "flags": f"{options.get('flags', '')}+global_header"}
        arguments = [f"-c:{stream}", encoder]
        for name, value in options.items():
            arguments += [f"-{name}:{stream}", value]
        return arguments


def interleave_delta(video: Video) -> int:
    """Microseconds that a muxer may wait for a late stream before it writes the others.

    FFmpeg's default of 10 s silences a whole output for that long when one elementary stream of the source dies; less
    than the encoder's own delay gives ``Packets poorly interleaved``. Measured as right at 25 fps: 1 s for ultrafast,
    2 s for veryfast, 3 s for medium; this is 1.4, 1.8 and 3.0 s.
    """
    return 1_000_000 + round((LOOKAHEAD[video.preset] + 10) / video.fps * 1_000_000)
