"""What a source carries: the result of looking into it."""

from typing import Literal

from pydantic import BaseModel, Field

DEFAULT_TIME_S = 15.0
"""Seconds in which a probe has to come to its end, where nothing else is asked for."""
TIME_S = (3.0, 60.0)
"""The shortest and the longest time that a probe may be given, in seconds."""

Kind = Literal["video", "audio", "subtitle", "data", "attachment", "unknown"]
FieldOrder = Literal["", "progressive", "top first", "bottom first"]


class ProbedStream(BaseModel):
    """One elementary stream. What is empty or None is not known, or does not apply to its kind."""

    index: int
    """Its position in the source, from 0 on."""
    pid: int | None = None
    """Its PID; only transport streams have them."""
    kind: Kind
    codec: str = ""
    """As FFmpeg names it, such as ``h264``."""
    profile: str = ""
    """Such as ``Main 10``."""
    language: str = ""
    """As the source writes it, mostly three letters of ISO 639-2."""
    dispositions: list[str] = Field(default_factory=list)
    """What it is for, such as ``hearing impaired``."""
    size: str = ""
    """Width and height in pixels, such as ``1920x1080``."""
    fps: float | None = None
    """Frames per second on average, to two digits."""
    field_order: FieldOrder = ""
    """How it is scanned: progressive, or which field is shown first."""
    pixel_format: str = ""
    """As FFmpeg names it, such as ``yuv422p10le``."""
    sample_aspect: str = ""
    """Width to height of a pixel, such as ``16:11``."""
    sample_rate: int | None = None
    """Hertz."""
    layout: str = ""
    """Channels of the sound, such as ``5.1(side)``."""
    bitrate: int | None = None
    """Bits per second that the source declares."""
    measured_bitrate: int | None = None
    """Bits per second that were counted, without the overhead of the transport stream."""

    @property
    def is_complete(self) -> bool:
        """Whether so much is known of it that it can be copied: not so where it is scrambled, or came too late."""
        return bool({"video": self.size, "audio": self.sample_rate}.get(self.kind, True))


class ProbedProgram(BaseModel):
    """One program of a transport stream, or one variant of an HLS master playlist."""

    number: int
    """The service id of a transport stream; the position of a variant."""
    name: str = ""
    provider: str = ""
    pmt_pid: int | None = None
    pcr_pid: int | None = None
    bitrate: int | None = None
    """Bits per second that a playlist declares for the variant."""
    streams: list[int] = Field(default_factory=list)
    """Positions of its streams."""


class Probe(BaseModel):
    """What was found in a source."""

    source: str
    """Address and interface, secrets masked."""
    container: str
    """As FFmpeg names it: ``mpegts``, ``hls``, ``flv`` …"""
    duration_s: float | None = None
    """Length of a file."""
    bitrate: int | None = None
    """Bits per second of the whole as the container tells them, or counted where packets come at their own pace."""
    measured_s: float | None = None
    """Seconds of media over which the streams were measured; None where they were not."""
    programs: list[ProbedProgram] = Field(default_factory=list)
    streams: list[ProbedStream] = Field(default_factory=list)
    found_by: str = ""
    """Which program looked: ``ffprobe`` or ``ffmpeg``."""

    def streams_of(self, program: ProbedProgram) -> list[ProbedStream]:
        """The streams of a program."""
        return [stream for stream in self.streams if stream.index in program.streams]

    def loose_streams(self) -> list[ProbedStream]:
        """The streams that belong to no program."""
        taken = {index for program in self.programs for index in program.streams}
        return [stream for stream in self.streams if stream.index not in taken]
