"""Which encoder makes each stream, and its arguments."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from transcoder_tui.errors import HostFault
from transcoder_tui.ffmpeg.audio_encoders import AUDIO_ENCODERS
from transcoder_tui.ffmpeg.hardware import HARDWARE_ENCODERS, Trial
from transcoder_tui.ffmpeg.video_encoders import SOFTWARE_ENCODERS, VideoEncoder
from transcoder_tui.models.rendition import HARDWARE, Audio, Video
from transcoder_tui.models.units import size_of

REQUIRED = frozenset(["libx264", "aac"])
"""Encoders without which an FFmpeg is of no use here; the others are missed only by channels that want them."""
UNTESTED = "its test has not ended yet"
"""Why hardware is not used before its test has ended."""

SMALLEST = 160
"""Pixels that a side has at least in hardware; NVENC takes no H.264 below 145x49, and others have such limits too."""


@dataclass(frozen=True)
class Choice:
    """The encoder of a picture."""

    encoder: VideoEncoder
    device: str = ""
    """The device that it works on, where it has to be named."""
    reason: str = ""
    """Why it is not hardware, where the rendition allows that; empty where it is, or nobody asked for it."""


def choose_encoders(
    videos: Sequence[Video], available: frozenset[str], tested: Mapping[str, Trial]
) -> list[Choice | None]:
    """The encoder of each picture of a channel: hardware where it is wanted and works, else software.

    Args:
        videos: The pictures.
        available: Names of the encoders that this FFmpeg has.
        tested: What tests of hardware encoders found, by FFmpeg's name of the encoder.

    Returns:
        A choice for each picture; None for one that is copied.
    """
    chosen: list[Choice | None] = []
    for video in videos:
        if video.is_copy:
            chosen.append(None)
            continue
        # Filters can use one device only.
        busy = next((one.encoder.hardware for one in chosen if one and one.encoder.upload), "")
        chosen.append(_choose(video, available, tested, busy))
    return chosen


def hardware_for(video: Video) -> tuple[VideoEncoder, ...]:
    """The hardware encoders that a picture may be encoded by, in the order of preference.

    With ``auto`` there are none where only the software encoder does what the rendition asks for: its options, and
    filler that makes the bitrate constant.
    """
    there = HARDWARE_ENCODERS.get(video.codec, {})
    if video.encoder in HARDWARE:
        return (there[video.encoder],)
    if video.encoder != "auto" or video.options or video.rate == "cbr":
        return ()
    return tuple(there[name] for name in HARDWARE if name in there)


def _choose(video: Video, available: frozenset[str], tested: Mapping[str, Trial], busy: str) -> Choice:
    reasons: list[str] = []
    for encoder in hardware_for(video):
        found = tested.get(encoder.name, Trial(fault=UNTESTED))
        if encoder.name not in available:
            fault = f"this FFmpeg has no encoder {encoder.name}"
        elif video.codec == "h264" and video.bit_depth == 10:
            fault = "it has 8 bits only"
        elif video.size is not None and min(size_of(video.size)) < SMALLEST:
            fault = f"the picture is smaller than {SMALLEST} pixels"
        elif encoder.upload and busy not in ("", encoder.hardware):
            fault = f"another rendition uses {busy}, and a channel can use one device only"
        elif found.fault:
            fault = found.fault
        else:
            return Choice(encoder, found.device)
        if video.encoder != "auto" or encoder.name in tested:
            reasons.append(f"{encoder.hardware}: {fault}")
    return Choice(SOFTWARE_ENCODERS[video.codec], reason="; ".join(reasons))


@dataclass(frozen=True)
class Encoding:
    """What all encoders of one command have in common."""

    available: frozenset[str]
    """Names of the encoders that this FFmpeg has."""
    global_header: bool
    """Whether parameter sets go into the container's header instead of the stream."""

    def video(self, number: int, video: Video, field: str, choice: Choice | None = None) -> list[str]:
        """The arguments for the n-th encoded picture.

        Args:
            number: Its number among the pictures.
            video: What is wanted.
            field: The path of the picture in the document.
            choice: What encodes it; its codec's software encoder if not given.

        Raises:
            HostFault: Where this FFmpeg has no such encoder.
        """
        if video.is_copy:
            return [f"-c:v:{number}", "copy"]
        encoder = choice.encoder if choice else SOFTWARE_ENCODERS[video.codec]
        # By default it is hev1 in MP4, which Apple's players refuse; transport streams and Matroska have no such tags.
        tag = {"tag": "hvc1"} if video.codec == "hevc" else {}
        return self._arguments(f"v:{number}", encoder.name, encoder.options(video) | tag, field)

    def audio(self, number: int, audio: Audio, field: str) -> list[str]:
        """The arguments for the n-th encoded sound.

        Raises:
            HostFault: Where this FFmpeg has no such encoder; ``field`` is the path of the sound in the document.
        """
        if audio.is_copy:
            return [f"-c:a:{number}", "copy"]
        encoder = AUDIO_ENCODERS[audio.codec]
        return self._arguments(f"a:{number}", encoder.name, encoder.options(audio), field)

    def _arguments(self, stream: str, encoder: str, options: dict[str, str], field: str) -> list[str]:
        if encoder not in self.available:
            raise HostFault(
                f"this FFmpeg has no encoder {encoder}",
                "choose another codec, or set TRANSCODER_FFMPEG__PATH to an FFmpeg that has it",
                f"{field}.codec",
            )
        if self.global_header:
            options = {**options, "flags": f"{options.get('flags', '')}+global_header"}
        arguments = [f"-c:{stream}", encoder]
        for name, value in options.items():
            arguments += [f"-{name}:{stream}", value]
        return arguments


LOUDNESS_S = 3.0
"""Seconds of sound that FFmpeg's ``loudnorm`` looks ahead."""


def interleave_delta(pictures: Sequence[tuple[Video, VideoEncoder | None]], sounds: Sequence[Audio]) -> int:
    """Microseconds that a muxer may wait for a late stream before it writes the others.

    FFmpeg's default of 10 s silences a whole output for that long when one elementary stream of the source dies; less
    than what an encoder or a filter holds back gives ``Packets poorly interleaved``. Measured as right at 25 fps for
    x264: 1 s for ultrafast, 2 s for veryfast, 3 s for medium; this is 1.4, 1.8 and 3.0 s.

    Args:
        pictures: What is wanted of each picture, and what encodes it; None where it is copied.
        sounds: What is wanted of each sound.
    """
    late = max([0.0, *_lateness(pictures, sounds)])
    return 1_000_000 + round(late * 1_000_000)


def _lateness(pictures: Sequence[tuple[Video, VideoEncoder | None]], sounds: Sequence[Audio]) -> Iterator[float]:
    """Seconds by which each stream comes late, or makes the others wait."""
    for video, encoder in pictures:
        yield ((encoder.held(video) if encoder else 0) + 10) / video.fps
    for audio in sounds:
        yield (LOUDNESS_S if audio.loudness is not None else 0.0) + max(0.0, -(audio.delay or 0.0))
