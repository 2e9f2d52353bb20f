"""Picture and sound as Debian's ffprobe and FFmpeg's detectors see them."""

import json
import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from conformance_figures import (
    AV_OFFSET,
    BACKWARDS,
    PICTURE_STEP,
    RUNG_BITRATE,
    SOUND_GAP,
    WRONG_STREAMS,
    Reading,
)
from transport_stream import Tool

LONG_S = 30.0
"""Seconds over which the bitrate of a rung is taken."""
ENCODER_SETTLES_S = 1.0
"""Seconds that the rate control has before its bitrate is taken."""
FLASHES = 3
"""How many flashes with a beep must be found at least."""

_FLASH = re.compile(r"black_end: ?([\d.]+).*?(?=black_start)", re.DOTALL)
_BEEP = re.compile(r"silence_end: ([\d.]+).*?(?=silence_start)", re.DOTALL)
"""What both detectors also report at the end of a stream is followed by nothing."""


@dataclass(frozen=True)
class Expected:
    """What a rendition should be in its container."""

    video: str
    """Codec as ffprobe names it."""
    size: tuple[int, int]
    fps: float
    audio: str | None
    channels: int = 2
    bitrate: int | None = None
    """Of picture and sound together; None where it is not promised."""
    sound_varies: bool = False
    """Whether the sound's rate follows its content, as that of Opus does; then only the picture is counted."""
    flashes: bool = True
    """Whether the source has a flash and a beep each second."""
    settled_s: float = 0.0
    """Seconds after which picture and sound must be together."""


def media_readings(
    tool: Tool, media: str, expected: Expected, *, video: str = "v:0", audio: str = "a:0"
) -> list[Reading]:
    """Whether what arrived is what the rendition says, without a gap, with picture and sound together.

    Args:
        tool: Runs a program.
        media: A file or playlist.
        expected: The rendition.
        video: Which of its pictures.
        audio: Which of its sounds.
    """
    pictures = _Stream(tool, media, video)
    readings = [Reading(WRONG_STREAMS, pictures.wrong_picture(expected)), Reading(BACKWARDS, pictures.backwards)]
    readings.append(Reading(PICTURE_STEP, pictures.longest_step * expected.fps))
    rate = pictures.rate()
    if expected.audio is not None:
        sounds = _Stream(tool, media, audio)
        readings += [
            Reading(WRONG_STREAMS, sounds.wrong_sound(expected)),
            Reading(BACKWARDS, sounds.backwards),
            Reading(SOUND_GAP, sounds.longest_gap * 1e3),
        ]
        rate += 0 if expected.sound_varies else sounds.rate()
        if expected.flashes:
            readings.append(Reading(AV_OFFSET, av_offset_ms(tool, media, video, audio, expected.settled_s)))
    if expected.bitrate is not None and pictures.length >= LONG_S:
        readings.append(Reading(RUNG_BITRATE, abs(rate / expected.bitrate - 1) * 100))
    return readings


def keyframes(tool: Tool, media: str, video: str = "v:0") -> list[float]:
    """Presentation times of the keyframes."""
    return [float(packet["pts_time"]) for packet in _packets(tool, media, video) if "K" in packet["flags"]]


def streams(tool: Tool, media: str, select: str) -> list[dict[str, Any]]:
    """The streams of a file or playlist."""
    return list(_probe(tool, media, "-select_streams", select, "-show_streams")["streams"])


def av_offset_ms(tool: Tool, media: str, video: str = "v:0", audio: str = "a:0", after_s: float = 0.0) -> float:
    """Milliseconds between a flash in the upper left corner and its beep, at most, whichever comes first.

    Args:
        tool: Runs a program.
        media: A file or playlist.
        video: Which of its pictures.
        audio: Which of its sounds.
        after_s: Flashes before this time are not looked at.
    """
    graph = f"[0:{video}]crop=iw/8:ih/8:0:0,blackdetect=d=0.1:pix_th=0.4[v];[0:{audio}]silencedetect=n=-26dB:d=0.3[a]"
    sinks = ("-map", "[v]", "-map", "[a]", "-f", "null", "-")
    log = tool("ffmpeg", "-hide_banner", "-nostats", *_reading(media), "-filter_complex", graph, *sinks)
    flashes = [float(time) for time in _FLASH.findall(log) if float(time) >= after_s]
    beeps = [float(time) for time in _BEEP.findall(log)]
    offsets = [min((beep - flash for beep in beeps), key=abs) for flash in flashes if beeps]
    # At either end the partner may be missing.
    offsets = [offset for offset in offsets if abs(offset) < 0.5]
    assert len(offsets) >= FLASHES, f"{len(flashes)} flashes and {len(beeps)} beeps in {media}: {log[-2000:]}"
    return max(abs(offset) for offset in offsets) * 1e3


def frames_lost(tool: Tool, files: Sequence[str]) -> int:
    """Pictures that are missing where one transport stream goes on in the next, or that are in both.

    A flash comes every second, so as many pictures lie between any two; timestamps are not looked at.
    """
    graph = "setpts=N/TB/25,crop=iw/8:ih/8:0:0,blackdetect=d=0.1:pix_th=0.4"
    joined = "concat:" + "|".join(files)
    log = tool("ffmpeg", "-hide_banner", "-nostats", "-i", joined, "-an", "-vf", graph, "-f", "null", "-")
    flashes = [round(float(time) * 25) for time in _FLASH.findall(log)]
    assert len(flashes) >= FLASHES, f"{len(flashes)} flashes in {files}: {log[-2000:]}"
    return max(abs(later - earlier - 25) for earlier, later in pairwise(flashes))


class _Stream:
    """One stream, packet by packet."""

    def __init__(self, tool: Tool, media: str, select: str) -> None:
        found = streams(tool, media, select)
        assert found, f"no {select} in {media}"
        self.about = found[0]
        self._packets = [packet for packet in _packets(tool, media, select) if "pts_time" in packet]
        assert len(self._packets) > 2, f"{len(self._packets)} packets of {select} in {media}"
        self._times = sorted(float(packet["pts_time"]) for packet in self._packets)

    @property
    def length(self) -> float:
        return self._times[-1] - self._times[0]

    @property
    def backwards(self) -> int:
        """How many packets are decoded before the one in front of them."""
        decoded = [float(packet["dts_time"]) for packet in self._packets if "dts_time" in packet]
        return sum(later < earlier for earlier, later in pairwise(decoded))

    @property
    def longest_step(self) -> float:
        return max(later - earlier for earlier, later in pairwise(self._times))

    @property
    def longest_gap(self) -> float:
        """Seconds between the end of a packet and the beginning of the next at most."""
        return max(0.0, self.longest_step - float(self._packets[1].get("duration_time", 0)))

    def rate(self) -> float:
        """Bits per second over 30 s, or over what there is."""
        begin = self._times[0] + ENCODER_SETTLES_S
        end = min(begin + LONG_S, self._times[-1])
        within = [packet for packet in self._packets if begin <= float(packet["pts_time"]) < end]
        return sum(int(packet["size"]) for packet in within) * 8 / (end - begin)

    def wrong_picture(self, expected: Expected) -> int:
        numerator, denominator = map(int, self.about["r_frame_rate"].split("/"))
        return sum(
            (
                self.about["codec_name"] != expected.video,
                (self.about["width"], self.about["height"]) != expected.size,
                abs(numerator / denominator - expected.fps) > 0.01,
                self.about.get("field_order", "progressive") not in ("progressive", "unknown"),
            )
        )

    def wrong_sound(self, expected: Expected) -> int:
        return sum((self.about["codec_name"] != expected.audio, self.about["channels"] != expected.channels))


def _packets(tool: Tool, media: str, select: str) -> Sequence[dict[str, Any]]:
    shown = "packet=pts_time,dts_time,duration_time,flags,size"
    return list(_probe(tool, media, "-select_streams", select, "-show_entries", shown).get("packets", []))


def _probe(tool: Tool, media: str, *arguments: str) -> Any:
    text = tool("ffprobe", "-v", "quiet", "-of", "json", *arguments, *_reading(media))
    return json.loads(text)


def _reading(media: str) -> tuple[str, ...]:
    """Playlists may name keys and segments of any ending; this is our own doing, not a stranger's."""
    playlist = media.endswith(".m3u8")
    return (*(("-allowed_extensions", "ALL") if playlist else ()), "-i", media)
