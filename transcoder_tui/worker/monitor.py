"""Observes one FFmpeg through what it writes: progress, log, and how long it has been quiet."""

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from transcoder_tui.ffmpeg.command import mask
from transcoder_tui.ffmpeg.diagnosis import Diagnosis, Reading, Verdict
from transcoder_tui.ffmpeg.progress import Progress, ProgressParser
from transcoder_tui.ffmpeg.side import Side
from transcoder_tui.host.sampling import ProcessSample
from transcoder_tui.models.event import Severity
from transcoder_tui.models.view import Telemetry
from transcoder_tui.worker.damage import SourceDamage
from transcoder_tui.worker.health import REACTIONS, Reaction, Trouble
from transcoder_tui.worker.logfile import ChannelLog, stamp
from transcoder_tui.worker.readers import ProgressReader, StderrReader
from transcoder_tui.worker.rundir import RunDir
from transcoder_tui.worker.telemetry import RunTelemetry
from transcoder_tui.worker.watchdog import Watchdog

COMPLAINT_S = 15.0
"""Seconds for which an error in the log counts as present: FFmpeg tries a dead output again every 2 to 5 s."""
OPENING = "[info] Opening '"
"""In a line, FFmpeg says that it opens another segment or playlist: several lines a second, which would push all else
out of the log."""
SKIPPED_TAG = "[info] Skip ('#EXT"
"""The same of tags in playlists that it reads."""
SURVIVED = 10
"""Progress blocks with advancing media time, one a second, after which a line of the log has proved to end nothing."""
LATE_S = 5.0
"""Seconds without a reading after which the whole host was paused: no channel is to blame for what was not seen."""


@dataclass(frozen=True, slots=True)
class Observed:
    """What a monitor looks at."""

    run_dir: RunDir
    pid: int | None
    """FFmpeg; None where it has ended already."""
    stderr: Path
    """What FFmpeg writes its log to."""
    source: str
    """Address of what it reads, secrets masked."""
    secrets: Sequence[str]
    """Hidden in every line that is kept."""
    cbr_bps: int
    """Constant rate of its transport streams together, in bits per second."""
    slow_s: float
    """Seconds over which its speed is judged."""
    adopted: bool = False
    """Whether the last worker has read part of it already."""
    on_air: bool = False
    """Whether it was on air when it was adopted."""


class Monitor:
    """One FFmpeg under observation.

    Args:
        observed: What to look at.
        log: The channel's log, to which its lines go.
    """

    def __init__(self, observed: Observed, log: ChannelLog) -> None:
        self._log = log
        self._source = observed.source
        self._complaint: Diagnosis | None = None
        self._complained_at = 0.0
        self._secrets = observed.secrets
        self._parser = ProgressParser()
        self._verdict = Verdict(observed.source, observed.secrets)
        self._survived = 0
        self._media_us = 0
        self._progress = ProgressReader(observed.run_dir.progress, observed.pid)
        self._stderr = StderrReader(
            observed.stderr,
            observed.run_dir.stderr_offset,
            resume=observed.adopted,
            pid=observed.pid,
            log_end=log.end if observed.adopted else None,
        )
        self._watchdog = Watchdog(time.monotonic(), on_air=observed.on_air)
        self._damage = SourceDamage(observed.run_dir.damage, adopted=observed.adopted)
        self._telemetry = RunTelemetry(observed.cbr_bps, observed.slow_s, self._damage)
        self._read_at = time.monotonic()

    @property
    def on_air(self) -> bool:
        """Whether media time has been seen to advance."""
        return self._watchdog.on_air

    def read(self, *, final: bool = False) -> None:
        """Takes in what FFmpeg wrote since the last call, and copies its log lines to the channel's log.

        Args:
            final: Whether FFmpeg has ended.
        """
        now = time.monotonic()
        data = self._progress.read()
        if data is None or now - self._read_at > LATE_S:
            self._watchdog.hold(now)
        self._read_at = now
        if data:
            self._take_progress(data, now)
        lines = self._stderr.read(final=final, log_end=self._log.end)
        if lines:
            self._take_lines(lines, now)

    def close(self) -> None:
        """Closes what it reads."""
        self._progress.close()
        self._stderr.close()

    def _take_progress(self, data: bytes, now: float) -> None:
        blocks = self._parser.feed(data)
        for progress in blocks:
            self._watchdog.feed(progress, now)
            self._survive(progress)
        if blocks:
            # Only the latest: blocks that waited for a reader say nothing about the moment at which they are read.
            self._telemetry.feed(blocks[-1], now)

    def _survive(self, progress: Progress) -> None:
        media_us = progress.out_time_us or 0
        if self._verdict.is_clear:
            self._survived = 0
        elif media_us > self._media_us:
            self._survived += 1
            if self._survived >= SURVIVED:
                self._verdict.forget()
                self._survived = 0
        self._media_us = media_us

    def _take_lines(self, lines: Sequence[str], now: float) -> None:
        at = datetime.now(UTC)
        stamped = []
        for raw in lines:
            if OPENING in raw or SKIPPED_TAG in raw:
                continue
            reading = self._verdict.feed(mask(raw, self._secrets))
            if reading.counts is not None and self.on_air:
                self._damage.add(reading.counts, reading.times, now)
            self._notice(reading, now)
            stamped.append(stamp(at, reading.line.level, reading.line.text))
        self._log.write(stamped)
        self._damage.keep()

    def feed_process(self, sample: ProcessSample) -> None:
        """Takes in what the kernel says of the process."""
        self._telemetry.feed_process(sample)
        if sample.udp_drops is not None:
            self._damage.dropped(sample.udp_drops, sample.at)

    def figures(self, now: float) -> Telemetry:
        """Its figures as of ``now`` (monotonic seconds)."""
        return self._telemetry.view(now)

    def complaint(self, now: float) -> Diagnosis | None:
        """What the log complains of at present although the channel is on air, such as a dead output of several."""
        return self._complaint if self._complaint and now - self._complained_at < COMPLAINT_S else None

    def damage(self, now: float) -> Trouble | None:
        """What is the matter with the source as it arrives."""
        return self._damage.trouble(self._source, now)

    def _notice(self, reading: Reading, now: float) -> None:
        found = reading.means
        if found is None or found.severity is Severity.INFO:
            return
        # Damage of the source is counted, and has an alarm of its own.
        is_damage = found.side is Side.SOURCE and found.severity is Severity.WARNING
        if found.side is Side.OUTPUT or (reading.line.level in ("error", "fatal") and not is_damage):
            self._complaint, self._complained_at = found, now

    def quiet_s(self, now: float) -> float:
        """Seconds since its last media progress, or since its start."""
        return self._watchdog.stalled_s(now)

    def silent_s(self, now: float) -> float:
        """Seconds since its last progress block, advancing or not."""
        return self._watchdog.silent_s(now)

    @property
    def broken_off(self) -> bool:
        """Whether its figures end in the middle of a block."""
        return self._parser.is_partial

    def long_speed(self, now: float) -> float | None:
        """Media time per wall time over the time after which a channel counts as slow; None before."""
        return self._telemetry.long_speed(now)

    def verdict(self, code: int | None) -> Diagnosis:
        """Why it ended by itself.

        Args:
            code: Its exit code, negated signal number, or None where nobody saw its end.
        """
        return self._verdict.result(code, ours=False)

    def blame(self, trouble: Trouble) -> Diagnosis:
        """Why it is, or was, to be ended: a trouble, and what its log says of the cause so far.

        What the log says of a source that never came on air is worth more than what was seen from outside.
        """
        seen = self._verdict.so_far()
        if seen is not None:
            is_told = seen.side is Side.SOURCE and not self.on_air
            cause = seen.cause if is_told else f"{trouble.message}: {seen.cause}"
            # What was on air can be so again, whatever the log says.
            return replace(seen, severity=Severity.ERROR, cause=cause, heals=seen.heals or self.on_air, fatal=True)
        side = Side.SOURCE if REACTIONS[trouble.health] is Reaction.SWITCH else Side.HOST
        return Diagnosis(Severity.ERROR, trouble.message, trouble.remedy, heals=True, fatal=True, side=side)
