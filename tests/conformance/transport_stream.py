"""Transport streams as tstools and dvbpsi's dvbinfo see them."""

import csv
import re
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from statistics import median

from conformance_figures import (
    CBR,
    CC_ERRORS,
    MISSING_PIDS,
    PACE_1S,
    PACE_100MS,
    PAT_GAP,
    PCR_ACCURACY,
    PCR_GAP,
    PMT_GAP,
    PTS_GAP,
    STORED_PCR_GAP,
    SYNC,
    WRONG_SERVICE,
    Reading,
)

Tool = Callable[..., str]
"""Runs a program on its arguments and gives what it says on both its outputs."""

CLOCK_HZ = 90_000
TICKS_HZ = 27_000_000
DATAGRAM_BITS = 1316 * 8
SETTLING_S = 2.0
"""FFmpeg from 7 on reads the first half second of a file at once; then it keeps time."""

_PACKET = re.compile(r"^ *(\d+): TS Packet", re.MULTILINE)
_PROGRAM = re.compile(r"Program (\d+) -> PID \w+ \((\d+)\)")
_PCR_PID = re.compile(r"PCR PID \w+ \((\d+)\)")
_STREAM = re.compile(r"PID \w+ \( *(\d+)\) -> Stream type (\w+)")
_LINEAR = re.compile(r"Linear PCR prediction errors: min=(-?\d+):(\d+)t, max=(-?\d+):(\d+)t")
_GAP = re.compile(r"Max gap: (\d+):(\d+)t")
_RATE = re.compile(r"Overall stream rate=(\d+)")
_CC = re.compile(r"### PID\(\d+\): Continuity Counter")
_FFMPEG_CC = re.compile(r"Continuity check failed for pid \d+ expected \d+ got \d+")
_SEEN = re.compile(r"Found PID: *(\d+) .*seen (\d+) packets")
_SERVICE = re.compile(r'0x48 : "(.*?)" \(', re.DOTALL)


@dataclass(frozen=True)
class Service:
    """What the tables of a transport stream should say."""

    name: str
    provider: str = "transcoder-tui"
    number: int = 1
    pmt_pid: int = 0x1000
    video_pid: int = 0x100
    audio_pid: int | None = 0x101


def transport_stream_readings(tool: Tool, path: Path, *, service: Service | None, muxrate: int | None) -> list[Reading]:
    """What TR 101 290 asks for in its first and second priority.

    Args:
        tool: Runs a program.
        path: A capture.
        service: What its tables should say; None where nothing is promised.
        muxrate: Its constant rate in bits per second; None where the rate varies, as in files.
    """
    seen = tool("dvbinfo", "-f", str(path), "-s", "bandwidth")
    lost = Reading(SYNC, _lost(seen))
    if not lost.conforms:
        # tstools read no further than to there.
        return [lost]
    info = tool("tsinfo", "-max", "100000", str(path))
    report = tool("tsreport", "-b", "-tfmt", "27", str(path))
    tables = tool("dvbinfo", "-f", str(path), "-s", "table")
    clock = _Clock(tool, path)
    programs = [(int(number), int(pid)) for number, pid in _PROGRAM.findall(info)]
    pcr_pid = int(_PCR_PID.findall(info)[0])
    streams = {int(pid) for pid, _ in _STREAM.findall(info)}
    packets = {int(pid): int(count) for pid, count in _SEEN.findall(seen)}
    readings = [
        lost,
        Reading(CC_ERRORS, len(_CC.findall(report)) or _cc_errors_of_the_rest(tool, path)),
        Reading(PAT_GAP, clock.longest_gap_ms(_positions(tool, path, 0))),
        Reading(PMT_GAP, max(clock.longest_gap_ms(_positions(tool, path, pid)) for _, pid in set(programs))),
        Reading(MISSING_PIDS, sum(not packets.get(pid) for pid in streams | {pcr_pid})),
        Reading(PCR_GAP if muxrate else STORED_PCR_GAP, _ticks(*_GAP.findall(report)[0]) / TICKS_HZ * 1e3),
        Reading(PTS_GAP, clock.longest_pts_gap_ms()),
    ]
    if muxrate:
        low, low_rest, high, high_rest = _LINEAR.findall(report)[0]
        error = max(abs(_ticks(low, low_rest)), abs(_ticks(high, high_rest))) / TICKS_HZ * 1e9
        rate = int(_RATE.findall(report)[0])
        readings += [Reading(PCR_ACCURACY, error), Reading(CBR, abs(rate / muxrate - 1) * 100)]
    if service is not None:
        named = _SERVICE.findall(tables)
        expected = {service.video_pid} | ({service.audio_pid} if service.audio_pid is not None else set())
        wrong = [
            set(programs) != {(service.number, service.pmt_pid)},
            pcr_pid != service.video_pid,
            not expected <= streams,
            not any(service.name in name and service.provider in name for name in named),
        ]
        readings.append(Reading(WRONG_SERVICE, sum(wrong)))
    return readings


def pace_readings(arrivals: Path, muxrate: int) -> list[Reading]:
    """How far the rate on arrival strays from the muxrate.

    Args:
        arrivals: Multicat's auxiliary file: when each datagram came, 64 bits each, in ticks of 27 MHz.
        muxrate: Bits per second that should come.
    """
    data = arrivals.read_bytes()
    times = [int.from_bytes(data[at : at + 8], "big") / TICKS_HZ for at in range(0, len(data) - 7, 8)]
    times = [time for time in times if time >= times[0] + SETTLING_S]
    second, tenth = ([abs(rate / muxrate - 1) * 100 for rate in _rates(times, window)] for window in (1.0, 0.1))
    return [Reading(PACE_100MS, median(tenth)), Reading(PACE_1S, max(second))]


def _rates(times: Sequence[float], window: float) -> list[float]:
    """Bits per second in windows of so many seconds, each from a datagram to the last one within."""
    found = []
    first = 0
    while (last := bisect_right(times, times[first] + window) - 1) < len(times) - 1 and last > first:
        found.append((last - first) * DATAGRAM_BITS / (times[last] - times[first]))
        first = last
    return found


class _Clock:
    """The time at each byte of a stream, as tsreport interpolates it between PCRs."""

    def __init__(self, tool: Tool, path: Path) -> None:
        table = path.with_suffix(".csv")
        tool("tsreport", "-b", "-o", str(table), str(path))
        self._at: list[int] = []
        self._ticks: list[int] = []
        self._pts: dict[str, list[int]] = {}
        with table.open() as lines:
            for row in csv.reader(line for line in lines if not line.startswith("#")):
                position, ticks, stream, pts = int(row[0]), int(row[2]), row[3], row[5]
                self._at.append(position)
                self._ticks.append(ticks)
                if pts:
                    self._pts.setdefault(stream, []).append(int(pts))

    def longest_gap_ms(self, positions: Sequence[int]) -> float:
        """Milliseconds between two packets at most."""
        assert len(positions) > 1, "a table that comes once only"
        times = [self._time(position) for position in positions]
        return max(later - earlier for earlier, later in pairwise(times)) * 1e3

    def longest_pts_gap_ms(self) -> float:
        """Milliseconds between two timestamps of a stream at most."""
        assert self._pts, "no timestamps"
        gaps = [later - earlier for pts in self._pts.values() for earlier, later in pairwise(sorted(pts))]
        return max(gaps) / CLOCK_HZ * 1e3

    def _time(self, position: int) -> float:
        after = min(max(bisect_right(self._at, position), 1), len(self._at) - 1)
        (left, right), (begin, end) = self._at[after - 1 : after + 1], self._ticks[after - 1 : after + 1]
        share = (position - left) / (right - left) if right > left else 0.0
        return (begin + share * (end - begin)) / CLOCK_HZ


def _positions(tool: Tool, path: Path, pid: int) -> list[int]:
    return [int(at) for at in _PACKET.findall(tool("tsreport", "-justpid", str(pid), str(path)))]


def _cc_errors_of_the_rest(tool: Tool, path: Path) -> int:
    """tsreport looks at picture and sound as it knows them; FFmpeg's demuxer at tables and other streams, too.

    It reads the beginning twice, so errors that look the same are counted once.
    """
    log = tool("ffprobe", "-v", "debug", "-show_entries", "packet=stream_index", f"file:{path}")
    return len(set(_FFMPEG_CC.findall(log)))


def _lost(seen: str) -> int:
    found = re.search(r"lost (\d+) bytes", seen)
    assert found is not None, seen
    return int(found[1])


def _ticks(whole: str, rest: str) -> int:
    """27 MHz ticks as tsreport writes them: ``90 kHz:27 MHz``, a sign in front for both."""
    size = abs(int(whole)) * 300 + int(rest)
    return -size if whole.startswith("-") else size
