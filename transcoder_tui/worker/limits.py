"""What a channel's FFmpeg may take of the host: read from its document, applied to the process, told where it is not.

A limit never keeps a channel off the air: what this host does not permit is left out, and said.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from transcoder_tui.errors import Fault
from transcoder_tui.ffmpeg.diagnosis import Diagnosis
from transcoder_tui.ffmpeg.side import Side
from transcoder_tui.models.channel import ChannelFields
from transcoder_tui.models.event import Severity
from transcoder_tui.models.units import cpus_of, format_bytes, format_cpus
from transcoder_tui.worker.cgroup import Leaf

MEMORY_REMEDY = "raise the channel's memory limit, or give it fewer or smaller renditions"


@dataclass(frozen=True, slots=True)
class Limits:
    """What a channel's document asks for; None is: as the worker itself."""

    nice: int | None = None
    cpus: frozenset[int] | None = None
    memory: int | None = None
    """Bytes."""

    @classmethod
    def of(cls, channel: ChannelFields) -> "Limits":
        """The limits of a channel."""
        return cls(channel.nice, cpus_of(channel.cpus) if channel.cpus else None, channel.memory)


UNLIMITED = Limits()


@dataclass(frozen=True, slots=True)
class InForce:
    """What became of the limits of one process."""

    asked: Limits = UNLIMITED
    nice: int = 0
    """At which it runs."""
    cpus: frozenset[int] = frozenset()
    """On which it may run."""
    by_cgroup: bool = False
    """Whether the kernel holds its memory ceiling; else the worker watches it."""
    pending: bool = False
    """Whether the kernel put something off, so that they have to be applied again."""


# Applying


@contextmanager
def pinned(cpus: frozenset[int] | None) -> Iterator[None]:
    """The calling thread on some CPUs meanwhile: what it starts inherits them, and FFmpeg counts them when it begins.

    Args:
        cpus: Where this host has none of them, or they are None, the thread stays as it is.
    """
    if cpus is None:
        yield
        return
    before = os.sched_getaffinity(0)
    with suppress(OSError):
        os.sched_setaffinity(0, cpus)
    try:
        yield
    finally:
        with suppress(OSError):
            os.sched_setaffinity(0, before)


def apply(pid: int, limits: Limits, leaf: Leaf | None, before: Limits = UNLIMITED) -> InForce:
    """Brings a process of ours, with all its threads, under limits, as far as this host permits.

    Args:
        pid: The process, which leads a session of its own.
        limits: What is asked for.
        leaf: The channel's cgroup, where it has one.
        before: What was applied earlier and is lifted where it is not asked for any more.
    """
    own_nice = os.getpriority(os.PRIO_PROCESS, 0)
    own_cpus = frozenset(os.sched_getaffinity(0))
    settled = held = True
    try:
        if limits.nice is not None or before.nice is not None:
            settled = _renice(pid, own_nice if limits.nice is None else limits.nice)
        if limits.cpus is not None or before.cpus is not None:
            _pin(pid, limits.cpus or own_cpus)
        held = leaf is not None and _hold(pid, limits.memory, leaf)
        nice, cpus = os.getpriority(os.PRIO_PROCESS, pid), frozenset(os.sched_getaffinity(pid))
    except OSError:
        # It has ended: nothing is missing.
        nice, cpus = limits.nice or own_nice, limits.cpus or own_cpus
    return InForce(limits, nice, cpus, by_cgroup=held, pending=not settled)


def _renice(pid: int, nice: int) -> bool:
    """Sets the priority of a session.

    Where the kernel groups the tasks of each session, as most do by default, a nice value weighs only within the
    session, and the session's own in ``/proc/PID/autogroup`` weighs against others, sched(7): two busy processes at
    nice 0 and 10 shared a CPU equally until it was written, and 9 to 1 afterwards (kernel 6.18).

    Returns:
        Whether it is done; the kernel lets the unprivileged change one session in 0.1 s.
    """
    with suppress(PermissionError):
        # Of the group, because a process stands for its first thread only.
        os.setpriority(os.PRIO_PGRP, pid, nice)
    reached = os.getpriority(os.PRIO_PROCESS, pid)
    file = Path(f"/proc/{pid}/autogroup")
    try:
        if file.read_text().split()[-1:] not in ([], [str(reached)]):
            file.write_text(str(reached))
    except BlockingIOError:
        return False
    except OSError:
        # No such grouping, or no right to it, which shows in the nice value as well.
        return True
    return True


def _pin(pid: int, cpus: frozenset[int]) -> None:
    # Twice, because a thread may start another before it is pinned itself.
    for entry in (entry for _ in range(2) for entry in Path(f"/proc/{pid}/task").iterdir()):
        # A thread may have ended; this host may have none of the CPUs.
        with suppress(OSError):
            os.sched_setaffinity(int(entry.name), cpus)


def _hold(pid: int, ceiling: int | None, leaf: Leaf) -> bool:
    """Sets the ceiling of a cgroup.

    Returns:
        Whether it holds all of the process's memory: not where it was lost or lifted meanwhile, because only what is
        taken from now on counts.
    """
    held = leaf.holds(pid) and leaf.ceiling() is not None
    if held or ceiling is not None:
        try:
            leaf.limit(ceiling)
        except OSError:
            return False
    return held and ceiling is not None


# Watching


def over_memory(limits: InForce, rss_bytes: int) -> Diagnosis | None:
    """Why a process has to be ended because of its memory; None where it keeps its ceiling, or the kernel holds it.

    Args:
        limits: Of the process.
        rss_bytes: Its resident memory.
    """
    ceiling = limits.asked.memory
    if ceiling is None or limits.by_cgroup or rss_bytes <= ceiling:
        return None
    cause = f"FFmpeg took more than {format_bytes(ceiling)} of memory"
    return Diagnosis(Severity.ERROR, cause, MEMORY_REMEDY, heals=True, fatal=True, side=Side.HOST)


# Telling


def limits_text(limits: InForce) -> str:
    """The limits in force, such as ``nice 5, CPUs 0-3, memory 2G (cgroup)``; empty where the channel has none."""
    asked = limits.asked
    parts = []
    if asked.nice is not None:
        parts.append(f"nice {limits.nice}" + (f" instead of {asked.nice}" if limits.nice != asked.nice else ""))
    if asked.cpus is not None:
        instead = f" instead of {format_cpus(asked.cpus)}" if limits.cpus != asked.cpus else ""
        parts.append(f"CPUs {format_cpus(limits.cpus)}{instead}")
    if asked.memory is not None:
        parts.append(f"memory {format_bytes(asked.memory)} ({'cgroup' if limits.by_cgroup else 'watched'})")
    return ", ".join(parts)


def shortfalls(limits: InForce) -> list[Fault]:
    """Limits that could not be applied to a running process, each with its remedy."""
    asked, found = limits.asked, []
    if asked.nice is not None and limits.nice != asked.nice:
        remedy = f"restart the channel, or give the worker the right to it: LimitNICE={asked.nice} in its systemd unit"
        found.append(Fault(f"runs at nice {limits.nice} instead of {asked.nice}", remedy, "nice"))
    if asked.cpus is not None and limits.cpus != asked.cpus:
        there = f"runs on CPUs {format_cpus(limits.cpus)} instead of {format_cpus(asked.cpus)}"
        found.append(Fault(there, "choose CPUs that this host has and its cpuset allows", "cpus"))
    return found


def cpu_faults(channel: ChannelFields, cpus: frozenset[int]) -> list[Fault]:
    """What is wrong with the CPUs that a channel asks for.

    Args:
        channel: The channel.
        cpus: Those of this host; none where they are not known.
    """
    missing = cpus_of(channel.cpus) - cpus if channel.cpus and cpus else frozenset()
    if not missing:
        return []
    named = f"CPU{'s' if len(missing) > 1 else ''} {format_cpus(missing)}"
    return [Fault(f"this host has no {named}", f"choose from {format_cpus(cpus)}", "cpus")]
