"""What the bench of the worker reads from the kernel: CPU time, memory, children, and the moment of an exec."""

import ctypes
import os
import select
import statistics
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

IN_OPEN = 0x20
"""inotify(7)."""


def cpu_s(pid: int) -> float:
    """CPU seconds of a process, all its threads, those that have ended included.

    From its CPU clock, clock_getcpuclockid(3), because /proc counts in steps of 10 ms.
    """
    return time.clock_gettime((~pid << 3) | 2)


def main_thread_s(pid: int) -> float:
    """CPU seconds of the first thread of a process, in steps of 10 ms: /proc/PID/task/PID/stat, proc(5)."""
    fields = Path(f"/proc/{pid}/task/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of processes together, in bytes."""

    rss: int
    """All that is resident, pages that are shared with other processes counted in full."""
    pss: int
    """Shared pages counted in proportion."""
    uss: int
    """Only what they have for themselves."""


def memory_of(pids: Iterable[int]) -> Memory:
    """Memory of processes together: /proc/PID/smaps_rollup, proc(5)."""
    sums = {"Rss": 0, "Pss": 0, "Private_Clean": 0, "Private_Dirty": 0}
    for pid in pids:
        for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            if name in sums:
                sums[name] += int(value.split()[0]) * 1024
    return Memory(sums["Rss"], sums["Pss"], sums["Private_Clean"] + sums["Private_Dirty"])


def children(pid: int) -> set[int]:
    """The children of a process, of whichever thread: /proc/PID/task/TID/children, proc(5)."""
    found: set[int] = set()
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        found.update(map(int, task.read_text().split()))
    return found


class ExecWatch:
    """Tells when a program is executed: the kernel opens its file then, which inotify(7) reports.

    The clock is read when the report arrives, some 0.05 ms later where a core is free.

    Args:
        program: The file. Nobody else may open it meanwhile.
    """

    def __init__(self, program: Path) -> None:
        libc = ctypes.CDLL(None, use_errno=True)
        self._fd = libc.inotify_init1(os.O_CLOEXEC | os.O_NONBLOCK)
        if self._fd < 0 or libc.inotify_add_watch(self._fd, bytes(program), IN_OPEN) < 0:
            raise OSError(ctypes.get_errno(), "inotify refused to watch", str(program))

    def settle(self, quiet_s: float) -> None:
        """Waits until nobody has opened the file for so many seconds: an interpreter opens it some times more."""
        while select.select([self._fd], [], [], quiet_s)[0]:
            os.read(self._fd, 4096)

    def wait(self, timeout_s: float) -> float:
        """Waits for an exec.

        Returns:
            When it was, in seconds of the monotonic clock.

        Raises:
            TimeoutError: Where there was none.
        """
        ready = select.select([self._fd], [], [], timeout_s)[0]
        now = time.monotonic()
        if not ready:
            raise TimeoutError(f"nothing was executed within {timeout_s:g} s")
        os.read(self._fd, 4096)
        return now

    def close(self) -> None:
        """Ends the watch."""
        os.close(self._fd)


@dataclass(frozen=True, slots=True)
class Spread:
    """How a duration spreads, in seconds."""

    count: int
    median: float
    p99: float
    """By nearest rank; of fewer than 100 the longest."""
    longest: float

    @classmethod
    def of(cls, durations: Sequence[float]) -> "Spread":
        """The spread of some durations."""
        ordered = sorted(durations)
        rank = -(-99 * len(ordered) // 100)
        return cls(len(ordered), statistics.median(ordered), ordered[rank - 1], ordered[-1])
