"""What the segments of a ladder hold, as a master playlist names it: RFC 6381, and the size of the picture.

For what FFmpeg does not tell there: up to version 6 AV1, Opus, and pictures that are copied.
"""

import re
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice

ENCODED = {"aac": "mp4a.40.2", "he-aac": "mp4a.40.5", "ac3": "ac-3", "eac3": "ec-3"}
"""The names of sounds that have only one, by :attr:`Audio.codec`."""
PACKET = 188
BEGINNING = 40
"""Packets of a segment in which its first picture begins: it comes first, behind the tables."""

_TO_ENTRIES = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_VISUAL, _AUDIBLE = 78, 28
"""Bytes of a sample entry before the boxes in it (ISO/IEC 14496-12, section 12)."""
_SEQUENCE = re.compile(rb"\x00\x00\x01[\x27\x47\x67](.{3,})", re.DOTALL)
"""A sequence parameter set of H.264 behind its start code."""
_CONFIGURATION = re.compile(rb"\x05\x80\x80\x80.(.)", re.DOTALL)
_WITH_CHROMA = (100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135)
"""Profiles whose sequence parameter set tells the chroma format (ITU-T H.264, 7.3.2.1.1)."""


@dataclass(frozen=True, slots=True)
class Content:
    """The streams of a segment."""

    codecs: tuple[str, ...]
    size: tuple[int, int] | None = None
    """Width and height of the picture; None where there is none."""


UNKNOWN = Content(())


def content_of_header(header: bytes) -> Content | None:
    """What the fragments behind a header (EXT-X-MAP) hold; None where a stream of it is unknown here.

    Args:
        header: An MP4 file without samples, as FFmpeg writes it.
    """
    names: list[str] = []
    size = None
    for start, end in _inside(header, _TO_ENTRIES, 0, len(header)):
        # Version, flags and number of entries come first.
        kind, inner, stop = next(_boxes(header, start + 8, end))
        visual = kind in _PICTURES
        inside = _boxes(header, inner + (_VISUAL if visual else _AUDIBLE), stop)
        boxes = {name: header[at:to] for name, at, to in inside}
        about, write = {**_PICTURES, **_SOUNDS}.get(kind, (b"", None))
        if write is None or about not in boxes:
            return None
        name = write(kind.decode(), boxes[about])
        if name is None:
            return None
        names.append(name)
        if visual:
            size = struct.unpack_from(">HH", header, inner + 24)
    return Content(tuple(names), size) if names else None


def content_of_transport_stream(segment: bytes) -> Content | None:
    """The picture that a segment begins with; None where it is not H.264."""
    packets = (segment[at : at + PACKET] for at in range(0, len(segment), PACKET))
    found = next(filter(None, map(_SEQUENCE.search, islice(packets, BEGINNING))), None)
    if found is None:
        return None
    sequence = found[1].replace(b"\x00\x00\x03", b"\x00\x00")
    return Content((f"avc1.{sequence[:3].hex()}",), _picture_size(sequence))


def _boxes(data: bytes, start: int, end: int) -> Iterator[tuple[bytes, int, int]]:
    """Kind, begin and end of the content of each box that is there as a whole."""
    while start + 8 <= end:
        size, kind = struct.unpack_from(">I4s", data, start)
        if size < 8 or start + size > end:
            return
        yield kind, start + 8, start + size
        start += size


def _inside(data: bytes, path: Sequence[bytes], start: int, end: int) -> Iterator[tuple[int, int]]:
    if not path:
        yield start, end
        return
    for kind, inner, stop in _boxes(data, start, end):
        if kind == path[0]:
            yield from _inside(data, path[1:], inner, stop)


def _avc(kind: str, about: bytes) -> str:
    return f"{kind}.{about[1:4].hex()}"


def _hevc(kind: str, about: bytes) -> str:
    """ISO/IEC 14496-15, annex E.3."""
    space = ("", "A", "B", "C")[about[1] >> 6]
    compatible = int(f"{int.from_bytes(about[2:6], 'big'):032b}"[::-1], 2)
    tier = "H" if about[1] & 0x20 else "L"
    constraints = [f"{byte:X}" for byte in about[6:12].rstrip(b"\x00")]
    return ".".join([kind, f"{space}{about[1] & 0x1F}", f"{compatible:X}", f"{tier}{about[12]}", *constraints])


def _av1(kind: str, about: bytes) -> str:
    """AV1 Codec ISO Media File Format Binding, section 5."""
    tier = "H" if about[2] & 0x80 else "M"
    depth = (8, 10, 8, 12)[about[2] >> 5 & 3]
    return f"{kind}.{about[1] >> 5}.{about[1] & 0x1F:02}{tier}.{depth:02}"


def _mpeg4(kind: str, about: bytes) -> str | None:
    """The type of object is in the first bits of the decoder's configuration, whose tag is 5 and length four bytes."""
    found = _CONFIGURATION.search(about)
    return f"{kind}.40.{found[1][0] >> 3}" if found else None


def _plain(kind: str, _about: bytes) -> str:
    return kind.lower()


_Writer = Callable[[str, bytes], str | None]
_PICTURES: Mapping[bytes, tuple[bytes, _Writer]] = {
    b"avc1": (b"avcC", _avc),
    b"hvc1": (b"hvcC", _hevc),
    b"hev1": (b"hvcC", _hevc),
    b"av01": (b"av1C", _av1),
}
_SOUNDS: Mapping[bytes, tuple[bytes, _Writer]] = {
    b"mp4a": (b"esds", _mpeg4),
    b"Opus": (b"dOps", _plain),
    b"ac-3": (b"dac3", _plain),
    b"ec-3": (b"dec3", _plain),
}
"""By the kind of sample entry, the box that tells more of a stream, and how it is named then."""


class _Bits:
    """The bits of a parameter set, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._bits = "".join(f"{byte:08b}" for byte in data)
        self._at = 0

    def take(self, count: int = 1) -> int:
        self._at += count
        return int(self._bits[self._at - count : self._at], 2)

    def number(self) -> int:
        """An Exp-Golomb code without a sign."""
        zeros = self._bits.index("1", self._at) - self._at
        self._at += zeros
        return self.take(zeros + 1) - 1


def _picture_size(sequence: bytes) -> tuple[int, int] | None:
    """Width and height (ITU-T H.264, 7.3.2.1.1); None where what tells them is not read here or cut off."""
    bits = _Bits(sequence)
    try:
        profile = bits.take(24) >> 16
        bits.number()
        if profile in _WITH_CHROMA:
            if bits.number() != 1:
                return None
            bits.number(), bits.number(), bits.take()
            if bits.take():
                return None
        bits.number()
        order = bits.number()
        if order == 0:
            bits.number()
        elif order == 1:
            bits.take(), bits.number(), bits.number()
            for _ in range(bits.number()):
                bits.number()
        bits.number(), bits.take()
        width, height = (bits.number() + 1) * 16, (bits.number() + 1) * 16
        frames_only = bits.take()
        if not frames_only:
            bits.take()
            height *= 2
        bits.take()
        if bits.take():
            # In pairs of chroma samples, and of lines of each field.
            left, right, top, bottom = (bits.number() * 2 for _ in range(4))
            width, height = width - left - right, height - (top + bottom) * (1 if frames_only else 2)
    except ValueError:
        return None
    return width, height
