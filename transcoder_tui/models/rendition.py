"""What a channel is transcoded to. One rendition is a single profile, several are an ABR ladder."""

from fractions import Fraction
from typing import Annotated, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, model_validator

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
)

MAX_GOP_ERROR = 0.1
"""Frames by which a GOP that is written in seconds may miss whole frames: 2s at 29.97 fps are 59.94."""


class Video(BaseModel):
    """The picture of a rendition."""

    model_config = ConfigDict(extra="forbid")

    codec: Literal["h264"] = about("Video codec.", label="Video codec", default="h264")
    size: Size = about("Picture size.", label="Size", unit="pixels", example="1920x1080")
    fps: Annotated[Fps, Range(1, 120, format_fps)] = about(
        "Frame rate; frames are dropped or repeated to meet it.", label="Frame rate", unit="fps", default=25.0
    )
    bitrate: Annotated[Bitrate, Range(50_000, 100_000_000, format_bitrate)] = about(
        "Video bitrate, which is also its ceiling (VBV buffer of one second).",
        label="Video bitrate",
        unit="b/s",
        example="5000k",
    )
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow"] = (
        about(
            "x264 preset: slower ones look better at the same bitrate and cost more CPU.",
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


class Audio(BaseModel):
    """The sound of a rendition."""

    model_config = ConfigDict(extra="forbid")

    codec: Literal["aac"] = about("Audio codec.", label="Audio codec", default="aac")
    bitrate: Annotated[Bitrate, Range(16_000, 1_000_000, format_bitrate)] = about(
        "Audio bitrate.", label="Audio bitrate", unit="b/s", default=128_000
    )
    sample_rate: Literal[32000, 44100, 48000] = about("Sampling rate.", label="Sample rate", unit="Hz", default=48000)
    channels: Literal[1, 2, 6] = about("Audio channels: mono, stereo or 5.1.", label="Channels", default=2)


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

    @property
    def bitrate(self) -> int:
        """Video and audio together, in bits per second, without the container."""
        return self.video.bitrate + (self.audio.bitrate if self.audio else 0)
