"""Transport streams as satellites bring them: several programs, some of them scrambled, and PIDs that stay silent."""

import os
from collections.abc import Callable, Collection

PACKET = 188
_NULL_PACKET = b"\x47\x1f\xff\x10" + b"\xff" * (PACKET - 4)
"""What fills a multiplex up (ISO/IEC 13818-1, 2.4.1)."""


def scrambled(stream: bytes, pids: Collection[int]) -> bytes:
    """A transport stream with some PIDs made unreadable, as conditional access does."""
    return _changed(stream, pids, _unreadable)


def silenced(stream: bytes, pids: Collection[int]) -> bytes:
    """A transport stream in which nothing comes on some PIDs, although its tables name them."""
    return _changed(stream, pids, lambda _: _NULL_PACKET)


def _changed(stream: bytes, pids: Collection[int], change: Callable[[bytes], bytes]) -> bytes:
    packets = (stream[at : at + PACKET] for at in range(0, len(stream), PACKET))
    return b"".join(
        change(packet) if int.from_bytes(packet[1:3], "big") & 0x1FFF in pids else packet for packet in packets
    )


def _unreadable(packet: bytes) -> bytes:
    header = 5 + packet[4] if packet[3] & 0x20 else 4
    return packet[:3] + bytes([packet[3] | 0x80]) + packet[4:header] + os.urandom(PACKET - header)
