"""One FFmpeg under watch: from what is seen of it to what is the matter with it."""

import os
from collections.abc import Mapping
from pathlib import Path

from transcoder_tui.ffmpeg.inputs import NETWORK_TIMEOUT_US
from transcoder_tui.host.signs import Signs, look
from transcoder_tui.models.health import Health
from transcoder_tui.models.source import Source
from transcoder_tui.settings import WatchdogSettings
from transcoder_tui.worker.health import SLOW, WAKE_S, Quiet, Trouble, awaiting, must_end, never_started, tell_apart
from transcoder_tui.worker.monitor import Monitor
from transcoder_tui.worker.output_watch import OutputWatch

QUIET_SEGMENTS_S = 12.0
"""Seconds without media progress after which a source that comes in segments counts as quiet: RFC 8216 players wait
for up to three of them, usually of 4 s."""
WRITES = 5000
"""Bytes a second written to files that tell an FFmpeg whose figures are lost from one that does nothing: its log and
progress are below 1000, a rendition of 100 kb/s is above 12 000."""
UNSENT = 4096
"""Bytes that lie unsent where a receiver takes nothing: FFmpeg waits only when the send buffer is full, 16 KiB
or more by default (tcp(7)), while what it asks of a source's server, such as a GET, is shorter."""
PAUSE_S = 2.0
"""Seconds without media progress, of which there is a report each second, from which on nothing new can come out."""
SILENCE_S = NETWORK_TIMEOUT_US / 1e6
"""Seconds without a datagram after which FFmpeg ends itself; of RTP only until the first one has come."""
SURE_S = 2.0
"""Seconds later, FFmpeg has ended; where it has not, datagrams arrive."""
LOOKS_S = 1.0
"""Seconds before an alarm from which on a quiet FFmpeg is looked at: a rate needs two looks."""


class Watch:
    """Watches one FFmpeg.

    Args:
        pid: Which process.
        monitor: What it writes.
        outputs: What comes out of it.
        source: What it reads.
        limits: When patience ends.
        run_dir: Where its figures go.
        backed_up: Whether there is another source to change to.
    """

    def __init__(
        self,
        pid: int,
        monitor: Monitor,
        outputs: OutputWatch,
        source: Source,
        limits: WatchdogSettings,
        run_dir: Path,
        *,
        backed_up: bool = False,
    ) -> None:
        self.monitor = monitor
        self._pid = pid
        self._outputs = outputs
        self._source = source.address
        self._awaited = "" if backed_up else source.awaited
        self._limits = limits
        self._run_dir = run_dir
        self._in_segments = self._source.scheme in ("http", "https")
        self._quiet_limit = max(limits.quiet_s, QUIET_SEGMENTS_S if self._in_segments else 0.0)
        self._first: tuple[float, Signs] | None = None
        self._state = ""
        self._woken = False

    def troubles(self, now: float, links: Mapping[str, bool]) -> list[Trouble]:
        """All that is the matter at present.

        Args:
            now: Monotonic seconds.
            links: For each network interface, whether it has a link.
        """
        quiet = self.monitor.quiet_s(now)
        limit = self._quiet_limit
        if quiet >= PAUSE_S or not self.monitor.on_air:
            self._outputs.hold(now)
        if not self.monitor.on_air:
            return self._of_a_start(now, quiet, limit)
        self._outputs.look(now)
        if quiet >= limit - LOOKS_S:
            seen = self._seen(now, quiet)
            return [tell_apart(seen)] if quiet >= limit else []
        self._first = None
        self._state = ""
        self._woken = False
        # What comes in bursts goes out in bursts.
        found = self._outputs.troubles(links, QUIET_SEGMENTS_S if self._in_segments else 0.0)
        complaint = self.monitor.complaint(now)
        if complaint is not None:
            found = _joined(found, Trouble(Health.OUTPUT_FAULT, complaint.cause, complaint.remedy))
        damage = self.monitor.damage(now)
        if damage is not None:
            found.append(damage)
        return found + self._slow(now)

    def must_end(self, trouble: Trouble, now: float) -> bool:
        """Whether FFmpeg is to be ended for a trouble."""
        if trouble.health == Health.TELEMETRY_LOST and _is_full(self._run_dir):
            # The next one could not write its figures either.
            return False
        quiet = self.monitor.quiet_s(now)
        if trouble.health == Health.INPUT_LOST and self._source.scheme == "rtp" and quiet >= SILENCE_S:
            # As long as FFmpeg gives UDP. Of RTP it drops all that comes after a jump back of the timestamps.
            return True
        return must_end(trouble, quiet, self._limits)

    def must_wake(self, trouble: Trouble, now: float) -> bool:
        """Whether a process that somebody stopped is to be continued now; says so once."""
        if self._woken or self._state != "T" or self.monitor.quiet_s(now) < self._limits.quiet_s + WAKE_S:
            return False
        self._woken = trouble.health == Health.PROCESS_STOPPED
        return self._woken

    def _of_a_start(self, now: float, quiet: float, limit: float) -> list[Trouble]:
        if quiet < min(limit, self._limits.startup_s) - LOOKS_S:
            return []
        seen = self._seen(now, quiet)
        if quiet >= self._limits.startup_s:
            if self._awaited and tell_apart(seen).health == Health.INPUT_LOST:
                return [awaiting(self._awaited)]
            return [never_started(seen, self._limits.startup_s)]
        return [tell_apart(seen)] if seen.state in ("T", "t") and quiet >= limit else []

    @property
    def _ends_when_silent(self) -> bool:
        """Whether FFmpeg would have ended itself if nothing arrived."""
        return self._source.scheme == "udp" or (self._source.scheme == "rtp" and not self.monitor.on_air)

    def _slow(self, now: float) -> list[Trouble]:
        # Segments arrive in bursts: pauses are normal, and so is catching up.
        speed = None if self._in_segments else self.monitor.long_speed(now)
        if speed is None or speed >= SLOW:
            return []
        remedy = "lighter preset, fewer rungs, or fewer channels on this host"
        return [Trouble(Health.TOO_SLOW, f"too slow: {speed:.2f}x real time", remedy)]

    def _seen(self, now: float, quiet: float) -> Quiet:
        signs = look(self._pid) or Signs("", 0, 0, 0, 0, 0)
        if self._first is None:
            self._first = (now, signs)
        before, self._state = self._state, signs.state
        at, first = self._first
        span = max(now - at, 0.001)
        # Blocks that still come, although with frozen figures, are no lost telemetry.
        silent = self.monitor.silent_s(now) >= quiet - LOOKS_S / 2
        return Quiet(
            for_s=quiet,
            source=self._source.masked,
            live=self._source.scheme not in ("file", "test"),
            state=signs.state if signs.state != "D" or before == "D" else "",
            busy=(signs.cpu_s - first.cpu_s) / span if now > at else 0.0,
            arriving=quiet >= SILENCE_S + SURE_S and self._ends_when_silent,
            unread=signs.dropped > first.dropped or (now > at and min(signs.received, first.received) > 0),
            unsent=self._outputs.sends_over_tcp and now > at and UNSENT <= first.unsent <= signs.unsent,
            growing=silent and now > at and (signs.written - first.written) / span > WRITES,
            broken_off=silent and (self.monitor.broken_off or _is_full(self._run_dir)),
        )


def _joined(found: list[Trouble], complaint: Trouble) -> list[Trouble]:
    """Adds what the log complains of; of two faulty outputs, one alarm tells, the one seen on disk first."""
    fault = next((trouble for trouble in found if trouble.health == complaint.health), None)
    if fault is None:
        return [*found, complaint]
    if "://" not in complaint.message:
        # Of files the log says less than what was seen.
        return found
    both = Trouble(fault.health, f"{fault.message}; {complaint.message}", fault.remedy)
    return [both if trouble is fault else trouble for trouble in found]


def _is_full(directory: Path) -> bool:
    try:
        return os.statvfs(directory).f_bavail == 0
    except OSError:
        return False
