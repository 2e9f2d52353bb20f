"""One channel's run: what is wanted of it, what is, and how the one is made to match the other.

Everything happens on the event loop. An order is committed to the database before it is acted upon. What follows from
what is the table in ``worker/states.py``; here is what is done when a state is entered.
"""

import asyncio
import logging
import os
import uuid
from collections.abc import Callable, Coroutine, Mapping
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

from transcoder_tui.errors import InvalidInput, NoSuchChannel, TranscoderError
from transcoder_tui.failpoints import failpoint
from transcoder_tui.ffmpeg.command import Command, HostFacts, build_command
from transcoder_tui.ffmpeg.diagnosis import Diagnosis
from transcoder_tui.ffmpeg.side import Side
from transcoder_tui.host.sampling import ProcessSample
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import EventFields, Severity
from transcoder_tui.models.health import Alarm, Health
from transcoder_tui.models.job import JobFields, Status, Wanted
from transcoder_tui.models.view import PictureEncoder, Telemetry
from transcoder_tui.store.store import StoredChannel
from transcoder_tui.worker import ledger, outputs, runfile, sources
from transcoder_tui.worker.alarms import Alarms
from transcoder_tui.worker.context import Context
from transcoder_tui.worker.failover import Failover
from transcoder_tui.worker.health import REACTIONS, Reaction, Trouble
from transcoder_tui.worker.instance import Instance, Place
from transcoder_tui.worker.launch import CannotStart, Prepared, digest, encoders_of, prepare
from transcoder_tui.worker.logfile import ChannelLog
from transcoder_tui.worker.process import DIGEST, KILL_S, RUN_ID, SOURCE, Process, adopt
from transcoder_tui.worker.record import Record
from transcoder_tui.worker.retry import probe_delay, retry_delay
from transcoder_tui.worker.rundir import RunDir
from transcoder_tui.worker.states import Happening, follow

LEDGER_TRIES = 25
"""How often the exit ledger is asked how an adopted FFmpeg ended: the keeper needs a moment to write it down."""
LEDGER_POLL_S = 0.02
PLACE_S = 0.5
"""Time for which a start keeps its place: what it costs in processor time is over by then (16 to 61 ms to the first
frame of an encoder, FFmpeg 9.0 and 5.1). A source may take longer to open, but then FFmpeg only waits for packets."""
HANGS_S = 2.0
"""Seconds after KILL from which on a process that has not ended counts as hanging in the kernel."""
BLIND_S = 600.0
"""After a restart because of lost figures, the same is no reason for another one for so long."""
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
        self.encoders: list[PictureEncoder] = []
        """What encodes its pictures at present."""
        self._instance: Instance | None = None
        self._context = context
        self.log = ChannelLog(self._log_path(), context.settings.log.max_bytes)
        self._record = Record(channel.id, channel.spec.name, self.log)
        self.failover = Failover(context.settings.sources)
        self._alarms = Alarms(channel.job.alarms)
        self._run_dir = RunDir.of(context.settings.run_path, channel.id)
        self._blind_until = 0.0
        self._timers: list[asyncio.TimerHandle] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._preparing: asyncio.Task[Prepared] | None = None
        """What is done before its FFmpeg is started; None where nothing is being started."""
        self._committing = False
        self._unwritten = False
        self._on_air_at: float | None = None
        self._ran: ChannelSpec | None = None
        self._changed = asyncio.Event()
        self._ordering = asyncio.Lock()

    @property
    def process(self) -> Process | None:
        """Its FFmpeg, where one runs."""
        return self._instance.process if self._instance is not None else None

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
            if verb == "start" and self.job.wanted == wanted and self.job.status.is_up:
                return False
            if verb == "stop" and self.job.wanted == wanted and self.job.status == Status.STOPPED:
                return False
            await self._commit_order(lambda job: ordered(job, wanted), f"{verb} ordered", actor)
            self.act(restart=verb == "restart")
            return True

    async def switch(self, source: int, actor: str) -> bool:
        """Commits an order to change to a source, then acts on it; the channel stays there until the source fails.

        Args:
            source: Its position.
            actor: Who ordered it.

        Returns:
            Whether anything was to be done.

        Raises:
            InvalidInput: Where there is no such source, or the channel is not wanted on air.
            StoreUnavailable: As for :meth:`order`.
        """
        if not 0 <= source < len(self.spec.sources):
            raise InvalidInput(
                f"{self.spec.name} has no source {source + 1}", f"it has {len(self.spec.sources)}", "source"
            )
        async with self._ordering:
            if self.job.wanted == Wanted.STOPPED:
                raise InvalidInput(f"{self.spec.name} is stopped", "start it first", "source")
            pinned = source > 0
            if source == self.source_index and self.job.next_source is None and self.job.pinned == pinned:
                return False
            chosen = {"next_source": source, "pinned": pinned}
            await self._commit_order(
                lambda job: {**ordered(job, Wanted.RUNNING), "active_source": job.active_source, **chosen},
                f"source {source + 1} ordered",
                actor,
            )
            if source != self.source_index or self.process is None:
                self.act(restart=True)
            return True

    async def acknowledge(self, actor: str) -> bool:
        """Notes that somebody has seen the alarms that are raised, also while the database does not work.

        Args:
            actor: Who has seen them.

        Returns:
            Whether there was one that nobody had seen.
        """
        seen = self._alarms.acknowledge(actor, _utc())
        if seen:
            self.job = self.job.model_copy(update={"alarms": self._alarms.active})
            await self._write(*self._record.acknowledged(seen))
        return bool(seen)

    async def _commit_order(self, change: Callable[[JobFields], dict[str, object]], words: str, actor: str) -> None:
        """Commits an order; what happens meanwhile is written without the job, which the order is about to change.

        Raises:
            NoSuchChannel: Where the channel was deleted.
            StoreUnavailable: Where the order could not be committed.
        """
        failpoint("order.before")
        self._require_existing()
        self._committing, self._unwritten = True, False
        try:
            ordered_job = self.job.model_copy(update=change(self.job))
            await self._context.journal.order(self.id, ordered_job, [self._record.order(words, actor)])
            self._require_existing()
            self.job = self.job.model_copy(update=change(self.job))
        finally:
            self._committing = False
            written = self._write() if self._unwritten and not self.deleted else None
        if written is not None:
            await written
        failpoint("order.committed")
        self.remember()
        self._changed.set()

    def _require_existing(self) -> None:
        if self.deleted:
            raise NoSuchChannel(f"{self.spec.name} was deleted", "'transcoder-tui channels' lists what there is")

    def act(self, *, restart: bool = False) -> None:
        """Makes what is match what is wanted.

        Args:
            restart: End a running FFmpeg even though the channel is wanted.
        """
        runs = self.job.status in (Status.PENDING, Status.RUNNING)
        if self.job.wanted == Wanted.RUNNING:
            if runs and restart:
                self._end("to be started again, as ordered")
            elif not self.job.status.is_up and self.job.status != Status.STOPPING:
                self._start()
        elif runs:
            self._end("as ordered")
        elif self.job.status in (Status.QUEUED, Status.RETRYING, Status.ERROR):
            self._step(Happening.END, "as ordered")

    def update(self, channel: StoredChannel) -> None:
        """Takes over a changed document; whoever changed it decides about a restart."""
        self.revision, self.spec = channel.revision, channel.spec
        self._record.name = channel.spec.name
        self.log.move(self._log_path())
        self.remember()
        self._limit()

    def _limit(self) -> None:
        if self._instance is not None:
            self._instance.limit(self.spec, self._context.ceilings.leaf(self.id))

    def remember(self) -> None:
        """Notes document and order in the run directory, in case the database loses them."""
        runfile.write(self._run_dir, self.stored)

    @property
    def stored(self) -> StoredChannel:
        """The channel as the database should hold it."""
        return StoredChannel(self.id, self.revision, self.spec, self.job)

    def take_up_change(self) -> None:
        """Restarts a channel that is wanted, because what reaches FFmpeg changed; forgets earlier failures."""
        self.job = self.job.model_copy(update={**_FORGIVEN, "active_source": 0, "next_source": None, "pinned": False})
        if self.job.wanted == Wanted.RUNNING:
            self.act(restart=True)
        elif self.job.status == Status.ERROR:
            self._step(Happening.END, "changed")

    def abandon(self) -> None:
        """Stops a channel that was deleted."""
        self.deleted = True
        self.job = self.job.model_copy(update=ordered(self.job, Wanted.STOPPED))
        self.act()

    def clean_up(self) -> None:
        """Removes what the runs of a deleted channel left, but for its log."""
        self._run_dir.remove()
        leaf = self._context.ceilings.leaf(self.id)
        if leaf is not None:
            leaf.remove()

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
        status = self.job.status
        if process is not None:
            self._adopt(process)
        elif rebooted:
            self._start_after_reboot()
        elif status.is_live and self.job.pid is not None:
            code = ledger.exit_code(self._exits, self.job.pid, self.job.start_ticks)
            self._take(None, self._context.host())
            self._ended(code)
        elif status == Status.STOPPING:
            self._gone()
        elif status in (Status.RETRYING, Status.ERROR) and self.job.next_retry_at is not None:
            wait = (self.job.next_retry_at - _utc()).total_seconds()
            # The clock may have been set back since.
            retry = self._context.settings.retry
            longest = retry.max_delay_s if status == Status.RETRYING else retry.probe_max_s
            self._later(min(max(0.0, wait), longest), self._start)
        elif self.job.wanted == Wanted.RUNNING and (status != Status.ERROR or not self.job.error):
            # An error with its reason was given up; one without was ordered to start by then.
            self._start()
        elif self.job.wanted == Wanted.STOPPED:
            self.act()

    def leave(self) -> None:
        """Lets go of the channel without touching its FFmpeg: the next worker takes it up."""
        self._cancel_timers()
        for task in self._tasks:
            task.cancel()
        if self._instance is not None:
            self._instance.release()

    def poll(self, now: float, sample: ProcessSample | None) -> None:
        """Reads what FFmpeg wrote, and reacts to what is the matter with it; called once a second.

        Args:
            now: Monotonic seconds.
            sample: What the kernel says of the process; None where it was not asked.
        """
        instance = self._instance
        if instance is None:
            return
        instance.read(sample)
        if self.job.status == Status.STOPPING:
            self._hangs(now)
        if self.job.status not in (Status.PENDING, Status.RUNNING):
            return
        if self.job.status == Status.PENDING and instance.on_air:
            self._on_air()
        greed = instance.greed(sample) if sample is not None else None
        if greed is not None:
            self._end(greed.cause, greed)
            return
        troubles = instance.troubles(now, self._context.links)
        if self.job.active_source:
            troubles += sources.on_backup(self.job, self.spec, self._context.settings.sources, self.failover)
        self._alarm(troubles, now)
        for trouble in troubles:
            if instance.must_end(trouble, now) and self._may_end_for(trouble, now):
                self._end(trouble.message, instance.blame(trouble))
                return
            if instance.wake(trouble, now):
                self._write(self._record.note(f"{trouble.message}; it is continued", Severity.WARNING))
        if self.job.attempt and self._is_healthy():
            self.job = self.job.model_copy(update={"attempt": 0})
            self._write()
        if self.job.active_source:
            self._return_to_better(now)

    def _hangs(self, now: float) -> None:
        """Says so where not even KILL ends FFmpeg."""
        since = self.job.since
        if since is not None and self.process is not None and (_utc() - since).total_seconds() > KILL_S + HANGS_S:
            message = f"FFmpeg {self.process.pid} does not end: it hangs in the kernel"
            self._alarm([Trouble(Health.ENCODER_STUCK, message, "look at its disk or network mount")], now)

    def sources_to_test(self) -> list[int]:
        """The better sources that are to be tested while a backup is on air; none where one is about to be taken."""
        if self.failover.better(self.source_index, asyncio.get_running_loop().time()) is not None:
            return []
        return sources.to_test(self.job, self.spec, self._context.settings.sources)

    def figures(self, now: float) -> Telemetry:
        """The run's figures; empty where no FFmpeg runs."""
        return self._instance.figures(now) if self._instance is not None else Telemetry()

    @property
    def limits(self) -> str:
        """The limits in force for its FFmpeg, in words; empty where there are none."""
        return self._instance.limits if self._instance is not None else ""

    @property
    def alarms(self) -> list[Alarm]:
        """What is raised at present, the gravest first."""
        return self._alarms.active

    def complaint(self) -> tuple[str, str]:
        """Why the channel is not on air, or not well, and the remedy; empty where nothing is wrong."""
        if self.job.status == Status.RUNNING:
            found = self._alarms.active
            return (found[0].message, found[0].remedy) if found else ("", "")
        for alarm in self._alarms.active:
            # What ended it before is over where it only waits.
            if alarm.health == Health.NO_PEER:
                return alarm.message, alarm.remedy
        if self.job.status == Status.STOPPING and self._alarms and not self.job.error:
            return self._alarms.active[0].message, self._alarms.active[0].remedy
        if self.job.status == Status.QUEUED and not self.job.error:
            return "waits for its turn: others are starting", ""
        return self.job.error, self.job.remedy

    def command(self) -> Command:
        """The command of the active source as it would be started now.

        Raises:
            TranscoderError: Where it cannot be built on this host.
        """
        return build_command(self.spec, self._context.binary(), self._context.host(), self.source_index)

    # The states

    def _step(self, happening: Happening, cause: str, fault: Diagnosis | None = None, **update: Any) -> None:
        """Enters the state that follows, and does what belongs to it.

        Args:
            happening: What happened.
            cause: Why, in the operator's words.
            fault: Where FFmpeg is to be ended for a fault of its own, that.
            update: What else changes in the job.
        """
        status = follow(self.job.status, happening)
        self.job = self.job.model_copy(update={**update, "status": status, "since": _utc()})
        self._changed.set()
        failed = happening in (Happening.FAIL, Happening.GIVE_UP)
        event = self._record.state(status, cause, failed=failed)
        if status not in (Status.QUEUED, Status.PENDING):
            self._context.gate.leave(self.id)
        if status == Status.STOPPED:
            self._cancel_timers()
            cleared = self._alarms.clear()
            self.job = self.job.model_copy(update={"alarms": [], "off_air_since": None, "next_retry_at": None})
            self._write(event, *self._record.alarms([], cleared))
            return
        committed = self._write(event)
        if status == Status.PENDING and happening == Happening.START:
            self._launch(committed)
        elif status == Status.STOPPING and self._instance is not None:
            self._instance.end(fault)

    def _start(self) -> None:
        """Starts as soon as there is room."""
        self._cancel_timers()
        if self._context.gate.enter(self.id):
            self._admitted()
            return
        self._context.gate.wait(self.id, self.spec.priority, self._admitted)
        self._step(Happening.WAIT, "others are starting", next_retry_at=None)

    def _admitted(self) -> None:
        source = sources.following(self.job, self.spec)
        self._later(PLACE_S, lambda: self._context.gate.leave(self.id))
        self._step(
            Happening.START,
            f"starting on {self.spec.sources[source].address.masked}",
            active_source=source,
            next_source=None,
            run_id=uuid.uuid4().hex,
            pid=None,
            start_ticks=None,
            boot_id=self._context.boot_id,
            on_air_since=None,
            next_retry_at=None,
        )

    def _launch(self, committed: asyncio.Future[None]) -> None:
        preparing = prepare(self.spec, self.source_index, self.job.run_id or "", self._context)
        self._preparing = asyncio.get_running_loop().create_task(preparing)
        self._begin(self._launched(committed, self.job.generation, self._preparing))

    async def _launched(
        self, committed: asyncio.Future[None], generation: int, preparing: asyncio.Task[Prepared]
    ) -> None:
        refused: CannotStart | None = None
        prepared: Prepared | None = None
        await asyncio.wait((preparing,))
        try:
            prepared = None if preparing.cancelled() else preparing.result()
        except CannotStart as error:
            refused = error
        try:
            await asyncio.shield(committed)
        finally:
            self._preparing = None
        failpoint("launch.committed")
        if self.job.status == Status.STOPPING or generation != self.job.generation:
            # Ordered otherwise in the meantime.
            self._end("ordered otherwise")
            return
        try:
            if prepared is None:
                assert refused is not None, "what is not prepared was refused"
                raise refused
            leaf = self._context.ceilings.prepare(self.id, self.spec.memory)
            stderr = self._writable_stderr()
            process = prepared.start(self._run_dir, stderr, leaf)
        except CannotStart as error:
            self._failed(error.diagnosis)
            return
        self.remember()
        self._record.say(f"start {prepared.command.shell()}")
        self._take(process, prepared.host, stderr)
        for picture in prepared.encoders:
            if picture.fallback:
                words = f"{picture.rendition} is encoded by {picture.encoder}: {picture.reason}"
                self._write(self._record.note(words, Severity.WARNING))
        self._write().add_done_callback(lambda _: failpoint("pid.committed"))

    def _take(self, process: Process | None, host: HostFacts, stderr: Path | None = None) -> None:
        """Takes an FFmpeg in charge; None is one that has ended and left its log."""
        place = Place(
            spec=self.spec,
            source=self.source_index,
            host=host,
            run_dir=self._run_dir,
            stderr=stderr or self._stderr_path(),
            leaf=self._context.ceilings.leaf(self.id),
            disk=self._context.disk,
        )
        on_air = process is not None and process.adopted and self.job.status == Status.RUNNING
        self._instance = Instance(place, process, self.log, self._context.settings.watchdog, on_air=on_air)
        self._on_air_at = asyncio.get_running_loop().time() if on_air else None
        self.encoders = encoders_of(process) if process is not None else []
        if process is not None:
            identity = {"pid": process.pid, "start_ticks": process.start, "run_id": process.identity[RUN_ID]}
            self.job = self.job.model_copy(update=identity)
            process.watch(lambda code: self._process_ended(process, code))

    def _adopt(self, process: Process) -> None:
        if (source := process.identity[SOURCE]).isdigit():
            # The database may have missed a change of source.
            self.job = self.job.model_copy(update={"active_source": int(source)})
        self._take(process, self._context.host())
        self._limit()
        if not self.job.status.is_live:
            self._step(Happening.ADOPT, f"adopted FFmpeg {process.pid}")
        stayed = ", which stayed on air" if self.job.status == Status.RUNNING else ""
        self._write(self._record.note(f"adopted FFmpeg {process.pid}{stayed}"))
        if self.job.status == Status.STOPPING:
            # The last worker has sent TERM already, perhaps twice.
            assert self._instance is not None, "an adopted FFmpeg was just taken in charge"
            self._instance.end(terms=1)
        elif self.job.wanted == Wanted.STOPPED:
            self._end("as ordered")
        elif process.identity[DIGEST] != digest(self.spec):
            self._end("to be started again with its changes")
        else:
            self._context.preflights.trust(process.identity[DIGEST])

    def _start_after_reboot(self) -> None:
        update: dict[str, object] = {**_FORGIVEN, "pid": None, "start_ticks": None, "on_air_since": None}
        self.job = self.job.model_copy(update={**update, "off_air_since": None})
        if self.job.wanted == Wanted.RUNNING or self.spec.autostart:
            self.job = self.job.model_copy(update={"wanted": Wanted.RUNNING})
            self._start()
        elif self.job.status != Status.STOPPED:
            self._step(Happening.FINISH, "the host was started anew")

    def _on_air(self) -> None:
        since, gap = self.job.off_air_since, None
        if since is not None:
            gap = round(max(0.0, (_utc() - since).total_seconds()), 1)
        cleared = self._alarms.clear()
        self._on_air_at = asyncio.get_running_loop().time()
        words = f"on air on {self._source_name()}" if len(self.spec.sources) > 1 else "on air"
        self._step(
            Happening.ON_AIR,
            words if gap is None else f"{words} after {gap:g} s without progress",
            on_air_since=_utc(),
            error="",
            remedy="",
            off_air_since=None,
            gap_s=gap if gap is not None else self.job.gap_s,
            alarms=[],
        )
        if cleared:
            self._write(*self._record.alarms([], cleared))

    # Alarms

    def _alarm(self, troubles: list[Trouble], now: float) -> None:
        if not troubles and not self._alarms:
            return
        if self.job.status != Status.RUNNING:
            # What led to this start is over when the channel is on air again, not before.
            present = {trouble.health for trouble in troubles}
            troubles += [
                Trouble(alarm.health, alarm.message, alarm.remedy)
                for alarm in self._alarms.active
                if alarm.health not in present
            ]
        raised, cleared = self._alarms.update(troubles, _utc(), now)
        if raised or cleared:
            self.job = self.job.model_copy(update={"alarms": self._alarms.active})
            self._write(*self._record.alarms(raised, cleared))

    def _may_end_for(self, trouble: Trouble, now: float) -> bool:
        if REACTIONS[trouble.health] is not Reaction.RESTART_ONCE:
            return True
        if now < self._blind_until:
            return False
        self._blind_until = now + BLIND_S
        return True

    # Ending

    def _end(self, cause: str, fault: Diagnosis | None = None) -> None:
        """Ends the present FFmpeg; what follows depends on what is wanted by then.

        Args:
            cause: Why, in the operator's words.
            fault: The same, where FFmpeg itself is at fault.
        """
        if self.job.status != Status.STOPPING:
            update: dict[str, Any] = {"error": fault.cause, "remedy": fault.remedy} if fault else {}
            if self.job.status == Status.RUNNING and self.job.wanted == Wanted.RUNNING and self._instance is not None:
                update["off_air_since"] = self._instance.last_progress
            self._step(Happening.END, cause, fault, **update)
        if self._preparing is not None:
            # It may be looking into a source for seconds, and what it finds is not wanted any more.
            self._preparing.cancel()
        elif self._instance is None:
            self._gone()

    def _process_ended(self, process: Process, code: int | None) -> None:
        if not process.adopted or code is not None:
            self._ended(code)
            return
        self._begin(self._ask_ledger(process))

    async def _ask_ledger(self, process: Process) -> None:
        code = None
        for _ in range(LEDGER_TRIES):
            code = ledger.exit_code(self._exits, process.pid, process.start)
            if code is None:
                code = process.told_by_kernel()
            if code is not None:
                break
            await asyncio.sleep(LEDGER_POLL_S)
        process.close()
        self._ended(code)

    def _ended(self, code: int | None) -> None:
        self._cancel_timers()
        instance, self._instance = self._instance, None
        assert instance is not None, "every FFmpeg is in charge of an instance"
        off_air_since = self.job.off_air_since
        if off_air_since is None and self.job.status == Status.RUNNING:
            off_air_since = instance.last_progress
        self._ran = instance.spec
        used, self.encoders = frozenset(picture.encoder for picture in self.encoders), []
        try:
            instance.close()
            fault = instance.fault(code, self._context.oom, self.job)
        except Exception as error:
            log.exception("channel %s: what its FFmpeg left could not be read", self.id)
            fault = Diagnosis(Severity.ERROR, f"FFmpeg ended: {error}", "see the worker's log", heals=True, fatal=True)
        if fault is not None and fault.side is Side.ENCODER:
            self._context.hardware.distrust(used, fault.cause)
        self._record.say(f"FFmpeg ended with {'an unknown code' if code is None else code}")
        self.job = self.job.model_copy(
            update={
                "pid": None,
                "start_ticks": None,
                "on_air_since": None,
                "exit_code": code,
                "off_air_since": off_air_since,
            }
        )
        if fault is None or (self.job.status == Status.STOPPING and instance.process is None):
            self._gone()
        else:
            self._failed(fault)

    def _gone(self) -> None:
        """No FFmpeg runs any more, and none is missing."""
        if self.job.wanted != Wanted.RUNNING:
            self._finish()
            return
        if self._ran is not None and self._ran is not self.spec:
            self._begin(self._finalise(self._ran, self.spec))
        self._start()

    def _finish(self) -> None:
        self._begin(self._finished(self.job.generation))

    async def _finished(self, generation: int) -> None:
        await self._finalise(self._ran or self.spec)
        if self.job.status in (Status.STOPPED, Status.QUEUED):
            return
        if generation == self.job.generation or self.job.wanted == Wanted.STOPPED:
            self._step(Happening.FINISH, "as ordered")
        else:
            # Ordered otherwise while the playlists were finished.
            self._gone()

    async def _finalise(self, spec: ChannelSpec, going_on: ChannelSpec | None = None) -> None:
        try:
            await self._context.disk.ask(partial(outputs.finalise, spec, self._context.host(), going_on))
        except (TranscoderError, OSError) as error:
            self._record.say(f"the playlists could not be finished: {error or 'their disk does not answer'}")

    def _failed(self, diagnosis: Diagnosis) -> None:
        if self.job.wanted == Wanted.STOPPED:
            self._finish()
            return
        retry, now = self._context.settings.retry, asyncio.get_running_loop().time()
        failures = self.job.attempt + 1
        update: dict[str, Any] = {"error": diagnosis.cause, "remedy": diagnosis.remedy, "attempt": failures}
        update |= sources.after_failure(self.job, self.spec, diagnosis, failures)
        self.failover.failed(self.source_index, now)
        delay = retry_delay(failures, retry) if diagnosis.heals else None
        happening, cause = Happening.FAIL, diagnosis.cause
        if delay is not None:
            self._record.say(f"failed: {diagnosis.cause}; next attempt in {delay:.0f} s")
        else:
            tries = f" after {retry.attempts} attempts" if diagnosis.heals and retry.attempts else ""
            happening, cause = Happening.GIVE_UP, f"given up{tries}: {diagnosis.cause}"
            self._alarm([Trouble(Health.OFF_AIR, cause, diagnosis.remedy)], now)
            if diagnosis.heals and retry.after_exhausted == "probe" and self._is_live():
                delay = probe_delay(failures, retry)
            probes = f"; tried again in {delay:.0f} s" if delay is not None else ""
            self._record.say(cause + probes)
        at = _utc() + timedelta(seconds=delay) if delay is not None else None
        self._step(happening, cause, **update, next_retry_at=at, restarts=self.job.restarts + 1)
        if delay == 0:
            # In one transaction with the failure: the picture is off air meanwhile.
            self._start()
        elif delay is not None:
            self._later(delay, self._start)

    # Sources

    def _return_to_better(self, now: float) -> None:
        if not sources.to_test(self.job, self.spec, self._context.settings.sources):
            return
        better = self.failover.better(self.source_index, now)
        if better is None:
            return
        good_s = self.failover.good_s(better, now)
        self.failover.returned(better, now)
        self.job = self.job.model_copy(update={"next_source": better})
        self._end(f"returns to source {better + 1}, which has been good for {good_s:.0f} s")

    # Small things

    def _write(self, *events: EventFields) -> asyncio.Future[None]:
        """Commits in order behind what was begun before; channels go on where the database does not."""
        self._unwritten = self._committing
        return self._context.journal.write(self.id, None if self._committing else self.job, events)

    def _begin(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _later(self, delay: float, call: Callable[[], None]) -> None:
        self._timers.append(asyncio.get_running_loop().call_later(delay, call))

    def _cancel_timers(self) -> None:
        for timer in self._timers:
            timer.cancel()
        self._timers.clear()

    def _log_path(self) -> Path:
        return self._context.settings.channel_logs / f"{self.id}-{self.spec.slug}.log"

    def _stderr_path(self) -> Path:
        return self._context.settings.channel_logs / f"{self.id}.stderr"

    def _writable_stderr(self) -> Path:
        """Where the next FFmpeg writes its log: a disk that became read-only keeps no channel off the air."""
        path = self._stderr_path()
        try:
            os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o640))
        except OSError:
            return self._run_dir.path / "stderr"
        return path

    @property
    def _exits(self) -> Path:
        return self._context.settings.run_path / "exits"

    @property
    def source_index(self) -> int:
        """Position of the source in use."""
        return sources.active(self.job, self.spec)

    def _source_name(self) -> str:
        return self.spec.sources[self.source_index].address.masked

    def _is_live(self) -> bool:
        return any(source.address.scheme not in ("file", "test") for source in self.spec.sources)

    def _is_healthy(self) -> bool:
        healthy_after = self._context.settings.retry.healthy_after_s
        now = asyncio.get_running_loop().time()
        on_air = self.job.status == Status.RUNNING and self._on_air_at is not None
        return on_air and now - (self._on_air_at or now) >= healthy_after


_FORGIVEN: Mapping[str, object] = {"attempt": 0, "next_retry_at": None, "error": "", "remedy": ""}
"""What earlier failures left behind, cleared."""


def ordered(job: JobFields, wanted: Wanted) -> dict[str, object]:
    """What an operator's order changes in a job: it also clears what earlier failures left behind."""
    fresh = job.pid is None
    return {
        **_FORGIVEN,
        "wanted": wanted,
        "generation": job.generation + 1,
        "restarts": 0,
        "active_source": 0 if fresh else job.active_source,
        "next_source": None,
        "pinned": job.pinned and not fresh,
    }


def _utc() -> datetime:
    return datetime.now(UTC)
