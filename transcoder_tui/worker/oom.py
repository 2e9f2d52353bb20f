"""Whether the kernel ended an FFmpeg because memory ran out, and whose: the channel's, its unit's or the host's."""

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from transcoder_tui.ffmpeg.diagnosis import Diagnosis
from transcoder_tui.ffmpeg.side import Side
from transcoder_tui.host.sampling import TICKS_PER_SECOND
from transcoder_tui.models.event import Severity
from transcoder_tui.models.units import format_bytes
from transcoder_tui.worker.cgroup import Leaf, MemoryEvents
from transcoder_tui.worker.limits import MEMORY_REMEDY

VMSTAT = Path("/proc/vmstat")
KMSG = Path("/dev/kmsg")
"""The kernel's log; closed to most users where ``kernel.dmesg_restrict`` is set."""
RECENT_S = 10.0
"""Seconds for which a kill that the kernel counted is taken for the reason of an end: large processes go slowly."""
SLACK_S = 300.0
"""By how many seconds the clock of the kernel's log may have drifted from the one of process starts."""
INITIAL_PIDS = 0xEFFFFFFC
"""Inode of the host's own pid namespace (PROC_PID_INIT_INO); in any other, the kernel's log speaks of other pids."""

_KILLED = re.compile(
    r"^\d+,\d+,(?P<us>\d+),[^;]*;(?P<of>Memory cgroup out|Out) of memory.*?: Killed process (?P<pid>\d+) "
)


@dataclass(frozen=True, slots=True)
class Kill:
    """One line of the kernel's log about a process that it ended for want of memory."""

    at_s: float
    """Seconds since boot."""
    everywhere: bool
    """Whether the host ran out of memory, and not just some cgroup."""


def _ended(cause: str, remedy: str) -> Diagnosis:
    return Diagnosis(Severity.ERROR, cause, remedy, heals=True, fatal=True, side=Side.HOST)


HOST = _ended(
    "the kernel ended FFmpeg: the host ran out of memory",
    "run fewer channels here, add memory, or give the greediest a memory limit",
)
UNIT = _ended(
    "the kernel ended FFmpeg: its systemd unit or container ran out of memory",
    "raise MemoryMax of the unit or the limit of the container, or run fewer channels in it",
)
ELSEWHERE = _ended(
    "the kernel ended FFmpeg: the host, or its systemd unit or container, ran out of memory",
    "look in the kernel's log which; run fewer channels there, or give the greediest a memory limit",
)
"""Where it cannot be told which of the two."""


class OomWatch:
    """Counts the processes that the kernel ends for want of memory."""

    def __init__(self) -> None:
        self._count = oom_kills(_text(VMSTAT))
        self._grew_at: float | None = None

    def look(self, now: float) -> None:
        """Takes note of what was ended since the last look; to be called every second.

        Args:
            now: Monotonic seconds.
        """
        count = oom_kills(_text(VMSTAT))
        if count > self._count:
            self._grew_at = now
        self._count = count

    def cause(
        self, pid: int, start_ticks: int | None, ceiling: int | None, leaf: Leaf | None, now: float
    ) -> Diagnosis | None:
        """Why an FFmpeg ended by a SIGKILL that was not ours, as far as memory is the reason; None where it is not.

        To be called before its cgroup is removed.

        Args:
            pid: The process that has ended.
            start_ticks: Its start in clock ticks since boot.
            ceiling: Bytes of memory that it was allowed; None where it had no ceiling.
            leaf: Its cgroup, where it had one.
            now: Monotonic seconds.
        """
        events = MemoryEvents(0, 0) if leaf is None else leaf.events()
        if events.killed and events.limit_hit and ceiling is not None:
            return over_ceiling(ceiling)
        kills = read_kills() if Path("/proc/self/ns/pid").stat().st_ino == INITIAL_PIDS else None
        kill = (kills or {}).get(pid)
        if kill is not None and kill.at_s >= (start_ticks or 0) / TICKS_PER_SECOND - SLACK_S:
            return HOST if kill.everywhere else UNIT
        if events.killed:
            return ELSEWHERE
        if kills is not None:
            return None
        self.look(now)
        recent = self._grew_at is not None and now - self._grew_at <= RECENT_S
        return ELSEWHERE if recent else None


def over_ceiling(ceiling: int) -> Diagnosis:
    """What is said of an FFmpeg that the kernel ended at its own ceiling, in bytes."""
    return _ended(f"FFmpeg ran out of its memory limit of {format_bytes(ceiling)}", MEMORY_REMEDY)


def oom_kills(vmstat: str) -> int:
    """Processes that were ended for want of memory since boot.

    Args:
        vmstat: The text of ``/proc/vmstat``; before Linux 4.13 it did not tell.
    """
    return next((int(line.split()[1]) for line in vmstat.splitlines() if line.startswith("oom_kill ")), 0)


def parse_kills(records: Iterable[str]) -> dict[int, Kill]:
    """The processes of which the kernel's log says that they were ended for want of memory, by pid, the last of each.

    Args:
        records: Of ``/dev/kmsg``, one each; the format is in the kernel's documentation, ABI/testing/dev-kmsg.
    """
    found = filter(None, map(_KILLED.match, records))
    return {int(kill["pid"]): Kill(int(kill["us"]) / 1e6, kill["of"] == "Out") for kill in found}


def read_kills() -> dict[int, Kill] | None:
    """The same of this host; None where its log is closed to us."""
    try:
        log = os.open(KMSG, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except OSError:
        return None
    records = []
    try:
        while True:
            try:
                records.append(os.read(log, 8192).decode(errors="replace"))
            except BrokenPipeError:
                # The oldest records were overwritten while we read; the next read goes on behind them.
                continue
            except OSError:
                return parse_kills(records)
    finally:
        os.close(log)


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError:
        return ""
