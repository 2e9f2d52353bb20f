"""Subtitles that are text: HLS carries them as WebVTT in a playlist of their own (RFC 8216, section 3.5).

FFmpeg writes one file of WebVTT for each segment of the rung that a text goes along with. Their playlist it does not
write well: it has no discontinuities and no time of day, FFmpeg 5.1 ends it at each exit, and the files do not say
where their times belong in the picture's. So the playlist is made from the rung's own.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from transcoder_tui.ffmpeg.binary import Binary
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.output import Output
from transcoder_tui.models.source import Source

PLAIN = ("subrip", "ass", "ssa", "mov_text", "webvtt", "text")
"""Codecs that are text, as FFmpeg names them; no transport stream carries them."""
TELETEXT = "dvb_teletext"
"""Is text once it is decoded; transport streams carry it as it is."""
DECODED = ("-txt_format", "text", "-txt_page", "subtitle", "-fix_sub_duration", "-max_error_rate", "1")
"""How teletext is decoded: as text instead of pictures, of subtitle pages only, each of them until the next one or its
end instead of for 49 days. A page that cannot be decoded ends nothing; else FFmpeg from version 7 on ends itself
where that are two thirds of them."""

UNPACED = 60
"""Major version of libavutil (FFmpeg 8) from which on a file is not read at its own pace any more once a subtitle is
taken of it: it runs ahead up to the next one, and waits there (measured with 9.0; 5.1 keeps the pace)."""

_SEGMENT = re.compile(r"^s_(\d+)\.(?:ts|m4s)$", re.MULTILINE)
_OF_PICTURES = re.compile(r"^#EXT-X-(?:MAP|KEY|BITRATE):.*\n", re.MULTILINE)
_HEADER = "WEBVTT\n"


@dataclass(frozen=True, slots=True)
class Text:
    """One text subtitle of a source."""

    stream: str
    """As ``-map`` names it."""
    language: str = ""
    """ISO 639-2 code; empty where it is not known."""
    is_teletext: bool = False


def can_read_texts(source: Source, binary: Binary) -> bool:
    """Whether text can be taken of a source without harm to its picture."""
    return source.address.scheme != "file" or binary.avutil[0] < UNPACED


def readable_texts(texts: Sequence[Text], source: Source, binary: Binary) -> tuple[Text, ...]:
    """Those of a source's texts that an FFmpeg can read."""
    if not can_read_texts(source, binary):
        return ()
    return tuple(text for text in texts if binary.decodes_teletext or not text.is_teletext)


def carried_texts(spec: ChannelSpec, output: Output, texts: Sequence[Text]) -> Sequence[Text]:
    """Those that an output carries: one with each rung at most, for FFmpeg writes no more."""
    return texts[: len(spec.carried(output))] if output.address.scheme == "hls" else ()


def mapped_texts(spec: ChannelSpec, texts: Sequence[Text]) -> Sequence[Text]:
    """Those that some output of a channel carries."""
    return texts[: max(len(carried_texts(spec, output, texts)) for output in spec.outputs)]


def text_name(number: int) -> str:
    """Name of a text segment."""
    return f"s_{number:08d}.vtt"


def numbers_of(playlist: str) -> list[int]:
    """The numbers of the segments that a rung's playlist lists."""
    return [int(number) for number in _SEGMENT.findall(playlist)]


def text_playlist(playlist: str, ready: int) -> str:
    """The playlist of a text, made from that of the rung which it goes along with; empty where none is ready.

    Args:
        playlist: The rung's.
        ready: The number of the last segment that has its text; later ones are not listed yet.
    """
    segments = [*_SEGMENT.finditer(playlist)]
    listed = [segment for segment in segments if int(segment[1]) <= ready]
    if not listed:
        return ""
    whole = playlist if len(listed) == len(segments) else playlist[: listed[-1].end()] + "\n"
    return _SEGMENT.sub(lambda segment: text_name(int(segment[1])), _OF_PICTURES.sub("", whole))


def text_segment(written: str, origin: int) -> str:
    """A segment of WebVTT that says where its times belong.

    Args:
        written: As FFmpeg wrote it; may be empty.
        origin: The picture's timestamp at the cues' time 0, in ticks of 90 kHz.
    """
    cues = written.removeprefix(_HEADER).lstrip("\n")
    return f"{_HEADER}X-TIMESTAMP-MAP=LOCAL:00:00:00.000,MPEGTS:{origin}\n\n{cues}"
