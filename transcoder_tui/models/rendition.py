"""What a channel is transcoded to. One rendition is a single profile, several are an ABR ladder."""

import re
from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, model_validator

from transcoder_tui.models.encoder_options import check_options, parse_options
from transcoder_tui.models.faults import refuse
from transcoder_tui.models.field import about
from transcoder_tui.models.names import check_label
from transcoder_tui.models.units import (
    Bitrate,
    Fps,
    Range,
    Seconds,
    Size,
    format_bitrate,
    format_fps,
    format_seconds,
    frame_rate,
    no_truth_value,
    parse_seconds,
    size_of,
)

MAX_GOP_ERROR = 0.1
"""Frames by which a GOP that is written in seconds may miss whole frames: 2s at 29.97 fps are 59.94."""

ENCODING = "Encoding"
"""Heading of what few renditions need to say about their picture."""
SOUND = "Sound"
"""Heading of what few renditions need to say about their sound."""

SOFTWARE = {"h264": "x264", "hevc": "x265", "mpeg2": "mpeg2", "av1": "svtav1"}
"""The software encoder of each video codec."""
HARDWARE = ("nvenc", "qsv", "vaapi")
"""Hardware encoders, in the order in which ``auto`` tries them."""
ENCODERS = {
    "h264": ("x264", *HARDWARE),
    "hevc": ("x265", *HARDWARE),
    "mpeg2": (),
    "av1": ("svtav1", *HARDWARE),
    "copy": (),
}
"""Encoders of each video codec; ``auto`` and ``software`` go with each."""
PROFILES = {
    "h264": ("baseline", "main", "high", "high10"),
    "hevc": ("main", "main10"),
    "mpeg2": ("main",),
    "av1": ("main",),
    "copy": (),
}
"""Profiles of each video codec; none of those for 4:2:2 and 4:4:4, as every rendition is 4:2:0."""
MPEG2_RATES = (23.976, 23.98, 24, 25, 29.97, 30, 50, 59.94, 60)
"""Frame rates that MPEG-2 video knows (ISO/IEC 13818-2, table 6-4), as the field writes them."""
WITHOUT = {"mpeg2": ("preset", "level"), "av1": ("level", "bframes", "aspect")}
"""Fields that say nothing to the encoder of a codec: MPEG-2 has no presets, and its level follows from the size;
SVT-AV1 chooses both by itself, and AV1 has no place for the shape of pixels."""
TEN_BIT = {"h264": ("high10",), "hevc": ("main10",), "av1": ("main",)}
"""Profiles that hold 10 bits a sample, for the codecs that have them."""
TUNES = {
    "h264": ("film", "animation", "grain", "stillimage", "fastdecode", "zerolatency"),
    "hevc": ("animation", "grain", "fastdecode", "zerolatency"),
}
"""What the encoders of each codec can be tuned for."""
SAMPLE_RATES = {
    "mp2": (32000, 44100, 48000),
    "ac3": (32000, 44100, 48000),
    "eac3": (32000, 44100, 48000),
    "opus": (48000,),
}
"""Sampling rates of audio codecs that do not take every one."""
MP2_BITRATES = (32, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384)
"""kb/s that MPEG-1 layer II knows (ISO/IEC 11172-3, table 3-B.2)."""
OPUS_BITRATE = 256_000
"""Bits per second and channel that libopus takes at most."""
AC3_BITRATES = (32, 40, 48, 56, 64, 80, 96, 112, 128, 160, 192, 224, 256, 320, 384, 448, 512, 576, 640)
"""kb/s that AC-3 knows (ETSI TS 102 366, table 4.13)."""

_LEVEL = re.compile(r"[1-8](?:\.[0-3])?")
_OPTION = re.compile(r"[a-z0-9][a-z0-9_-]{0,31}")
_VALUE = re.compile(r"[A-Za-z0-9.:,-]{1,32}")


def _check_level(value: object) -> object:
    text = str(value).strip() if isinstance(value, int | float | str) and not isinstance(value, bool) else ""
    if not _LEVEL.fullmatch(text):
        raise refuse(f"{value!r} is no level", "write a level of the codec, such as 4.1")
    return text


def _as_written(value: object) -> object:
    """An aspect without quotes, which YAML 1.1 takes for a number to the base of 60."""
    return {16 * 60 + 9: "16:9", 4 * 60 + 3: "4:3"}.get(value, value) if isinstance(value, int) else value


def _check_options(value: object) -> object:
    if isinstance(value, dict):
        value = " ".join(f"{name}={given}" for name, given in value.items())
    if not isinstance(value, str):
        return value
    pairs = [pair.partition("=") for pair in value.split()]
    for name, separator, given in pairs:
        if not separator or not _OPTION.fullmatch(name) or not _VALUE.fullmatch(given):
            shown = f"{name}{separator}{given}"
            raise refuse(f"{shown!r} is no encoder option", "write NAME=VALUE, several with a blank between them")
    names = [name for name, _, _ in pairs]
    if len(set(names)) < len(names):
        raise refuse("names an option twice", "write each once")
    if not pairs:
        raise refuse("names no option", "write NAME=VALUE, or leave it out")
    return " ".join(f"{name}={given}" for name, _, given in pairs)


def _check_delay(value: object) -> object:
    """Reads ``80ms``, and ``-80ms`` for sound that comes earlier than in the source."""
    text = value.strip() if isinstance(value, str) else ""
    if text.startswith("-"):
        later = parse_seconds(text[1:])
        return -later if isinstance(later, float) else later
    return parse_seconds(value)


Delay = Annotated[
    float,
    BeforeValidator(_check_delay),
    PlainSerializer(format_seconds, return_type=str, when_used="json"),
    Range(-5, 5, format_seconds),
]
"""Seconds, negative for earlier."""


class Video(BaseModel):
    """The picture of a rendition."""

    model_config = ConfigDict(extra="forbid")

    codec: Literal["h264", "hevc", "mpeg2", "av1", "copy"] = about(
        "Video codec; copy hands the source's picture on as it is.", label="Video codec", default="h264"
    )
    encoder: Literal["auto", "software", "x264", "x265", "svtav1", "nvenc", "qsv", "vaapi"] = about(
        "What encodes: auto takes hardware where a test of it works when the channel starts, else software. "
        "Hardware that is named and does not work is replaced by software too, and the reason is shown.",
        label="Encoder",
        apart=ENCODING,
        default="auto",
    )
    size: Size | None = about(
        "Picture size. If not given, that of the source.",
        label="Size",
        unit="pixels",
        example="1920x1080",
        default=None,
    )
    aspect: Annotated[Literal["16:9", "4:3"], BeforeValidator(_as_written)] | None = about(
        "Display aspect of the picture, where its pixels are not square: 720x576 is shown as 16:9 or 4:3. "
        "Square pixels if not given.",
        label="Aspect",
        apart=ENCODING,
        default=None,
    )
    fit: Literal["pad", "crop", "stretch"] = about(
        "Where the aspect of the source differs: black bars, cut edges, or a distorted picture.",
        label="Fit",
        apart=ENCODING,
        default="pad",
    )
    fps: Annotated[Fps, Range(1, 120, format_fps)] = about(
        "Frame rate; frames are dropped or repeated to meet it.", label="Frame rate", unit="fps", default=25.0
    )
    bitrate: Annotated[Bitrate, Range(50_000, 100_000_000, format_bitrate)] = about(
        "Video bitrate. With copy, the most that the source's picture takes.",
        label="Video bitrate",
        unit="b/s",
        example="5000k",
    )
    rate: Literal["capped", "cbr", "vbr"] = about(
        "Rate control: capped VBR (VBV), constant bitrate with filler, or VBR without a ceiling.",
        label="Rate control",
        apart=ENCODING,
        default="capped",
    )
    maxrate: Annotated[Bitrate, Range(50_000, 150_000_000, format_bitrate)] | None = about(
        "Ceiling of capped VBR. If not given, the bitrate.",
        label="Ceiling",
        unit="b/s",
        example="6000k",
        apart=ENCODING,
        default=None,
    )
    vbv: Annotated[Seconds, Range(0.1, 10, format_seconds)] = about(
        "VBV buffer, as time at the ceiling.", label="VBV buffer", unit="s", apart=ENCODING, default=1.0
    )
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"] = (
        about(
            "Slower ones look better at the same bitrate and cost more CPU.",
            label="Preset",
            default="veryfast",
        )
    )
    gop: Annotated[Seconds, Range(0.2, 10, format_seconds)] = about(
        "Distance between keyframes; GOPs are closed and aligned over the ladder.",
        label="GOP",
        unit="s",
        default=2.0,
    )
    profile: Literal["baseline", "main", "high", "high10", "main10"] | None = about(
        "Profile. If not given, the highest that the codec has for the bit depth.",
        label="Profile",
        apart=ENCODING,
        default=None,
    )
    level: Annotated[str, BeforeValidator(_check_level)] | None = about(
        "Level that decoders must have. If not given, the encoder chooses.",
        label="Level",
        example="4.1",
        apart=ENCODING,
        default=None,
    )
    bframes: Annotated[int, BeforeValidator(no_truth_value), Range(0, 16)] | None = about(
        "B-frames in a row. If not given, the preset's.", label="B-frames", unit="frames", apart=ENCODING, default=None
    )
    tune: Literal["film", "animation", "grain", "stillimage", "fastdecode", "zerolatency"] | None = about(
        "What the encoder is tuned for.", label="Tune", apart=ENCODING, default=None
    )
    bit_depth: Literal[8, 10] = about("Bits a sample.", label="Bit depth", unit="bit", apart=ENCODING, default=8)
    options: Annotated[str, BeforeValidator(_check_options)] | None = about(
        "Further options of the encoder, from the list of those that cannot do harm.",
        label="Options",
        example="aq-mode=3 ref=4",
        apart=ENCODING,
        default=None,
    )

    @property
    def is_copy(self) -> bool:
        """Whether the source's picture is handed on without decoding."""
        return self.codec == "copy"

    @property
    def peak(self) -> int:
        """The most that the picture takes over the time of its VBV buffer, in bits per second."""
        return max(self.bitrate, self.maxrate or 0)

    @property
    def pixel_aspect(self) -> Fraction:
        """Width of a pixel over its height, where the size is given."""
        if self.aspect is None or self.size is None:
            return Fraction(1)
        width, height = size_of(self.size)
        return Fraction(self.aspect.replace(":", "/")) * height / width

    @property
    def family(self) -> str:
        """Whose options :attr:`options` are: the hardware that is named, else the codec's software encoder."""
        return self.encoder if self.encoder in HARDWARE else SOFTWARE.get(self.codec, "")

    @property
    def encoder_options(self) -> dict[str, str]:
        """Name and value of each further option of the encoder."""
        return parse_options(self.options or "")

    @property
    def gop_frames(self) -> int:
        """Distance between keyframes in frames."""
        return round(frame_rate(self.fps) * Fraction(self.gop))

    @property
    def gop_duration(self) -> Fraction:
        """Distance between keyframes in seconds, exactly: whole frames of the exact frame rate."""
        return self.gop_frames / frame_rate(self.fps)

    @model_validator(mode="after")
    def _whole_gop(self) -> "Video":
        nominal = self.gop * self.fps
        if abs(nominal - round(nominal)) > MAX_GOP_ERROR or self.gop_frames < 1:
            frames = max(1, round(nominal))
            raise refuse(
                f"{format_seconds(self.gop)} are {nominal:g} frames at {format_fps(self.fps)} fps",
                f"write whole frames, such as {format_seconds(frames / self.fps)}",
                "gop",
            )
        return self

    @model_validator(mode="after")
    def _fields_fit_the_codec(self) -> "Video":
        if self.is_copy:
            _refuse_beside_copy(self, ("codec", "bitrate"))
            return self
        if self.encoder not in ("auto", "software", *ENCODERS[self.codec]):
            choice = ", ".join(("auto", "software", *ENCODERS[self.codec]))
            raise refuse(f"{self.encoder} does not encode {self.codec}", f"choose {choice}", "encoder")
        for name in WITHOUT.get(self.codec, ()):
            if getattr(self, name) != type(self).model_fields[name].default:
                raise refuse(f"does not apply to {self.codec}", "remove it", name)
        if self.aspect is not None and self.size is None:
            raise refuse("needs a size", "write the size, such as 720x576, or remove the aspect", "aspect")
        if self.codec == "mpeg2" and self.fps not in MPEG2_RATES:
            allowed_rates = ", ".join(map(format_fps, MPEG2_RATES))
            raise refuse(f"mpeg2 has no {format_fps(self.fps)} fps", f"choose {allowed_rates}", "fps")
        if self.codec == "av1" and self.rate == "cbr":
            raise refuse("av1 has no filler that would make its bitrate constant", "choose capped or vbr", "rate")
        if self.bit_depth == 10 and self.codec not in TEN_BIT:
            raise refuse(f"{self.codec} has 8 bits only here", "write bit_depth: 8, or choose hevc", "bit_depth")
        allowed = PROFILES[self.codec]
        if self.bit_depth == 10:
            allowed = TEN_BIT[self.codec]
        elif self.codec in ("h264", "hevc"):
            allowed = tuple(profile for profile in allowed if not profile.endswith("10"))
        if self.profile is not None and self.profile not in allowed:
            raise refuse(
                f"{self.profile} is no profile of {self.codec} with {self.bit_depth} bits",
                f"choose {', '.join(allowed)}",
                "profile",
            )
        if self.tune is not None and self.tune not in TUNES.get(self.codec, ()):
            choice = ", ".join(TUNES.get(self.codec, ()))
            raise refuse(
                f"{self.codec} cannot be tuned for {self.tune}", f"choose {choice}" if choice else "remove it", "tune"
            )
        if self.profile == "baseline" and self.bframes:
            raise refuse("the baseline profile has no B-frames", "write bframes: 0, or choose main", "bframes")
        if self.options is not None:
            check_options(self.family, self.options, "options")
        if self.maxrate is not None and self.rate != "capped":
            raise refuse(f"does not apply to {self.rate}", "remove it; it is for rate: capped", "maxrate")
        if self.maxrate is not None and self.maxrate < self.bitrate:
            raise refuse(
                f"{format_bitrate(self.maxrate)} is below the bitrate of {format_bitrate(self.bitrate)}",
                f"write at least {format_bitrate(self.bitrate)}",
                "maxrate",
            )
        return self


class Audio(BaseModel):
    """The sound of a rendition; every sound track that the source gives is encoded like this."""

    model_config = ConfigDict(extra="forbid")

    codec: Literal["aac", "he-aac", "mp2", "ac3", "eac3", "opus", "copy"] = about(
        "Audio codec; copy hands the source's sound on as it is.", label="Audio codec", default="aac"
    )
    bitrate: Annotated[Bitrate, Range(16_000, 1_000_000, format_bitrate)] = about(
        "Audio bitrate. With copy, the most that the source's sound takes.",
        label="Audio bitrate",
        unit="b/s",
        default=128_000,
    )
    sample_rate: Literal[32000, 44100, 48000] = about("Sampling rate.", label="Sample rate", unit="Hz", default=48000)
    channels: Literal[1, 2, 6] = about("Audio channels: mono, stereo or 5.1.", label="Channels", default=2)
    loudness: Annotated[float, Range(-40, -5)] | None = about(
        "Loudness to which the sound is brought (EBU R128: -23). Without it, it stays as it is.",
        label="Loudness",
        unit="LUFS",
        example="-23",
        apart=SOUND,
        default=None,
    )
    gain: Annotated[float, Range(-60, 30)] | None = about(
        "By how much the sound is made louder, or quieter if negative.",
        label="Gain",
        unit="dB",
        apart=SOUND,
        default=None,
    )
    delay: Delay | None = about(
        "By how much the sound comes later than in the source, or earlier if negative.",
        label="Delay",
        unit="s",
        example="80ms",
        apart=SOUND,
        default=None,
    )

    @property
    def is_copy(self) -> bool:
        """Whether the source's sound is handed on without decoding."""
        return self.codec == "copy"

    @model_validator(mode="after")
    def _fields_fit_the_codec(self) -> "Audio":
        if self.is_copy:
            _refuse_beside_copy(self, ("codec", "bitrate"))
            return self
        rates = SAMPLE_RATES.get(self.codec)
        if rates is not None and self.sample_rate not in rates:
            raise refuse(
                f"{self.codec} has no {self.sample_rate} Hz", f"choose {', '.join(map(str, rates))}", "sample_rate"
            )
        known = {"mp2": MP2_BITRATES, "ac3": AC3_BITRATES}.get(self.codec)
        if known is not None and (self.bitrate % 1000 or self.bitrate // 1000 not in known):
            near = min(known, key=lambda rate: abs(rate * 1000 - self.bitrate))
            raise refuse(
                f"{self.codec} has no {format_bitrate(self.bitrate)}", f"the nearest that it has is {near}k", "bitrate"
            )
        if self.codec == "opus" and self.bitrate > OPUS_BITRATE * self.channels:
            raise refuse(
                f"opus has no {format_bitrate(self.bitrate)} in {self.channels} channels",
                f"write at most {format_bitrate(OPUS_BITRATE * self.channels)}",
                "bitrate",
            )
        if self.codec == "mp2" and self.channels == 6:
            raise refuse("mp2 has no 5.1", "choose 1 or 2 channels, or ac3", "channels")
        if self.gain is not None and self.loudness is not None:
            raise refuse("has no effect beside loudness", "remove one of the two", "gain")
        return self


def _refuse_beside_copy(model: BaseModel, kept: tuple[str, ...]) -> None:
    """Refuses what would change a stream that is handed on as it is."""
    for name, info in type(model).model_fields.items():
        if name not in kept and getattr(model, name) != info.default:
            raise refuse("does not apply to codec copy", "remove it, or choose a codec that encodes", name)


class Rendition(BaseModel):
    """One rung of the ladder, or the single profile."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, AfterValidator(check_label)] = about(
        "Short name by which outputs refer to it; the directory of its HLS playlist.",
        label="Name",
        example="1080p",
    )
    video: Video = about("Picture.", label="Video")
    audio: Audio | None = about("Sound; null for a channel without sound.", label="Audio", default_factory=Audio)

    def peak(self, tracks: int = 1) -> int:
        """Video and audio together at their highest, in bits per second, without the container.

        Args:
            tracks: How many sound tracks the source gives.
        """
        return self.video.peak + (self.audio.bitrate * tracks if self.audio else 0)
