"""Reads a transport stream as a receiver does (ISO/IEC 13818-1): continuity, PCR and rate."""

from dataclasses import dataclass, field
from itertools import pairwise

PACKET = 188
NULL_PID = 0x1FFF
PCR_HZ = 27_000_000


@dataclass
class Analysis:
    """What was found in a capture."""

    packets: int = 0
    null_packets: int = 0
    continuity_errors: int = 0
    pcrs: list[tuple[int, int]] = field(default_factory=list)
    """Byte position and value in 27 MHz ticks of each PCR."""

    @property
    def rates(self) -> list[float]:
        """Bits per second between each two PCRs."""
        return [(here - before) * 8 * PCR_HZ / (now - then) for (before, then), (here, now) in pairwise(self.pcrs)]

    @property
    def longest_pcr_gap(self) -> float:
        """Seconds between two PCRs at most."""
        return max(now - then for (_, then), (_, now) in pairwise(self.pcrs)) / PCR_HZ


def analyse(data: bytes) -> Analysis:
    """Looks at each packet of a capture that begins with one."""
    found = Analysis()
    counters: dict[int, int] = {}
    for start in range(0, len(data) - PACKET + 1, PACKET):
        packet = data[start : start + PACKET]
        assert packet[0] == 0x47, f"no sync byte at {start}"
        found.packets += 1
        pid = int.from_bytes(packet[1:3], "big") & 0x1FFF
        if pid == NULL_PID:
            found.null_packets += 1
            continue
        adaptation, payload = packet[3] & 0x20, packet[3] & 0x10
        flags = packet[5] if adaptation and packet[4] else 0
        if payload:
            counter = packet[3] & 0x0F
            if pid in counters and not flags & 0x80 and counter != (counters[pid] + 1) % 16:
                found.continuity_errors += 1
            counters[pid] = counter
        if flags & 0x10:
            base = int.from_bytes(packet[6:11], "big") >> 7
            extension = int.from_bytes(packet[10:12], "big") & 0x1FF
            found.pcrs.append((start, base * 300 + extension))
    return found
