"""Adds PIDs to a transport stream that FFmpeg's muxer cannot make: teletext, DVB subtitles, SCTE-35, plain data."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

PACKET = 188
TELETEXT, SUBTITLES, SCTE35, DATA = 0x1E0, 0x1E1, 0x1F0, 0x1F1
"""The PIDs that are added."""
EVERY = 0.2
"""Seconds between two packets of each added PID."""

_CLOCK_HZ = 90_000


def _crc(data: bytes) -> bytes:
    """CRC-32/MPEG-2 of a section, ISO/IEC 13818-1 annex A."""
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte << 24
        for _ in range(8):
            crc = (crc << 1 ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc.to_bytes(4, "big")


def _descriptor(tag: int, body: bytes) -> bytes:
    return bytes([tag, len(body)]) + body


_CUEI = _descriptor(0x05, b"CUEI")
_STREAMS = {
    TELETEXT: (0x06, _descriptor(0x56, b"fin" + bytes([0x02 << 3, 0x88]))),
    SUBTITLES: (0x06, _descriptor(0x59, b"swe" + bytes([0x10, 0, 1, 0, 1]))),
    SCTE35: (0x86, b""),
    DATA: (0x06, b""),
}
"""Stream type and descriptors: EN 300 468 6.2.41 and 6.2.43, SCTE 35 8.1."""


def _pts(seconds: float) -> bytes:
    ticks = round(seconds * _CLOCK_HZ) & (1 << 33) - 1
    return bytes(
        [
            0x21 | ticks >> 29 & 0x0E,
            ticks >> 22 & 0xFF,
            0x01 | ticks >> 14 & 0xFE,
            ticks >> 7 & 0xFF,
            0x01 | ticks << 1 & 0xFE,
        ]
    )


def _pes(seconds: float, payload: bytes) -> bytes:
    """A packet of private_stream_1."""
    header = bytes([0x84, 0x80, 5]) + _pts(seconds)
    return b"\x00\x00\x01\xbd" + (len(header) + len(payload)).to_bytes(2, "big") + header + payload


SAID, FROM, TO, PERIOD = "light on", 1.5, 3.0, 6.0
"""What teletext says, and the seconds within each period in which it does."""
_HAMMING = (0x15, 0x02, 0x49, 0x5E, 0x64, 0x73, 0x38, 0x2F, 0xD0, 0xC7, 0x8C, 0x9B, 0xA1, 0xB6, 0xFD, 0xEA)
"""Four bits with their protection: ETSI EN 300 706, 8.2."""


def _teletext(seconds: float) -> bytes:
    """Page 888 and a header of filling, which ends it: EN 300 706, 9.3.1, and EN 300 472, 4.3."""
    page = _row(0, [_HAMMING[part] for part in (8, 8, 0, 8, 0, 8, 3, 1)], "")
    end = _row(0, [_HAMMING[part] for part in (15, 15, 0, 8, 0, 8, 3, 1)], "")
    said = FROM <= seconds % PERIOD < TO
    text = _row(22, [], f"  \x0b\x0b{SAID}\x0a\x0a") if said else b"\xff\x2c" + b"\xff" * 44
    return _pes(seconds, b"\x10" + page + text + end)


def _row(number: int, begin: list[int], text: str) -> bytes:
    """One packet of magazine 8, in the order of bits in which transport streams carry it."""
    address = [_HAMMING[(number & 1) << 3], _HAMMING[number >> 1]]
    letters = [ord(char) | (0 if ord(char).bit_count() % 2 else 0x80) for char in text.ljust(40 - len(begin))]
    row = (int(f"{byte:08b}"[::-1], 2) for byte in (*address, *begin, *letters))
    return bytes([0x03, 0x2C, 0xE7, 0xE4, *row])


def _subtitles(seconds: float) -> bytes:
    """An empty page: a page composition and the end of the display set, EN 300 743."""
    page = bytes([0x0F, 0x10, 0, 1, 0, 2, 5, 0x08])
    end = bytes([0x0F, 0x80, 0, 1, 0, 0])
    return _pes(seconds, b"\x20\x00" + page + end + b"\xff")


def _splice_null(_: float) -> bytes:
    body = bytes([0, 0, 0, 0, 0, 0, 0, 0xFF, 0xF0, 0, 0, 0, 0])
    section = bytes([0xFC, 0x30, len(body) + 4]) + body
    return b"\x00" + section + _crc(section)


def _private(seconds: float) -> bytes:
    return _pes(seconds, b"anything")


_PAYLOADS: dict[int, Callable[[float], bytes]] = {
    TELETEXT: _teletext,
    SUBTITLES: _subtitles,
    SCTE35: _splice_null,
    DATA: _private,
}


@dataclass
class _Counter:
    next: int = 0

    def packet(self, pid: int, payload: bytes) -> bytes:
        """One packet; what is missing in it is stuffed in the adaptation field."""
        missing = PACKET - 4 - len(payload)
        assert missing >= 0, "it fits one packet"
        stuffing = b""
        if missing:
            stuffing = bytes([missing - 1]) + (b"\x00" + b"\xff" * (missing - 2) if missing > 1 else b"")
        head = bytes([0x47, 0x40 | pid >> 8, pid & 0xFF, (0x30 if missing else 0x10) | self.next])
        self.next = (self.next + 1) & 0x0F
        return head + stuffing + payload


def with_companions(stream: bytes, pmt_pid: int) -> bytes:
    """The stream with the added PIDs in one of its programs.

    Args:
        stream: A transport stream whose PMTs fit one packet each.
        pmt_pid: PID of the program's PMT.
    """
    return b"".join(_packets(stream, pmt_pid))


def _packets(stream: bytes, pmt_pid: int) -> Iterator[bytes]:
    counters = {pid: _Counter() for pid in _STREAMS}
    pmts = _Counter()
    due: float | None = None
    for at in range(0, len(stream) - PACKET + 1, PACKET):
        packet = stream[at : at + PACKET]
        pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
        yield pmts.packet(pid, _extended(packet)) if pid == pmt_pid else packet
        now = _clock(packet)
        if now is None or (due is not None and now < due):
            continue
        due = now + EVERY
        for added, payload in _PAYLOADS.items():
            yield counters[added].packet(added, payload(now + 0.6))


def _extended(packet: bytes) -> bytes:
    """The payload of a PMT's packet with the added streams."""
    start = 4 + (packet[4] + 1 if packet[3] & 0x20 else 0)
    start += packet[start] + 1
    length = int.from_bytes(packet[start + 1 : start + 3], "big") & 0xFFF
    head, rest = packet[start + 3 : start + 10], packet[start + 12 : start + 3 + length - 4]
    known = int.from_bytes(packet[start + 10 : start + 12], "big") & 0xFFF
    described, streams = rest[:known] + _CUEI, rest[known:]
    for pid, (kind, descriptors) in _STREAMS.items():
        streams += bytes([kind, 0xE0 | pid >> 8, pid & 0xFF, 0xF0, len(descriptors)]) + descriptors
    body = head + (0xF000 | len(described)).to_bytes(2, "big") + described + streams
    section = b"\x02" + (0xB000 | len(body) + 4).to_bytes(2, "big") + body
    return b"\x00" + section + _crc(section)


def _clock(packet: bytes) -> float | None:
    """Seconds of a packet's PCR; None where it has none."""
    if not packet[3] & 0x20 or packet[4] == 0 or not packet[5] & 0x10:
        return None
    return (int.from_bytes(packet[6:11], "big") >> 7) / _CLOCK_HZ
