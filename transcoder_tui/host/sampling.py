"""What the machine and its processes use, as rates between one sample and the next."""

import os
import time
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import psutil

from transcoder_tui.host.udp import UdpDrops
from transcoder_tui.models.view import Nic, SystemSample

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
"""In which the kernel counts CPU time, proc(5)."""
CPUCLOCK_SCHED = 2
"""In the number of a CPU clock: time on a processor, to the nanosecond (linux/posix-timers.h)."""
PAGE = os.sysconf("SC_PAGE_SIZE")
"""Bytes in a page of memory, in which the kernel counts resident memory."""

Counters = Mapping[str, Sequence[int]]
"""Bytes received and sent since the interface came up, by its name; what follows the two is not looked at."""


class NicCounters(NamedTuple):
    """What a network interface counts since it is there."""

    rx_bytes: int
    tx_bytes: int
    rx_packets: int
    tx_packets: int
    rx_drops: int
    tx_drops: int
    rx_errors: int
    tx_errors: int

    @property
    def losses(self) -> tuple[int, int, int, int]:
        """Drops and errors, each received and sent."""
        return self.rx_drops, self.tx_drops, self.rx_errors, self.tx_errors


class SystemSampler:
    """Samples CPU, memory, disk and network.

    Args:
        disk: Where free space matters; it need not exist yet.
    """

    def __init__(self, disk: Path) -> None:
        self.disk = disk
        self.counters = nic_counters()
        """Those of the last sample."""
        self._at = time.monotonic()
        # The first figure of psutil compares with nothing; asked here, so that the first sample's is true.
        psutil.cpu_percent(None)

    def sample(self) -> SystemSample:
        """The machine since the last sample, or since the sampler was made."""
        counters, at = nic_counters(), time.monotonic()
        rates = nic_rates(self.counters, counters, at - self._at)
        self.counters, self._at = counters, at
        stats = psutil.net_if_stats()
        memory = psutil.virtual_memory()
        free, total = disk_space(self.disk)
        return SystemSample(
            at=datetime.now(UTC),
            cpu_percent=psutil.cpu_percent(None),
            cores=os.cpu_count() or 1,
            load=os.getloadavg()[0],
            ram_used=memory.total - memory.available,
            ram_total=memory.total,
            disk_free=free,
            disk_total=total,
            nics=[
                Nic(name=name, up=stats[name].isup, rx_bps=rx, tx_bps=tx, speed_mbps=stats[name].speed)
                for name, (rx, tx) in rates.items()
                if name in stats
            ],
        )


def nic_rates(before: Counters, now: Counters, seconds: float) -> dict[str, tuple[float, float]]:
    """Bits per second received and sent by each interface.

    Args:
        before: Counters of the last sample.
        now: Counters of this one; interfaces that are new start at zero.
        seconds: Between the two.
    """
    rates: dict[str, tuple[float, float]] = {}
    for name, (rx, tx, *_) in now.items():
        old_rx, old_tx, *_ = before.get(name, (rx, tx))
        rates[name] = (8 * rate(old_rx, rx, seconds), 8 * rate(old_tx, tx, seconds))
    return rates


def rate(before: int, now: int, seconds: float) -> float:
    """A counter's rise per second; none where it went back, as after a driver's reset."""
    return (now - before) / seconds if seconds > 0 and now > before else 0.0


def nic_counters() -> dict[str, NicCounters]:
    """What each network interface counts."""
    # psutil's own correction of counters that go back takes every reset for a wrap and keeps state for ever.
    nics = psutil.net_io_counters(pernic=True, nowrap=False)
    return {
        name: NicCounters(
            *(nic.bytes_recv, nic.bytes_sent, nic.packets_recv, nic.packets_sent),
            *(nic.dropin, nic.dropout, nic.errin, nic.errout),
        )
        for name, nic in nics.items()
    }


def existing(path: Path) -> Path:
    """The path itself, or the nearest directory above it that exists."""
    return next((place for place in (path, *path.parents) if os.access(place, os.F_OK)), Path("/"))


def disk_space(path: Path) -> tuple[int, int]:
    """Bytes free for ordinary users and bytes in all on the disk that holds a path; zeros where it does not answer."""
    try:
        usage = psutil.disk_usage(str(existing(path)))
    except OSError:
        return 0, 0
    return usage.free, usage.total


class ProcessSample(NamedTuple):
    """What one process uses."""

    at: float
    """When it was sampled, in seconds of the monotonic clock."""
    cpu_percent: float
    """Of one core, since the last sample; 0 in the first."""
    rss_bytes: int
    """Resident memory."""
    written_bytes: int | None
    """Handed to ``write`` since its start, so to files and pipes but not to UDP; None where we may not know."""
    udp_drops: int | None = None
    """Datagrams that the kernel threw away since its sockets were opened; None where it has none, and not known yet."""


@dataclass(frozen=True, slots=True)
class Stat:
    """What ``/proc/PID/stat`` says of a process, proc(5)."""

    state: str
    cpu_ticks: int
    """User and system time of all its threads; fields 14 and 15."""
    start_ticks: int
    """Since boot; field 22. Tells a process from a later one with the same pid."""
    rss_pages: int
    """Field 24."""


class ProcessSampler:
    """Samples processes by turns: new ones twice in a row, then each one every fifth time.

    Reads /proc itself, as little of it as will do: 300 processes cost 1.0 ms each time, all of them at once 6.3 ms, and
    psutil's cached processes 32.5 ms (2-core VM, kernel 6.18).
    """

    TURNS = 5

    def __init__(self) -> None:
        self._turn = 0
        self._last: dict[int, _Reading] = {}
        self._drops = UdpDrops()

    def sample(self, pids: Collection[int]) -> dict[int, ProcessSample]:
        """Figures of the processes whose turn it is and that live, by pid; those that are not named are forgotten."""
        self._turn = (self._turn + 1) % self.TURNS
        if self._turn == 0:
            self._drops.refresh(pids)
            self._last = {pid: reading for pid, reading in self._last.items() if pid in pids}
        samples: dict[int, ProcessSample] = {}
        for pid in pids:
            before = self._last.get(pid)
            if before is None or before.is_first or pid % self.TURNS == self._turn:
                found = _sample(pid, before)
                if found is not None:
                    samples[pid], self._last[pid] = found
                    if pid % self.TURNS == self._turn:
                        samples[pid] = samples[pid]._replace(udp_drops=self._drops.of(pid))
        return samples


class _Reading(NamedTuple):
    at: float
    cpu_s: float
    is_first: bool


def _sample(pid: int, before: _Reading | None) -> tuple[ProcessSample, _Reading] | None:
    cpu_s, rss = cpu_seconds(pid), resident_bytes(pid)
    if cpu_s is None or rss is None:
        return None
    at = time.monotonic()
    percent = cpu_percent(before.cpu_s, cpu_s, at - before.at) if before is not None else 0.0
    return ProcessSample(at, percent, rss, read_written(pid)), _Reading(at, cpu_s, before is None)


def cpu_percent(before: float, now: float, seconds: float) -> float:
    """CPU use in percent of one core; 0 where the CPU time went back, as after a pid was used again.

    Args:
        before: CPU seconds of the process at the last sample.
        now: The same at this one.
        seconds: Between the two.
    """
    return max(0.0, now - before) / seconds * 100 if seconds > 0 else 0.0


def cpu_seconds(pid: int) -> float | None:
    """CPU time of a process and all its threads; None where it is gone.

    Its CPU clock, clock_getcpuclockid(3), counts in nanoseconds and costs a sixth of ``/proc/PID/stat``, which
    stands in where a sandbox has no such clocks.
    """
    try:
        return time.clock_gettime((~pid << 3) | CPUCLOCK_SCHED)
    except OSError:
        stat = read_stat(pid)
        return None if stat is None else stat.cpu_ticks / TICKS_PER_SECOND


def resident_bytes(pid: int) -> int | None:
    """Resident memory of a process: /proc/PID/statm, proc(5); None where it is gone or has ended."""
    fields = _read(f"/proc/{pid}/statm").split()
    return int(fields[1]) * PAGE or None if fields else None


def read_stat(pid: int) -> Stat | None:
    """What the kernel says of a process; None where it is gone, or has ended and only waits to be reaped."""
    text = _read(f"/proc/{pid}/stat")
    stat = parse_stat(text) if text else None
    return None if stat is None or stat.state in "ZX" else stat


def parse_stat(text: bytes) -> Stat:
    """Reads the line of ``/proc/PID/stat``; the command in it may hold blanks, brackets and line ends."""
    fields = text[text.rindex(b")") + 2 :].split()
    return Stat(
        state=fields[0].decode(),
        cpu_ticks=int(fields[11]) + int(fields[12]),
        start_ticks=int(fields[19]),
        rss_pages=int(fields[21]),
    )


def parse_written(text: bytes) -> int | None:
    """``wchar`` of ``/proc/PID/io``."""
    for line in text.splitlines():
        name, _, value = line.partition(b":")
        if name == b"wchar":
            return int(value)
    return None


def read_written(pid: int) -> int | None:
    """Bytes that a process handed to ``write`` since its start; None where we may not know."""
    text = _read(f"/proc/{pid}/io")
    return parse_written(text) if text else None


def _read(path: str) -> bytes:
    """A small file of /proc at once; empty where it is gone or closed to us."""
    try:
        # A Python file object costs half as much again, measured with 300 processes.
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return b""
    try:
        return os.read(file, 4096)
    except OSError:
        return b""
    finally:
        os.close(file)
