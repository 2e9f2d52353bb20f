"""Which codecs each container carries."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Container:
    """What a container carries; what is copied from a source is not looked at."""

    words: str
    """What operators call it."""
    video: tuple[str, ...]
    audio: tuple[str, ...]
    accompanied: bool = False
    """Whether it carries copied subtitles, teletext and data."""


_ANY_VIDEO = ("h264", "hevc", "mpeg2", "av1")
_ANY_AUDIO = ("aac", "he-aac", "mp2", "ac3", "eac3", "opus")

CONTAINERS: Mapping[str, Container] = {
    # AV1 has no mapping in transport streams that receivers know; FFmpeg writes it as private data.
    "mpegts": Container("a transport stream", ("h264", "hevc", "mpeg2"), _ANY_AUDIO, accompanied=True),
    "flv": Container("RTMP", ("h264",), ("aac", "he-aac")),
    # RFC 8216 and Apple's HLS authoring specification.
    "hls-ts": Container("HLS with TS segments", ("h264", "hevc"), ("aac", "he-aac", "ac3", "eac3")),
    "hls-fmp4": Container("HLS with fMP4 segments", ("h264", "hevc", "av1"), ("aac", "he-aac", "ac3", "eac3", "opus")),
    "dash": Container("DASH", ("h264", "hevc", "av1"), ("aac", "he-aac", "ac3", "eac3", "opus")),
    "mp4": Container("MP4", _ANY_VIDEO, _ANY_AUDIO),
    "matroska": Container("Matroska", _ANY_VIDEO, _ANY_AUDIO),
}
"""By the name of FFmpeg's muxer, and of the segments where there are several kinds."""
