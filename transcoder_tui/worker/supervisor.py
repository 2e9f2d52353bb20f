"""All channels of this host: brought up, kept, ordered about and shown."""

import asyncio
import logging
import os
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from transcoder_tui import __version__
from transcoder_tui.errors import HostFault, StoreUnavailable, TranscoderError
from transcoder_tui.ffmpeg.binary import Binary, find_binary
from transcoder_tui.ffmpeg.command import Command, HostFacts, build_command
from transcoder_tui.host import interfaces
from transcoder_tui.host.cpus import online_cpus
from transcoder_tui.host.fonts import find_font
from transcoder_tui.host.sampling import ProcessSampler, SystemSampler
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import Event, EventFields, EventKind, Severity
from transcoder_tui.models.faults import parse
from transcoder_tui.models.history import Series, Span
from transcoder_tui.models.job import Wanted
from transcoder_tui.models.ladder import Ladder, LadderView
from transcoder_tui.models.machine import Machine
from transcoder_tui.models.view import (
    Acknowledgement,
    ChannelDocument,
    ChannelView,
    Delta,
    LogChunk,
    Metrics,
    Order,
    Snapshot,
    SystemSample,
    WorkerView,
)
from transcoder_tui.settings import Settings
from transcoder_tui.store import backup
from transcoder_tui.store.repair import Restored
from transcoder_tui.store.store import Store, StoredChannel
from transcoder_tui.worker import heartbeat, history, ladders, readiness, runfile, views
from transcoder_tui.worker.cgroup import Ceilings
from transcoder_tui.worker.context import Context
from transcoder_tui.worker.disk import Disk
from transcoder_tui.worker.editor import STOP_TIMEOUT_S, Editor, find_run
from transcoder_tui.worker.feed import Feed
from transcoder_tui.worker.gate import Gate
from transcoder_tui.worker.hardware import Hardware
from transcoder_tui.worker.history import Histories
from transcoder_tui.worker.inspector import Inspector
from transcoder_tui.worker.journal import Journal
from transcoder_tui.worker.machine import MachineWatch
from transcoder_tui.worker.oom import OomWatch
from transcoder_tui.worker.orphans import stop_orphans
from transcoder_tui.worker.prober import Prober
from transcoder_tui.worker.process import PROGRESS_FD, boot_id
from transcoder_tui.worker.run import ChannelRun
from transcoder_tui.worker.rundir import RunDir

TICK_S = 1.0
"""How often progress is read and figures are published."""
BREATH_S = 0.02
"""Time for which channels are read in one go before whoever else waits for the event loop has a turn."""
STARTS_PER_CORE = 4
"""Channels in start-up at the same time for each core where no number is set: half of the processor time is left for
the channels that are on air."""
RESUME_S = 10.0
"""Pause before a channel that could not be taken up is tried again."""
FIRST_BACKUP_S = 60.0
"""From the start of a worker to the first copy of its database, where there is none yet."""
RETRY_BACKUP_S = 60.0
"""Pause before the database is copied again after that failed."""
HISTORY = 300
"""Samples of the machine that are kept, a second apart."""
KEEP_EVENTS = 100_000
"""Lines of history that are kept."""
SNAPSHOT_EVENTS = 100
"""Lines of history in a snapshot."""

log = logging.getLogger(__name__)

T = TypeVar("T")


class Supervisor:
    """The worker's heart.

    Args:
        settings: The settings in force.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.store = Store(settings.database, settings.backups)
        self.feed = Feed(self.snapshot)
        self._runs: dict[int, ChannelRun] = {}
        self._binary: Binary | None = None
        self._binary_identity: tuple[int, ...] = ()
        self._hardware = Hardware()
        self._font: Path | None = None
        self._started = time.monotonic()
        self._system = SystemSampler(settings.hls)
        self._processes = ProcessSampler()
        self._history: deque[SystemSample] = deque(maxlen=HISTORY)
        self._histories = Histories()
        self._machine = MachineWatch(settings, self.runs, interfaces.addresses)
        self._rows = views.Rows(settings.retry.attempts)
        self._shown: dict[int, ChannelView] = {}
        self._events: deque[Event] = deque(maxlen=SNAPSHOT_EVENTS)
        self._unpublished: list[Event] = []
        self._ending_orphans: asyncio.Task[None] | None = None
        self._writing: asyncio.Task[None] | None = None
        self.journal = Journal(self.store, self._announce)
        self._context = Context(
            settings=settings,
            store=self.store,
            journal=self.journal,
            gate=Gate(settings.start.at_once or STARTS_PER_CORE * (os.cpu_count() or 1)),
            ceilings=Ceilings.take(settings.run_path),
            oom=OomWatch(),
            disk=Disk(),
            hardware=self._hardware,
            boot_id=boot_id(),
            binary=self.binary,
            host=self.host_facts,
            announce=self._announce,
        )
        self.editor = Editor(self._runs, self._context)
        self.inspector = Inspector(self.runs, self.binary, self.host_facts)

    # Life

    async def open(self) -> None:
        """Opens the database and takes up every channel where the last worker left it, highest priority first.

        Raises:
            StoreUnavailable: Where the database cannot be opened.
        """
        await self.store.open()
        self._events.extend(await self.store.events(SNAPSHOT_EVENTS))
        rebooted = self._booted_since_last()
        restored = self.store.restored is not None
        stored = await self._known_channels(rebooted=rebooted)
        self._histories.load(self.settings.history, _utc())
        self._sample()
        for channel in sorted(stored, key=lambda channel: -channel.spec.priority):
            run = self._runs[channel.id] = ChannelRun(channel, self._context)
            self._resume(run, rebooted=rebooted)
        # It is tried out, which takes a while, and what is on air does not need it.
        try:
            binary = self.binary()
            log.info("ffmpeg %s (%s) from %s", binary.version, binary.path, binary.origin)
        except HostFault as error:
            log.error("%s", error)
        self.store.serve(lambda: [run.stored for run in self.runs()], self._repaired)
        if not restored:
            # After a restore, an FFmpeg that nobody knows may be a channel that nobody remembers.
            self._ending_orphans = asyncio.create_task(stop_orphans(self.settings.run_path, set(self._runs)))
        with suppress(OSError):
            self._boot_file.write_text(self._context.boot_id)
        adopted = sum(run.process is not None for run in self._runs.values())
        message = f"worker {__version__} started; adopted {adopted} of {len(self._runs)} channels"
        log.info(message)
        self._note(message)

    def _resume(self, run: ChannelRun, *, rebooted: bool) -> None:
        try:
            run.resume(rebooted=rebooted)
            run.remember()
        except Exception as error:
            # One channel must not keep the worker from all the others.
            log.exception("channel %s could not be taken up", run.id)
            self._note(f"{run.spec.name} could not be taken up: {error}; tried again", Severity.ERROR)
            asyncio.get_running_loop().call_later(RESUME_S, lambda: self._resume(run, rebooted=rebooted))

    async def _known_channels(self, *, rebooted: bool) -> list[StoredChannel]:
        """The stored channels; after a restore, compared with what the run directory remembers."""
        stored = await self.store.channels()
        if self.store.restored is None:
            return stored
        run_path = self.settings.run_path
        on_air = [channel_id for channel_id, directory in RunDir.all(run_path).items() if directory.is_held()]
        found = runfile.reconcile(stored, runfile.read_all(run_path), same_boot=not rebooted, on_air=on_air)
        with suppress(StoreUnavailable):
            # Where it cannot be written yet, the store asks for the channels once it can.
            await self.store.put(found.channels)
        self.journal.write(None, None, found.events)
        return found.channels

    async def keep(self) -> None:
        """Reads, watches and publishes once a second, for ever."""
        loop = asyncio.get_running_loop()
        beside = [loop.create_task(Prober(self.runs, self._context).keep()), loop.create_task(self._back_up())]
        try:
            due = loop.time()
            while True:
                await self._read()
                self._sample()
                self._note_figures(time.monotonic())
                self._context.oom.look(time.monotonic())
                self._publish(time.monotonic())
                heartbeat.beat()
                # Where the host was paused there is no point in catching up.
                due = max(due + TICK_S, loop.time())
                await asyncio.sleep(due - loop.time())
        finally:
            for task in beside:
                task.cancel()

    async def close(self) -> None:
        """Leaves: every channel stays on air, and the next worker takes it up."""
        if self._ending_orphans is not None:
            self._ending_orphans.cancel()
        for run in self._runs.values():
            run.leave()
        with suppress(OSError):
            await self._context.disk.ask(partial(history.write, self.settings.history, self._histories.packed()))
        self._context.disk.close()
        self._machine.close()
        await self.journal.close()
        await self.store.close()

    async def _back_up(self) -> None:
        """Copies the database at the interval that is set, counted from the last copy, whichever worker made it."""
        failed = ""
        while True:
            await asyncio.sleep(RETRY_BACKUP_S if failed else self._until_backup_s())
            try:
                await self.store.trim_events(KEEP_EVENTS)
                await self.store.backup(self.settings.backup.keep)
                failed = ""
            except StoreUnavailable as error:
                if str(error) != failed:
                    self._note(f"the database could not be copied: {error}", Severity.WARNING)
                failed = str(error)

    def _until_backup_s(self) -> float:
        copies = backup.newest_first(self.settings.backups)
        if not copies:
            return min(FIRST_BACKUP_S, self.settings.backup.every_s)
        age = _utc() - backup.made_at(copies[0])
        # The clock may have been set back since.
        return min(max(0.0, self.settings.backup.every_s - age.total_seconds()), self.settings.backup.every_s)

    def _sample(self) -> None:
        with suppress(OSError):
            self._history.append(self._system.sample())
            self._machine.note(self._system.counters, time.monotonic())
            self._context.links.clear()
            self._context.links.update({nic.name: nic.up for nic in self._history[-1].nics})

    def _note_figures(self, now: float) -> None:
        if not self._histories.is_due(now):
            return
        figures = {run.id: run.figures(now) for run in self._runs.values() if run.process is not None}
        if self._histories.tick(figures, self._runs, now, _utc()):
            self._writing = asyncio.get_running_loop().create_task(self._write_figures())

    async def _write_figures(self) -> None:
        try:
            await self._context.disk.ask(partial(history.write, self.settings.history, self._histories.packed()))
        except OSError as error:
            log.warning("%s cannot be written: %s", self.settings.history, error or "its disk does not answer")

    async def _read(self) -> None:
        live = {run.process.pid: run for run in self._runs.values() if run.process is not None}
        samples = self._processes.sample(live)
        breath = time.monotonic()
        for pid, run in live.items():
            now = time.monotonic()
            if now - breath > BREATH_S:
                await asyncio.sleep(0)
                breath = now = time.monotonic()
            if run.process is None or run.process.pid != pid:
                continue
            try:
                run.poll(now, samples.get(pid))
            except Exception:
                log.exception("channel %s: reading its state failed", run.id)

    @property
    def _boot_file(self) -> Path:
        return self.settings.data_dir / "boot_id"

    def _booted_since_last(self) -> bool:
        try:
            return self._boot_file.read_text().strip() != self._context.boot_id
        except OSError:
            return False

    # What the host gives

    def binary(self) -> Binary:
        """The FFmpeg in use.

        Raises:
            HostFault: Where there is none that can be used.
        """
        if self._binary is None or _identity(self._binary.path) != self._binary_identity:
            self._binary = find_binary(self.settings.ffmpeg.path)
            self._binary_identity = _identity(self._binary.path)
        return self._binary

    def host_facts(self) -> HostFacts:
        """What commands are built from, as of now."""
        self._font = self._font or find_font()
        return HostFacts(
            interfaces=interfaces.addresses(),
            media_roots=self.settings.media,
            hls_root=self.settings.hls,
            progress_fd=PROGRESS_FD,
            cpus=online_cpus(),
            font=self._font,
            taken_at=time.time(),
            tested=self._hardware.tested,
        )

    # Orders

    async def order(self, channel_id: int, verb: str, actor: str) -> Order:
        """Starts, stops or restarts a channel; a stop is answered when FFmpeg has ended.

        Raises:
            NoSuchChannel: Where there is none with this id.
            StoreUnavailable: Where the order could not be committed.
        """
        run = self.run(channel_id)
        wanted = Wanted.STOPPED if verb == "stop" else Wanted.RUNNING
        changed = await run.order(wanted, verb, actor)
        if verb == "stop" and not await run.stopped(STOP_TIMEOUT_S):
            raise TranscoderError(
                f"{run.spec.name} did not end within {STOP_TIMEOUT_S:g} s",
                f"FFmpeg {run.job.pid} hangs in the kernel; look at its disk or network mount",
            )
        return Order(channel=run.spec.name, job=views.job_view(run), changed=changed)

    async def switch(self, channel_id: int, source: int, actor: str) -> Order:
        """Changes a channel to another of its sources, where it stays until that source fails.

        Raises:
            NoSuchChannel: Where there is none with this id.
            InvalidInput: Where it has no such source, or is stopped.
            StoreUnavailable: Where the order could not be committed.
        """
        run = self.run(channel_id)
        changed = await run.switch(source, actor)
        return Order(channel=run.spec.name, job=views.job_view(run), changed=changed)

    async def acknowledge(self, channel_id: int, actor: str) -> Acknowledgement:
        """Notes that somebody has seen the alarms of a channel.

        Raises:
            NoSuchChannel: Where there is none with this id.
        """
        run = self.run(channel_id)
        changed = await run.acknowledge(actor)
        return Acknowledgement(channel=run.spec.name, alarms=run.alarms, changed=changed)

    async def put_ladder(self, name: str, document: dict[str, Any], actor: str) -> LadderView:
        """Stores a ladder of the operator's own, in the place of one of the same name.

        Raises:
            InvalidInput: With a fault for each field that is wrong.
            HostFault: Where the operator's file cannot be written.
        """
        ladder = parse(Ladder, {"name": name, **document})
        stored = await self._ask_disk(partial(ladders.put, self.settings, name, ladder))
        self._audit(f"ladder {ladder.name} stored", actor)
        return stored

    async def delete_ladder(self, name: str, actor: str) -> None:
        """Deletes a ladder of the operator's own.

        Raises:
            InvalidInput: Where the operator has none of this name.
            HostFault: As for :meth:`put_ladder`.
        """
        await self._ask_disk(partial(ladders.delete, self.settings, name))
        self._audit(f"ladder {name} deleted", actor)

    async def _ask_disk(self, work: Callable[[], T]) -> T:
        try:
            return await self._context.disk.ask(work)
        except TimeoutError:
            raise HostFault(
                f"the disk of {self.settings.data_dir} does not answer", "look at the disk and what it is mounted from"
            ) from None

    def _audit(self, message: str, actor: str) -> None:
        self.journal.write(None, None, [EventFields(at=_utc(), kind=EventKind.CONFIG, message=message, actor=actor)])

    # What it shows

    def documents(self) -> list[ChannelDocument]:
        """Every stored channel, by id."""
        return [views.document(run) for run in self.runs()]

    def document(self, channel_id: int) -> ChannelDocument:
        """One stored channel.

        Raises:
            NoSuchChannel: Where there is none with this id.
        """
        return views.document(self.run(channel_id))

    def runs(self) -> list[ChannelRun]:
        """Every channel's run, by id."""
        return [run for _, run in sorted(self._runs.items()) if not run.deleted]

    def run(self, channel_id: int) -> ChannelRun:
        """One channel's run.

        Raises:
            NoSuchChannel: Where there is none with this id.
        """
        return find_run(self._runs, channel_id)

    def command(self, channel_id: int) -> Command:
        """The FFmpeg command of a channel.

        Raises:
            NoSuchChannel: Where there is none with this id.
            TranscoderError: Where it cannot be built on this host at present.
        """
        return self.run(channel_id).command()

    def preview(self, spec: ChannelSpec, channel_id: int | None) -> Command:
        """The FFmpeg command that a document would give.

        Args:
            spec: The document.
            channel_id: The stored channel whose place it takes; None for a new one.

        Raises:
            TranscoderError: Where it cannot be built on this host at present.
        """
        run = self._runs.get(channel_id) if channel_id is not None else None
        source = run.source_index if run is not None and run.source_index < len(spec.sources) else 0
        host = readiness.assumed(self._context.host(), [spec])
        return build_command(spec, self._context.binary(), host, source)

    def log_chunk(self, channel_id: int, lines: int, offset: int | None) -> LogChunk:
        """A part of a channel's log: from an offset on, or the last lines.

        Raises:
            NoSuchChannel: Where there is none with this id.
        """
        channel_log = self.run(channel_id).log
        return channel_log.tail(lines) if offset is None else channel_log.read(offset, lines)

    def history(self, channel_id: int, span: Span) -> Series:
        """How a channel did over the last minutes or the last day.

        Raises:
            NoSuchChannel: Where there is none with this id.
        """
        return self._histories.series(self.run(channel_id).id, span)

    async def machine(self) -> Machine:
        """The machine in depth, as of now."""
        return await self._machine.look()

    def metrics(self) -> Metrics:
        """Figures of the machine, the worker and every channel."""
        return Metrics(worker=self.worker_view(), system=self._history[-1], channels=self._views(time.monotonic()))

    def snapshot(self) -> Snapshot:
        """Everything, as the live stream begins with it."""
        channels = self._views(time.monotonic())
        # So that the next delta says of each of them if it is gone by then.
        self._shown = {**{view.id: view for view in channels}, **self._shown}
        return Snapshot(
            at=_utc(),
            worker=self.worker_view(),
            channels=channels,
            history=list(self._history),
            events=list(self._events),
        )

    def worker_view(self) -> WorkerView:
        """The worker itself."""
        keeper = int(os.environ.get("TRANSCODER_KEEPER_PID", "0"))
        return WorkerView(
            pid=os.getpid(),
            keeper_pid=keeper if keeper and keeper == os.getppid() else None,
            socket=str(self.settings.socket),
            version=__version__,
            uptime_s=round(time.monotonic() - self._started, 1),
            host=socket.gethostname(),
            ffmpeg=str(self._binary.path) if self._binary else "",
            ffmpeg_version=self._binary.version if self._binary else "",
            data_dir=str(self.settings.data_dir),
            database=self.store.fault or self.journal.fault or "ok",
            unsaved_events=self.journal.waiting,
            lost_events=self.journal.lost,
            starting=self._context.gate.waiting,
        )

    def _views(self, now: float) -> list[ChannelView]:
        return self._rows.all(self.runs(), now)

    def _publish(self, now: float) -> None:
        events, self._unpublished = self._unpublished, []
        if not self.feed.is_watched:
            return
        current = {view.id: view for view in self._views(now)}
        changed, figures = views.changes_of(self._shown, current)
        delta = Delta(
            at=_utc(),
            worker=self.worker_view(),
            changed=changed,
            figures=figures,
            removed=[channel_id for channel_id in self._shown if channel_id not in current],
            system=self._history[-1],
            events=events,
        )
        self._shown = current
        self.feed.publish(delta)

    def _announce(self, events: list[Event]) -> None:
        self._events.extend(events)
        self._unpublished.extend(events)
        for event in events:
            level = {Severity.WARNING: logging.WARNING, Severity.ERROR: logging.ERROR}.get(event.severity, logging.INFO)
            log.log(level, "%s: %s (%s)", event.channel or "worker", event.message, event.actor)

    def _note(self, message: str, severity: Severity = Severity.INFO) -> None:
        event = EventFields(at=_utc(), kind=EventKind.WORKER, severity=severity, message=message, actor="worker")
        self.journal.write(None, None, [event])

    def _repaired(self, restored: Restored) -> None:
        if restored.event is not None:
            self._announce([restored.event])


def _identity(file: Path) -> tuple[int, ...]:
    """Tells a file from another that takes its place; empty where there is none."""
    try:
        stat = file.stat()
    except OSError:
        return ()
    return (stat.st_dev, stat.st_ino, stat.st_mtime_ns, stat.st_size)


def _utc() -> datetime:
    return datetime.now(UTC)
