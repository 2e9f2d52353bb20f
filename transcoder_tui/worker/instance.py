"""One FFmpeg of a channel, from its start or adoption to its end: read, watched, limited, ended."""

import asyncio
import signal
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from transcoder_tui.errors import TranscoderError
from transcoder_tui.failpoints import failpoint
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.ffmpeg.diagnosis import Diagnosis
from transcoder_tui.host.sampling import ProcessSample
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import JobFields
from transcoder_tui.models.view import Telemetry
from transcoder_tui.settings import WatchdogSettings
from transcoder_tui.worker.cgroup import Leaf
from transcoder_tui.worker.disk import Disk
from transcoder_tui.worker.health import Trouble
from transcoder_tui.worker.limits import Limits, limits_text, over_memory, shortfalls
from transcoder_tui.worker.logfile import ChannelLog
from transcoder_tui.worker.monitor import Monitor, Observed
from transcoder_tui.worker.oom import OomWatch
from transcoder_tui.worker.output_rates import OutputRates
from transcoder_tui.worker.output_watch import OutputWatch
from transcoder_tui.worker.outputs import Findings
from transcoder_tui.worker.process import KILL_S, SECOND_TERM_S, Process
from transcoder_tui.worker.rundir import RunDir
from transcoder_tui.worker.upkeep import Upkeep
from transcoder_tui.worker.watch import Watch


@dataclass(frozen=True, slots=True)
class Place:
    """Where an FFmpeg of a channel runs."""

    spec: ChannelSpec
    source: int
    """Position of the source that it reads."""
    host: HostFacts
    run_dir: RunDir
    stderr: Path
    """What it writes its log to."""
    leaf: Leaf | None
    """Its cgroup, where it has one."""
    disk: Disk
    """Does what a hanging disk would hold up."""


class Instance:
    """One FFmpeg.

    Args:
        place: Where it runs.
        process: The process; None where it has ended already, and only what it left is to be read.
        log: The channel's log.
        limits: When patience with it ends.
        on_air: Whether it is known to be on air, as an adopted one may be.
    """

    def __init__(
        self,
        place: Place,
        process: Process | None,
        log: ChannelLog,
        limits: WatchdogSettings,
        *,
        on_air: bool = False,
    ) -> None:
        self.process = process
        self._place = place
        source, spec = place.spec.sources[place.source], place.spec
        self._monitor = Monitor(
            Observed(
                run_dir=place.run_dir,
                pid=process.pid if process else None,
                stderr=place.stderr,
                source=source.address.masked,
                secrets=spec.secrets,
                cbr_bps=sum(spec.muxrate(output) for output in spec.outputs if output.is_transport_stream),
                slow_s=limits.slow_s,
                adopted=process is None or process.adopted,
                on_air=on_air,
            ),
            log,
        )
        try:
            outputs, self._rates = OutputWatch(spec, place.host, _now()), OutputRates(spec, place.host)
        except TranscoderError:
            # Adopted from a time with other roots: what it writes outside of today's is not for us to look at.
            silent = spec.model_copy(update={"outputs": []})
            outputs, self._rates = OutputWatch(silent, place.host, _now()), OutputRates(silent, place.host)
        self._watch = Watch(
            process.pid if process else 0,
            self._monitor,
            outputs,
            source,
            limits,
            place.run_dir.path,
            backed_up=len(spec.sources) > 1,
        )
        adopted = process is not None and process.adopted

        def learn(found: Findings) -> None:
            outputs.learn(found)
            self._rates.learn(found, _now())

        self._upkeep = Upkeep(spec, place.host, place.disk, learn, adopted=adopted)
        self._reason: Diagnosis | None = None
        self._trouble: Trouble | None = None
        self._signals: list[asyncio.TimerHandle] = []
        self._signalled = False

    @property
    def on_air(self) -> bool:
        """Whether media time has been seen to advance."""
        return self._monitor.on_air

    @property
    def last_progress(self) -> datetime:
        """When media progress was last seen (UTC); where it has ended before anybody looked, when it last wrote any."""
        left = self._place.run_dir.last_progress() if self.process is None else None
        return left or datetime.now(UTC) - timedelta(seconds=self._monitor.quiet_s(_now()))

    @property
    def limits(self) -> str:
        """The limits in force, in words; empty where there are none."""
        return limits_text(self.process.limits) if self.process else ""

    def figures(self, now: float) -> Telemetry:
        """Its figures as of ``now`` (monotonic seconds)."""
        figures = self._monitor.figures(now)
        if figures.speed is None:
            return figures
        rates = {
            "output_bps": self._rates.of_outputs(figures.speed),
            "rendition_bps": self._rates.of_renditions(),
        }
        return figures.model_copy(update=rates)

    def limit(self, spec: ChannelSpec, leaf: Leaf | None) -> None:
        """Brings it under the limits of a document, which may have changed since its start."""
        if self.process is not None:
            self.process.limit(Limits.of(spec), leaf)

    def read(self, sample: ProcessSample | None) -> None:
        """Takes in what it wrote.

        Args:
            sample: What the kernel says of it; None where that was not asked.
        """
        if sample is not None:
            self._monitor.feed_process(sample)
        self._monitor.read()
        if self.process is not None and not self._signalled:
            self._upkeep.poll(_now())
        if self.process is not None and self.process.limits.pending:
            self.process.limit(self.process.limits.asked, self._place.leaf)

    def troubles(self, now: float, links: Mapping[str, bool]) -> list[Trouble]:
        """All that is the matter with it.

        Args:
            now: Monotonic seconds.
            links: For each network interface, whether it has a link.
        """
        found = self._watch.troubles(now, links)
        if self.process is not None:
            missed = shortfalls(self.process.limits)
            found += [Trouble(Health.LIMIT_MISSED, fault.fault, fault.remedy) for fault in missed[:1]]
        return found

    def greed(self, sample: ProcessSample) -> Diagnosis | None:
        """Why it must be ended because of the memory that it takes; None where it need not."""
        return over_memory(self.process.limits, sample.rss_bytes) if self.process else None

    def must_end(self, trouble: Trouble, now: float) -> bool:
        """Whether it is to be ended for a trouble."""
        return self._watch.must_end(trouble, now)

    def wake(self, trouble: Trouble, now: float) -> bool:
        """Continues it where somebody stopped it, after a while and once.

        Returns:
            Whether it did.
        """
        if not self._watch.must_wake(trouble, now):
            return False
        self._send(signal.SIGCONT)
        return True

    def blame(self, trouble: Trouble) -> Diagnosis:
        """Why it is ended, where a trouble is the reason."""
        self._trouble = trouble
        return self._monitor.blame(trouble)

    def end(self, reason: Diagnosis | None = None, *, terms: int = 2) -> None:
        """Begins the one series of signals that ends it: a fourth TERM would make it drop its outputs.

        Args:
            reason: Its fault, where it is ended for one.
            terms: How many TERM it gets; a worker that adopts it in the middle of a series cannot know how many it got.
        """
        self._reason = self._reason or reason
        if self._signalled:
            return
        self._signalled = True
        self._upkeep.keep()
        failpoint("signal.before")
        self._send(signal.SIGTERM, signal.SIGCONT)
        failpoint("signal.after")
        loop = asyncio.get_running_loop()
        if terms > 1:
            self._signals.append(loop.call_later(SECOND_TERM_S, self._send, signal.SIGTERM))
        self._signals.append(loop.call_later(KILL_S, self._send, signal.SIGKILL))

    def _send(self, *signals: signal.Signals) -> None:
        if self.process is not None:
            self.process.signal(*signals)

    def release(self) -> None:
        """Lets go of it without touching it. What it wrote so far is in the log before the next worker reads on."""
        self._cancel()
        self._monitor.read()
        self._monitor.close()
        if self.process is not None:
            self.process.release()

    def close(self) -> None:
        """Takes in the rest of what it wrote, after its end."""
        self._cancel()
        self._monitor.read(final=True)
        self._monitor.close()
        with suppress(OSError):
            self._place.stderr.unlink()

    @property
    def spec(self) -> ChannelSpec:
        """The channel's document as it was at the start."""
        return self._place.spec

    def fault(self, code: int | None, oom: OomWatch, job: JobFields) -> Diagnosis | None:
        """Why it ended, apart from any order; None where it was ended by order.

        Args:
            code: Its exit code, negated signal number, or None where nobody saw its end.
            oom: Knows whether the kernel ended somebody for want of memory.
            job: With its pid, also where nobody was there to see its end.
        """
        if self._signalled:
            if self._reason is None or self._trouble is None or self.on_air:
                return self._reason
            # FFmpeg may say what it found of its source only when it is told to end.
            return self._monitor.blame(self._trouble)
        if code == -signal.SIGKILL and job.pid is not None:
            ceiling = self.process.limits.asked.memory if self.process else self._place.spec.memory
            starved = oom.cause(job.pid, job.start_ticks, ceiling, self._place.leaf, _now())
            if starved is not None:
                return starved
        return self._monitor.verdict(code)

    def _cancel(self) -> None:
        self._upkeep.close()
        for timer in self._signals:
            timer.cancel()


def _now() -> float:
    return asyncio.get_running_loop().time()
