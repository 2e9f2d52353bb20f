"""HLS as PyPI's m3u8 reads it, and its segments as ffprobe does."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise
from pathlib import Path

import m3u8  # type: ignore[import-untyped]
from conformance_figures import (
    AVERAGE_BANDWIDTH,
    BANDWIDTH,
    EXTINF,
    LONG_SEGMENTS,
    UNALIGNED,
    WRONG_SEGMENTS,
    WRONG_VARIANTS,
    Reading,
)
from media_readings import Expected, keyframes, media_readings, streams
from transport_stream import Tool

CODECS = {
    "h264": "avc1.",
    "hevc": "hvc1.",
    "av1": "av01.",
    "aac": "mp4a.40.",
    "ac3": "ac-3",
    "eac3": "ec-3",
    "opus": "Opus",
}
"""How RFC 6381 begins the name of each codec, as ffprobe names them."""
FRAGMENT = (b"styp", b"moof", b"sidx", b"prft", b"emsg")
"""Boxes with which a fragment of MP4 begins (ISO/IEC 14496-12)."""
SAME_TIME_S = 0.0005
"""Seconds by which the same instant may differ between two time bases."""


@dataclass(frozen=True)
class SegmentKind:
    """What the segments of a playlist should be."""

    fragmented: bool = False
    """Fragments of MP4 behind an init segment, instead of transport streams."""
    encrypted: bool = False
    """AES-128 over each segment as a whole."""
    keys: int = 0
    """How many keys there must be at least."""


def hls_readings(tool: Tool, master: Path, rungs: Sequence[Expected], kind: SegmentKind) -> list[Reading]:
    """What a player relies on, of a ladder that was ended and of which no segment was deleted.

    Args:
        tool: Runs a program.
        master: The master playlist.
        rungs: What each variant should be, in the order of the ladder.
        kind: What its segments should be.
    """
    variants = m3u8.load(str(master)).playlists
    assert len(variants) == len(rungs), f"{len(variants)} variants for {len(rungs)} rungs"
    readings = []
    for number, (variant, expected) in enumerate(zip(variants, rungs, strict=True)):
        media = _Media(master, variant.uri)
        sounds = [_Media(master, sound.uri) for sound in variant.media if sound.type == "AUDIO" and sound.uri]
        peak = media.peak + max((sound.peak for sound in sounds), default=0.0)
        mean = media.mean + max((sound.mean for sound in sounds), default=0.0)
        said = variant.stream_info
        readings += [
            Reading(BANDWIDTH, max(0.0, 1 - said.bandwidth / peak) * 100),
            Reading(WRONG_VARIANTS, _wrong(tool, master, number, variant, expected)),
            Reading(LONG_SEGMENTS, sum(one.too_long for one in (media, *sounds))),
            Reading(WRONG_SEGMENTS, sum(one.wrong_segments(tool, kind) for one in (media, *sounds))),
            Reading(EXTINF, media.extinf_error_ms(tool)),
            *media_readings(tool, str(master), expected, video=f"v:{number}", audio=_sound(number, sounds)),
        ]
        if said.average_bandwidth is not None:
            readings.append(Reading(AVERAGE_BANDWIDTH, max(0.0, 1 - said.average_bandwidth / mean) * 100))
    times = [keyframes(tool, str(master), f"v:{number}") for number in range(len(rungs))]
    readings += [Reading(UNALIGNED, apart(one, other)) for one, other in combinations(times, 2)]
    return readings


class _Media:
    """A media playlist with its segments."""

    def __init__(self, master: Path, uri: str) -> None:
        self._playlist = m3u8.load(str(master.parent / uri))
        self.directory = (master.parent / uri).parent
        # What an end cuts short is no measure of a rate.
        whole = self._playlist.segments[:-1]
        assert len(whole) >= 2, f"{len(whole)} whole segments in {uri}"
        self._bits: list[int] = [(self.directory / segment.uri).stat().st_size * 8 for segment in whole]
        self._lengths: list[float] = [float(segment.duration) for segment in whole]

    @property
    def peak(self) -> float:
        return max(bits / length for bits, length in zip(self._bits, self._lengths, strict=True))

    @property
    def mean(self) -> float:
        return sum(self._bits) / sum(self._lengths)

    @property
    def too_long(self) -> int:
        """Segments that last longer than the target duration, once rounded to whole seconds."""
        return sum(round(segment.duration) > self._playlist.target_duration for segment in self._playlist.segments)

    def wrong_segments(self, tool: Tool, kind: SegmentKind) -> int:
        """Segments that are not of a kind, and keys that are missing."""
        keys = {segment.key.uri for segment in self._playlist.segments if segment.key and segment.key.uri}
        wrong = sum(self._is_wrong(tool, number, kind) for number in range(len(self._playlist.segments)))
        return wrong + max(0, kind.keys - len(keys))

    def _is_wrong(self, tool: Tool, number: int, kind: SegmentKind) -> bool:
        segment = self._playlist.segments[number]
        content = (self.directory / segment.uri).read_bytes()
        encrypted = segment.key is not None and segment.key.method == "AES-128"
        if encrypted:
            content = self._decrypted(tool, segment, self._playlist.media_sequence + number)
        begins = content[4:8] in FRAGMENT if kind.fragmented else content[:1] == content[188:189] == b"\x47"
        mapped = segment.init_section is not None
        return not begins or encrypted != kind.encrypted or mapped != kind.fragmented

    def _decrypted(self, tool: Tool, segment: m3u8.Segment, sequence: int) -> bytes:
        """A segment as openssl decrypts it; without an IV of its own, its number is the IV (RFC 8216, 5.2)."""
        vector = segment.key.iv.removeprefix("0x") if segment.key.iv else f"{sequence:032x}"
        key = (self.directory / segment.key.uri).read_bytes().hex()
        clear = self.directory / "clear"
        with_key = ("-K", key, "-iv", vector, "-in", str(self.directory / segment.uri), "-out", str(clear))
        tool("openssl", "enc", "-d", "-aes-128-cbc", *with_key)
        return clear.read_bytes()

    def extinf_error_ms(self, tool: Tool) -> float:
        """Milliseconds between what the playlist says of a segment and the distance of its keyframe from the next."""
        segments = self._playlist.segments
        if any(segment.key and segment.key.method != "NONE" for segment in segments) or segments[0].init_section:
            return 0.0
        starts = [keyframes(tool, str(self.directory / segment.uri))[0] for segment in segments]
        lengths = [later - earlier for earlier, later in pairwise(starts)]
        return max(abs(said - is_) for said, is_ in zip(self._lengths, lengths, strict=True)) * 1e3


def _sound(number: int, sounds: Sequence[_Media]) -> str:
    """Which sound of the master playlist belongs to a rung: the shared one, else its own."""
    return "a:0" if sounds else f"a:{number}"


def _wrong(tool: Tool, master: Path, number: int, variant: m3u8.Playlist, expected: Expected) -> int:
    said = variant.stream_info
    codecs = (said.codecs or "").split(",")
    about = streams(tool, str(master), f"v:{number}")[0]
    wanted = [CODECS[expected.video], *([CODECS[expected.audio]] if expected.audio else [])]
    return sum(
        (
            not all(any(codec.lower().startswith(begin.lower()) for codec in codecs) for begin in wanted),
            len(codecs) != len(wanted),
            expected.video == "h264" and _avc_level(codecs) != about.get("level"),
            said.resolution != expected.size,
            said.frame_rate is not None and abs(said.frame_rate - expected.fps) > 0.01,
        )
    )


def _avc_level(codecs: Sequence[str]) -> int | None:
    """The level in ``avc1.PPCCLL``, tenfold, as ffprobe has it."""
    named = [codec for codec in codecs if codec.startswith("avc1.")]
    return int(named[0][-2:], 16) if named else None


def apart(one: Sequence[float], other: Sequence[float]) -> int:
    """Keyframes that the other rung has none at the time of, as far as both reach."""
    end = min(one[-1], other[-1]) + SAME_TIME_S
    pairs = ((here, there) for here, there in ((one, other), (other, one)))
    return sum(
        all(abs(time - twin) > SAME_TIME_S for twin in there) for here, there in pairs for time in here if time <= end
    )
