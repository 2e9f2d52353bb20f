"""What is the matter with a channel, told apart by its signs, and what the worker does about it."""

from dataclasses import dataclass
from enum import StrEnum

from transcoder_tui.models.health import Health
from transcoder_tui.settings import WatchdogSettings

BUSY = 0.2
"""Share of a core from which on an FFmpeg counts as busy: one that waits for packets used below 0.02, measured with
FFmpeg 5.1 and 9.0 on a lost multicast."""
WAKE_S = 2.0
"""Seconds after its alarm when a process that somebody stopped is continued."""
SLOW = 0.97
"""Share of real time below which a channel falls behind for good."""


class Reaction(StrEnum):
    """What the worker does about a trouble."""

    WARN = "warn"
    """Nothing that would interrupt the channel: it raises an alarm, and clears it when the trouble has passed."""
    WAKE = "wake"
    """Continues the process; restarts it where that does not help."""
    RESTART = "restart"
    """Ends FFmpeg and starts it again."""
    SWITCH = "switch"
    """The same, on the next source where the channel has several."""
    RESTART_ONCE = "restart once"
    """The same, but not again and again, because the outputs are well."""
    PROBE = "probe"
    """Tries it again at long intervals."""
    RETURN = "return"
    """Tests the better source, and returns to it when it has been good for long enough."""


REACTIONS = {
    Health.OFF_AIR: Reaction.PROBE,
    Health.NEVER_STARTED: Reaction.SWITCH,
    Health.NO_PEER: Reaction.WARN,
    Health.PROCESS_STOPPED: Reaction.WAKE,
    Health.INPUT_LOST: Reaction.SWITCH,
    Health.ENCODER_STUCK: Reaction.RESTART,
    Health.OUTPUT_BLOCKED: Reaction.RESTART,
    Health.TELEMETRY_LOST: Reaction.RESTART_ONCE,
    Health.DISK_FULL: Reaction.WARN,
    Health.NO_CARRIER: Reaction.WARN,
    Health.OUTPUT_FROZEN: Reaction.WARN,
    Health.OUTPUT_FAULT: Reaction.WARN,
    Health.SOURCE_DAMAGED: Reaction.WARN,
    Health.TOO_SLOW: Reaction.WARN,
    Health.LIMIT_MISSED: Reaction.WARN,
    Health.ON_BACKUP: Reaction.RETURN,
}
"""For each trouble, what is done about it."""


@dataclass(frozen=True, slots=True)
class Trouble:
    """One thing that is the matter."""

    health: Health
    message: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class Quiet:
    """What is seen of an FFmpeg that shows no media progress."""

    for_s: float
    """Seconds without progress."""
    source: str
    """Address of its source, secrets masked."""
    live: bool
    """Whether the source comes over the network, so that it can be lost."""
    state: str
    """Of the process, as proc(5) names it; two looks in a row for ``D``."""
    busy: float = 0.0
    """Share of a core that it uses."""
    arriving: bool = False
    """Whether packets are known to arrive."""
    unread: bool = False
    """Whether packets lie in its sockets that it does not take."""
    unsent: bool = False
    """Whether a receiver does not take what it sends."""
    growing: bool = False
    """Whether its outputs grow all the same."""
    broken_off: bool = False
    """Whether its figures end in the middle of a block, as after a failed write."""


def tell_apart(seen: Quiet) -> Trouble:
    """Why an FFmpeg that was on air shows no media progress."""
    quiet = f"no media progress for {seen.for_s:.0f} s"
    if seen.state == "t":
        return Trouble(Health.PROCESS_STOPPED, "FFmpeg is held by a debugger", "detach the debugger")
    if seen.state == "T":
        return Trouble(
            Health.PROCESS_STOPPED,
            "FFmpeg was stopped by a signal (SIGSTOP) from outside",
            "look who stops FFmpeg besides this program; it is continued by itself",
        )
    if seen.growing or seen.broken_off:
        return Trouble(
            Health.TELEMETRY_LOST,
            f"FFmpeg's figures have not come for {seen.for_s:.0f} s; the outputs go on",
            "free space in the run directory; FFmpeg must be started again to give figures",
        )
    if seen.unsent:
        return Trouble(
            Health.OUTPUT_BLOCKED,
            f"{quiet}: a receiver takes nothing and FFmpeg waits for it",
            "look at the server that the channel sends to, and at the network between",
        )
    if seen.state == "D":
        return Trouble(
            Health.ENCODER_STUCK,
            f"{quiet}: FFmpeg hangs in the kernel",
            "look at the disk or network mount that it reads or writes",
        )
    if seen.busy >= BUSY:
        return Trouble(
            Health.ENCODER_STUCK,
            f"{quiet}, although FFmpeg is busy ({seen.busy:.0%} of a core)",
            "look at the source with another player; it may be damaged or have changed its format",
        )
    if seen.unread or not seen.live:
        what = "although packets arrive" if seen.unread else "and the source is no live one"
        return Trouble(
            Health.ENCODER_STUCK, f"{quiet}, {what}: FFmpeg is stuck", "try another FFmpeg if it happens again"
        )
    if seen.arriving:
        return Trouble(
            Health.INPUT_LOST,
            f"packets arrive from {seen.source}, but have made no picture and no sound for {seen.for_s:.0f} s",
            "check that it is not scrambled or damaged, and look at what it carries (probe)",
        )
    remedy = "check the source, its route and the interface it comes in by"
    if seen.source.startswith("rtp://"):
        remedy += "; after a jump of its timestamps, as when a sender starts again, it is read anew by itself"
    return Trouble(Health.INPUT_LOST, f"nothing usable has arrived from {seen.source} for {seen.for_s:.0f} s", remedy)


def never_started(seen: Quiet, startup_s: float) -> Trouble:
    """Why an FFmpeg that was started shows no media progress."""
    found = tell_apart(seen)
    late = f"no media within {startup_s:g} s of the start"
    kind = "" if seen.arriving else f" ({found.health})"
    return Trouble(Health.NEVER_STARTED, f"{late}{kind}: {found.message}", found.remedy)


def awaiting(awaited: str) -> Trouble:
    """That nothing is wrong but that nobody has connected.

    Args:
        awaited: Who should, and where, such as ``a publisher on port 1935``.
    """
    return Trouble(Health.NO_PEER, f"waits for {awaited}", "have it connect; the channel goes on air by itself then")


def must_end(trouble: Trouble, quiet_s: float, limits: WatchdogSettings) -> bool:
    """Whether a quiet FFmpeg is to be ended.

    Args:
        trouble: What is the matter with it.
        quiet_s: Seconds without media progress.
        limits: When patience ends.
    """
    if REACTIONS[trouble.health] in (Reaction.WARN, Reaction.RETURN):
        return False
    limit = limits.startup_s if trouble.health == Health.NEVER_STARTED else limits.stall_s
    return quiet_s >= limit
