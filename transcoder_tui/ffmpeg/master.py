"""The master playlist of a ladder, with what FFmpeg leaves out or gets wrong.

FFmpeg up to 7 writes the nominal bitrate as BANDWIDTH, later ones the highest of the first segment; both leave out
FRAME-RATE or the names of sounds, up to 6 some CODECS and RESOLUTION too. RFC 8216, section 4.3.4, says what players
expect.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transcoder_tui.ffmpeg.codecs import UNKNOWN, Content

INDEPENDENT = "#EXT-X-INDEPENDENT-SEGMENTS"
_VARIANT, _MEDIA, _VERSION = "#EXT-X-STREAM-INF:", "#EXT-X-MEDIA:", "#EXT-X-VERSION:"
_TEXTS, _GROUP = "TYPE=SUBTITLES", "subtitles"
_ATTRIBUTE = re.compile(r'([A-Z0-9-]+)=("[^"]*"|[^",]*)')
_DURATION = re.compile(r"#EXTINF:([0-9.]+)")


@dataclass(frozen=True, slots=True)
class Variant:
    """What is known of a rung."""

    bandwidth: int
    """Highest bitrate of a segment, with that of its sound, in bits per second."""
    average: int
    """Over the segments that are listed, likewise; 0 where there are none."""
    fps: float
    """0 where it is not known."""
    content: Content = UNKNOWN
    """Said where FFmpeg does not."""


@dataclass(frozen=True, slots=True)
class Sound:
    """What is known of a sound with a playlist of its own."""

    name: str
    channels: int
    """0 where it is not known."""
    language: str = ""
    """ISO 639-2 code; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Subtitles:
    """What is known of a subtitle, of which FFmpeg says nothing."""

    uri: str
    """Of its playlist."""
    place: int
    """Among the subtitles, from 1."""
    language: str = ""
    """ISO 639-2 code; empty where it is not known."""


@dataclass(frozen=True, slots=True)
class Segment:
    """One segment that a media playlist lists."""

    uri: str
    duration_s: float


def corrected(
    text: str, variants: Mapping[str, Variant], sounds: Mapping[str, Sound], texts: Sequence[Subtitles] = ()
) -> str:
    """A master playlist as players expect it; one that is so already stays the same.

    Args:
        text: As FFmpeg wrote it.
        variants: What is known of each rung, by the address of its playlist.
        sounds: What is known of each sound, likewise.
        texts: The subtitles; each rung goes with all of them.
    """
    lines = [line for line in text.splitlines() if line and line != INDEPENDENT and _TEXTS not in line]
    if not lines:
        # FFmpeg is just writing it.
        return text
    done = []
    for line, following in zip(lines, [*lines[1:], ""], strict=True):
        if line.startswith(_VARIANT) and following in variants:
            variant = variants[following]
            known = _of_content(variant.content) | _attributes(line) | _of_variant(variant)
            known.pop("SUBTITLES", None)
            line = _VARIANT + _written(known | ({"SUBTITLES": f'"{_GROUP}"'} if texts else {}))
        elif line.startswith(_MEDIA):
            attributes = _attributes(line)
            sound = sounds.get(attributes.get("URI", "").strip('"'))
            line = _MEDIA + _written(attributes | (_of_sound(sound) if sound else {}))
        done.append(line)
        if line.startswith(_VERSION):
            done += [INDEPENDENT, *(_MEDIA + _written(_of_text(one, texts)) for one in texts)]
    return "\n".join(done) + "\n"


def segments_of(playlist: str) -> list[Segment]:
    """The segments that a media playlist lists."""
    found, duration = [], 0.0
    for line in playlist.splitlines():
        if match := _DURATION.match(line):
            duration = float(match[1])
        elif line and not line.startswith("#"):
            found.append(Segment(line, duration))
    return found


def _attributes(line: str) -> dict[str, str]:
    return dict(_ATTRIBUTE.findall(line.partition(":")[2]))


def _of_variant(variant: Variant) -> dict[str, str]:
    known = {"BANDWIDTH": str(variant.bandwidth)}
    if variant.average:
        known["AVERAGE-BANDWIDTH"] = str(variant.average)
    if variant.fps:
        known["FRAME-RATE"] = f"{variant.fps:.3f}"
    return known


def _of_content(content: Content) -> dict[str, str]:
    known = {"CODECS": f'"{",".join(content.codecs)}"'} if content.codecs else {}
    return {**known, "RESOLUTION": "{}x{}".format(*content.size)} if content.size else known


def _of_sound(sound: Sound) -> dict[str, str]:
    known = {"NAME": f'"{sound.name}"', "AUTOSELECT": "YES"}
    if sound.language:
        known["LANGUAGE"] = f'"{sound.language}"'
    if sound.channels:
        known["CHANNELS"] = f'"{sound.channels}"'
    return known


def _of_text(text: Subtitles, texts: Sequence[Subtitles]) -> dict[str, str]:
    alone = sum(other.language == text.language for other in texts) == 1
    name = text.language if text.language and alone else f"Subtitles {text.place}"
    language = {"LANGUAGE": f'"{text.language}"'} if text.language else {}
    known = {"TYPE": "SUBTITLES", "GROUP-ID": f'"{_GROUP}"', "NAME": f'"{name}"', **language}
    return {**known, "DEFAULT": "NO", "AUTOSELECT": "YES", "URI": f'"{text.uri}"'}


def _written(attributes: Mapping[str, str]) -> str:
    return ",".join(f"{name}={value}" for name, value in attributes.items())
