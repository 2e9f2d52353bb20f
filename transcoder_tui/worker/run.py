"""One channel's run: what is wanted of it, what is, and how the one is made to match the other.

Everything happens on the event loop. An order is committed to the database before it is acted upon; what is done
then depends only on ``job.wanted`` and ``job.status`` at that moment, so a stop that comes during a restart wins and
a start that comes during a stop is not lost.
"""

import asyncio
import hashlib
import json
import logging
import signal
import uuid
from collections.abc import Callable, Coroutine, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from transcoder_tui.errors import HostFault, StoreUnavailable, TranscoderError
from transcoder_tui.ffmpeg.command import Command, build_command
from transcoder_tui.ffmpeg.diagnosis import Diagnosis
from transcoder_tui.host.sampling import ProcessSample
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import EventFields, EventKind, Severity
from transcoder_tui.models.job import JobFields, Status, Wanted
from transcoder_tui.models.view import Telemetry
from transcoder_tui.store.store import StoredChannel
from transcoder_tui.worker import ledger, outputs
from transcoder_tui.worker.context import Context
from transcoder_tui.worker.health import complaint
from transcoder_tui.worker.logfile import ChannelLog, stamp
from transcoder_tui.worker.monitor import Monitor, Observed
from transcoder_tui.worker.process import DIGEST, KILL_S, RUN_ID, SECOND_TERM_S, Process, adopt, spawn
from transcoder_tui.worker.retry import retry_delay
from transcoder_tui.worker.rundir import RunDir
from transcoder_tui.worker.states import SEVERITY, assert_transition

LEDGER_TRIES = 25
"""How often the exit ledger is asked how an adopted FFmpeg ended: the keeper needs a moment to write it down."""
LEDGER_POLL_S = 0.02

log = logging.getLogger(__name__)


class ChannelRun:
    """Keeps one channel as it is wanted.

    Args:
        channel: The channel as the store holds it.
        context: The worker.
    """

    def __init__(self, channel: StoredChannel, context: Context) -> None:
        self.id = channel.id
        self.revision = channel.revision
        self.spec = channel.spec
        self.job = channel.job
        self.deleted = False
        self.process: Process | None = None
        self._context = context
        self.log = ChannelLog(self._log_path(), context.settings.log.max_bytes)
        self._run_dir = RunDir.of(context.settings.run_path, channel.id)
        self._monitor: Monitor | None = None
        self._ending: str | None = None
        self._signalled = False
        self._timers: list[asyncio.TimerHandle] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._launching = False
        self._changed = asyncio.Event()
        self._ordering = asyncio.Lock()

    # What the worker asks of it

    async def order(self, wanted: Wanted, verb: str, actor: str) -> bool:
        """Commits an order, then acts on it.

        Args:
            wanted: What is wanted from now on.
            verb: ``start``, ``stop`` or ``restart``.
            actor: Who ordered it.

        Returns:
            Whether anything was to be done.

        Raises:
            StoreUnavailable: Where the order could not be committed; then nothing is done.
        """
        async with self._ordering:
            if verb == "start" and self.job.wanted == wanted and self.job.status in (Status.PENDING, Status.RUNNING):
                return False
            if verb == "stop" and self.job.wanted == wanted and self.job.status == Status.STOPPED:
                return False
            before = self.job
            self.job = self.job.model_copy(update=ordered(self.job, wanted))
            try:
                await self._commit([self.event(EventKind.ORDER, f"{verb} ordered", actor=actor)])
            except StoreUnavailable:
                self.job = self.job.model_copy(update=before.model_dump(include=set(ordered(before, wanted))))
                if self.job.status == Status.STOPPED:
                    self.act()
                raise
            self.act(restart=verb == "restart")
            self._changed.set()
            return True

    def act(self, *, restart: bool = False) -> None:
        """Makes what is match what is wanted.

        Args:
            restart: End a running FFmpeg even though the channel is wanted.
        """
        if self.job.wanted == Wanted.RUNNING:
            if self.process is not None or self._launching:
                if restart and self.process is not None:
                    self._stop()
            else:
                self._cancel_timers()
                self._launch()
        elif self.process is not None:
            self._stop()
        elif not self._launching and self.job.status != Status.STOPPED:
            self._cancel_timers()
            self._change_state(Status.STOPPED, "as ordered")

    def update(self, channel: StoredChannel) -> None:
        """Takes over a changed document; whoever changed it decides about a restart."""
        self.revision, self.spec = channel.revision, channel.spec
        self.log.move(self._log_path())

    def take_up_change(self) -> None:
        """Restarts a channel that is wanted, because what reaches FFmpeg changed; forgets earlier failures."""
        clear = {"attempt": 0, "next_retry_at": None, "error": "", "remedy": "", "active_source": 0}
        self.job = self.job.model_copy(update=clear)
        if self.job.wanted == Wanted.RUNNING:
            self.act(restart=True)
        elif self.job.status == Status.ERROR:
            self._change_state(Status.STOPPED, "changed")

    def abandon(self) -> None:
        """Stops a channel that was deleted."""
        self.deleted = True
        self.job = self.job.model_copy(update=ordered(self.job, Wanted.STOPPED))
        self.act()

    def clean_up(self) -> None:
        """Removes what the runs of a deleted channel left, but for its log."""
        self._run_dir.remove()

    async def stopped(self, timeout_s: float) -> bool:
        """Waits until the run has stopped, or something else is wanted of it by now.

        Returns:
            False where neither was so within ``timeout_s`` seconds.
        """
        try:
            async with asyncio.timeout(timeout_s):
                while self.job.status != Status.STOPPED and self.job.wanted == Wanted.STOPPED:
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return False
        return True

    def resume(self, *, rebooted: bool) -> None:
        """Takes the channel up where the last worker left it: adopts its FFmpeg, or starts it again.

        Args:
            rebooted: Whether the host was started anew since the last worker.
        """
        process = adopt(self._run_dir)
        if process is not None:
            self._adopt(process)
        elif rebooted:
            self._start_after_reboot()
        elif self.job.status.is_live and self.job.pid is not None:
            code = ledger.exit_code(self._context.settings.run_path / "exits", self.job.pid or 0, self.job.start_ticks)
            self._observe(adopted=True)
            self._ended(code)
        elif self.job.status == Status.RETRYING and self.job.next_retry_at is not None:
            wait = (self.job.next_retry_at - _utc()).total_seconds()
            # The clock may have been set back since.
            self._later(min(max(0.0, wait), self._context.settings.retry.max_delay_s), self.act)
        elif self.job.wanted == Wanted.STOPPED or self.job.status != Status.ERROR or not self.job.error:
            # An error with its reason was given up; one without was ordered to start by then.
            self.act()

    def leave(self) -> None:
        """Lets go of the channel without touching its FFmpeg: the next worker takes it up."""
        self._cancel_timers()
        for task in self._tasks:
            task.cancel()
        # What FFmpeg wrote so far is in the channel's log before the next worker reads on.
        if self._monitor is not None:
            self._monitor.read()
        if self.process is not None:
            self.process.release()

    def poll(self, now: float, sample: ProcessSample | None) -> None:
        """Reads what FFmpeg wrote, and ends it where the watchdog says so; called once a second.

        Args:
            now: Monotonic seconds.
            sample: What the kernel says of the process.
        """
        monitor = self._monitor
        if monitor is None or self.process is None:
            return
        if sample is not None:
            monitor.feed_process(sample)
        monitor.read()
        if self._ending is not None or self.job.status == Status.STOPPING:
            return
        if self.job.status == Status.PENDING and monitor.on_air:
            self.job = self.job.model_copy(update={"on_air_since": _utc(), "error": "", "remedy": ""})
            self._change_state(Status.RUNNING, "on air")
        alarm = monitor.alarm(now)
        if alarm is not None:
            self._end_for(alarm)
        elif self.job.attempt and self._is_healthy():
            self.job = self.job.model_copy(update={"attempt": 0})
            self._commit_soon([])

    def figures(self, now: float) -> Telemetry:
        """The run's figures; empty where no FFmpeg runs."""
        return self._monitor.figures(now) if self._monitor is not None else Telemetry()

    def complaint(self, now: float, *, disk_full: bool) -> tuple[str, str]:
        """Why the channel is not on air, or not well, and the remedy; empty where nothing is wrong.

        Args:
            now: Monotonic seconds.
            disk_full: Whether nothing can be written below the HLS root.
        """
        if self.job.status != Status.RUNNING or self._monitor is None:
            return self.job.error, self.job.remedy
        source = self.spec.sources[self.source_index]
        return complaint(self.spec, source, self._monitor, self._on_air_s(), now, disk_full=disk_full)

    def command(self) -> Command:
        """The command of the active source as it would be started now.

        Raises:
            TranscoderError: Where it cannot be built on this host.
        """
        return build_command(self.spec, self._context.binary(), self._context.host(), self.source_index)

    def event(
        self, kind: EventKind, message: str, *, severity: Severity = Severity.INFO, actor: str = "worker"
    ) -> EventFields:
        """An event of this channel, as of now."""
        return EventFields(
            at=_utc(),
            kind=kind,
            severity=severity,
            channel_id=self.id,
            channel=self.spec.name,
            message=message,
            actor=actor,
        )

    # Starting

    def _launch(self) -> None:
        self._launching = True
        self.job = self.job.model_copy(
            update={
                "run_id": uuid.uuid4().hex,
                "pid": None,
                "start_ticks": None,
                "boot_id": self._context.boot_id,
                "on_air_since": None,
                "next_retry_at": None,
                "active_source": self.source_index,
            }
        )
        if self.job.status == Status.PENDING:
            committed = self._commit_soon([])
        else:
            committed = self._change_state(Status.PENDING, f"starting on {self._source_name()}")
        self._begin(self._start(committed))

    async def _start(self, committed: asyncio.Task[None]) -> None:
        try:
            await committed
        finally:
            self._launching = False
        if self.job.wanted != Wanted.RUNNING:
            self.act()
            return
        try:
            binary = self._context.binary()
        except HostFault as error:
            self._failed(_cannot_start(error, heals=False))
            return
        try:
            host = self._context.host()
            command = build_command(self.spec, binary, host, self.source_index)
            outputs.prepare(self.spec, host)
            identity = {RUN_ID: self.job.run_id or "", DIGEST: digest(self.spec)}
            process = spawn(command, self._run_dir, identity, self._stderr_path())
        except TranscoderError as error:
            self._failed(_cannot_start(error, heals=isinstance(error, HostFault)))
            return
        except Exception as error:
            log.exception("channel %s: starting it failed", self.id)
            fault = TranscoderError(f"FFmpeg could not be started: {error}", "see the worker's log")
            self._failed(_cannot_start(fault, heals=True))
            return
        self._log_own(f"start {command.shell()}")
        self._observe(adopted=False)
        self._take(process)
        self._commit_soon([])

    def _observe(self, *, adopted: bool, on_air: bool = False) -> None:
        observed = Observed(
            run_dir=self._run_dir,
            stderr=self._stderr_path(),
            source=self._source_name(),
            secrets=self.spec.secrets,
            cbr_bps=self._cbr_bps(),
            adopted=adopted,
            on_air=on_air,
        )
        self._ending = None
        self._signalled = False
        self._monitor = Monitor(observed, self.log, self._context.settings.watchdog)

    def _take(self, process: Process) -> None:
        self.process = process
        self.job = self.job.model_copy(
            update={"pid": process.pid, "start_ticks": process.start, "run_id": process.identity[RUN_ID]}
        )
        process.watch(lambda code: self._process_ended(process, code))

    def _adopt(self, process: Process) -> None:
        self._observe(adopted=True, on_air=self.job.status == Status.RUNNING)
        self._take(process)
        if not self.job.status.is_live:
            self._change_state(Status.PENDING, f"adopted FFmpeg {process.pid}")
        stayed = ", which stayed on air" if self.job.status == Status.RUNNING else ""
        self._log_own(f"adopted FFmpeg {process.pid}{stayed}")
        self._commit_soon([self.event(EventKind.WORKER, f"adopted FFmpeg {process.pid}{stayed}")])
        if self.job.status == Status.STOPPING:
            # The last worker has sent TERM already, perhaps twice.
            self._signal_to_end(terms=1)
        elif self.job.wanted == Wanted.STOPPED or process.identity[DIGEST] != digest(self.spec):
            self._stop()

    def _start_after_reboot(self) -> None:
        wanted = self.job.wanted == Wanted.RUNNING or self.spec.autostart
        update = {"attempt": 0, "pid": None, "start_ticks": None, "on_air_since": None, "error": "", "remedy": ""}
        self.job = self.job.model_copy(update=update)
        if wanted:
            self.job = self.job.model_copy(update={"wanted": Wanted.RUNNING})
            self._launch()
        elif self.job.status != Status.STOPPED:
            self._change_state(Status.STOPPED, "the host was started anew")

    # Stopping

    def _stop(self) -> None:
        if self.job.status != Status.STOPPING:
            self._change_state(Status.STOPPING, "FFmpeg finishes its outputs")
        self._signal_to_end()

    def _end_for(self, alarm: str) -> None:
        self._ending = alarm
        self._log_own(f"watchdog: {alarm}; FFmpeg is ended")
        self._signal_to_end()

    def _signal_to_end(self, terms: int = 2) -> None:
        """Begins the one series of signals of this FFmpeg: a fourth TERM would make it drop its outputs."""
        if self._signalled:
            return
        self._signalled = True
        self._cancel_timers()
        self._send(signal.SIGTERM, signal.SIGCONT)
        if terms > 1:
            self._later(SECOND_TERM_S, lambda: self._send(signal.SIGTERM))
        self._later(KILL_S, lambda: self._send(signal.SIGKILL))

    def _send(self, *signals: signal.Signals) -> None:
        if self.process is not None:
            self.process.signal(*signals)

    # Its end

    def _process_ended(self, process: Process, code: int | None) -> None:
        if not process.adopted or code is not None:
            self._ended(code)
            return
        self._begin(self._ask_ledger(process))

    async def _ask_ledger(self, process: Process) -> None:
        path = self._context.settings.run_path / "exits"
        for _ in range(LEDGER_TRIES):
            code = ledger.exit_code(path, process.pid, process.start)
            if code is not None:
                break
            await asyncio.sleep(LEDGER_POLL_S)
        self._ended(code)

    def _ended(self, code: int | None) -> None:
        self._cancel_timers()
        monitor, self._monitor, self.process = self._monitor, None, None
        assert monitor is not None, "every process is observed"
        monitor.read(final=True)
        self._stderr_path().unlink(missing_ok=True)
        ending, self._ending = self._ending, None
        self._log_own(f"FFmpeg ended with {'an unknown code' if code is None else code}")
        self.job = self.job.model_copy(
            update={"pid": None, "start_ticks": None, "on_air_since": None, "exit_code": code}
        )
        if self.job.status == Status.STOPPING:
            self._stopped()
        else:
            self._failed(monitor.verdict(code, ending))

    def _stopped(self) -> None:
        if self.job.wanted == Wanted.RUNNING:
            self._launch()
            return
        try:
            outputs.finalise(self.spec, self._context.host())
        except TranscoderError as error:
            self._log_own(f"the playlists could not be finished: {error}")
        self._change_state(Status.STOPPED, "as ordered")

    def _failed(self, diagnosis: Diagnosis) -> None:
        if self.job.wanted == Wanted.STOPPED:
            self._change_state(Status.STOPPED, "as ordered")
            return
        failures = self.job.attempt + 1
        delay = retry_delay(failures, self._context.settings.retry) if diagnosis.heals else None
        update: dict[str, object] = {"error": diagnosis.cause, "remedy": diagnosis.remedy, "attempt": failures}
        if delay is None:
            self.job = self.job.model_copy(update={**update, "next_retry_at": None, "attempt": failures - 1})
            tries = f" after {failures - 1} attempts" if diagnosis.heals and failures > 1 else ""
            self._log_own(f"given up{tries}: {diagnosis.cause}")
            self._change_state(Status.ERROR, f"given up{tries}: {diagnosis.cause}")
            return
        following = (self.source_index + 1) % len(self.spec.sources)
        update |= {"next_retry_at": _utc() + timedelta(seconds=delay), "active_source": following}
        self.job = self.job.model_copy(update={**update, "restarts": self.job.restarts + 1})
        self._log_own(f"failed: {diagnosis.cause}; next attempt in {delay:.0f} s")
        self._change_state(Status.RETRYING, diagnosis.cause)
        self._later(delay, self.act)

    # Small things

    def _change_state(self, status: Status, cause: str) -> asyncio.Task[None]:
        assert_transition(self.job.status, status)
        self.job = self.job.model_copy(update={"status": status, "since": _utc()})
        self._changed.set()
        severity = SEVERITY.get(status, Severity.INFO)
        return self._commit_soon([self.event(EventKind.STATE, f"{status}: {cause}", severity=severity)])

    async def _commit(self, events: Sequence[EventFields]) -> None:
        self._context.announce(await self._context.store.save_job(self.id, self.job, events))

    def _commit_soon(self, events: Sequence[EventFields]) -> asyncio.Task[None]:
        """Commits in order behind what was begun before; channels go on where the database does not."""
        return self._begin(self._commit_or_go_on(events))

    async def _commit_or_go_on(self, events: Sequence[EventFields]) -> None:
        try:
            await self._commit(events)
        except StoreUnavailable as error:
            self._log_own(f"not stored: {error}")

    def _begin(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task

    def _later(self, delay: float, call: Callable[[], None]) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(delay, call))

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _log_own(self, text: str) -> None:
        self.log.write([stamp(_utc(), "worker", text)])

    def _log_path(self) -> Path:
        return self._context.settings.channel_logs / f"{self.id}-{self.spec.slug}.log"

    def _stderr_path(self) -> Path:
        return self._context.settings.channel_logs / f"{self.id}.stderr"

    @property
    def source_index(self) -> int:
        """Position of the source in use."""
        return self.job.active_source if self.job.active_source < len(self.spec.sources) else 0

    def _source_name(self) -> str:
        return self.spec.sources[self.source_index].address.masked

    def _cbr_bps(self) -> int:
        return sum(self.spec.muxrate(output) for output in self.spec.outputs if output.address.scheme == "udp")

    def _is_healthy(self) -> bool:
        healthy_after = self._context.settings.retry.healthy_after_s
        return self.job.status == Status.RUNNING and self._on_air_s() >= healthy_after

    def _on_air_s(self) -> float:
        return (_utc() - self.job.on_air_since).total_seconds() if self.job.on_air_since else 0.0


def digest(spec: ChannelSpec) -> str:
    """Tells one document from another as far as FFmpeg is concerned, without telling what is in it."""
    return hashlib.sha256(json.dumps(spec.on_air_part(), sort_keys=True).encode()).hexdigest()[:16]


def ordered(job: JobFields, wanted: Wanted) -> dict[str, object]:
    """What an operator's order changes in a job: it also clears what earlier failures left behind."""
    return {
        "wanted": wanted,
        "generation": job.generation + 1,
        "attempt": 0,
        "restarts": 0,
        "next_retry_at": None,
        "error": "",
        "remedy": "",
        "active_source": 0 if job.pid is None else job.active_source,
    }


def _cannot_start(error: TranscoderError, *, heals: bool) -> Diagnosis:
    fault = error.faults[0]
    where = f"{fault.field}: " if fault.field else ""
    return Diagnosis(Severity.ERROR, f"{where}{fault.fault}", fault.remedy, heals=heals, fatal=True)


def _utc() -> datetime:
    return datetime.now(UTC)
