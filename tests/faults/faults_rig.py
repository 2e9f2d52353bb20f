"""What every test of a fault uses: a whole worker, watched from outside, and the ten invariants asserted at the end.

I1 no acknowledged order is lost. I2 never two FFmpegs of a channel. I3 no FFmpeg that no channel owns. I4 what is, is
as wanted. I5 the other channels have the same pid and no gap. I6 logs stay below their cap. I7 the database is sound.
I8 no zombie, descriptor or thread is left. I9 each order is in the history. I10 the true reason was shown.
"""

import asyncio
import os
import re
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NoReturn

import procfs
from fake_ffmpeg import control, fake_ffmpeg
from outside import Outside
from worker_rig import channel, installation, is_running, processes_of

from transcoder_tui.client.background import ensure_worker
from transcoder_tui.client.client import Verb, WorkerClient
from transcoder_tui.errors import NoWorker, TranscoderError
from transcoder_tui.models.event import Event, EventKind
from transcoder_tui.models.job import Status, Wanted
from transcoder_tui.models.view import ChannelView, WorkerView
from transcoder_tui.settings import Settings

FAKE_PERIOD_S = 0.2
"""The fake's progress blocks: how finely an outage is measured from outside."""
FAKE = {"first_block_s": 0.1, "period_s": FAKE_PERIOD_S, "look_s": FAKE_PERIOD_S}
"""How the fake behaves unless a test says otherwise."""
REAL_PERIOD_S = 1.0
"""FFmpeg's own."""
NO_GAP_S = 1.5
"""What counts as none of a bystander: one late block on a machine that has its hands full."""
AS_WANTED_S = 20.0
"""Time in which what is must be as wanted once the fault is over."""
ASK_S = 0.1
"""Seconds between two questions to a worker, which takes some milliseconds to answer each."""
OVERSHOOT = 1_500_000
"""Bytes by which a log may be above its cap between two looks of the worker at it."""
NOTHING = "(nothing, and no false alarm)"
"""What is shown of a fault that touches no channel."""
SPOOL = 40_000_000
"""Bytes that FFmpeg's own stderr may have between two looks: two and a half seconds of 150,000 lines a second."""
INVARIANTS = tuple(f"I{number}" for number in range(1, 11))


@dataclass(frozen=True)
class OnAir:
    """A channel that went on air before the fault."""

    id: int
    name: str
    pid: int


@dataclass
class Row:
    """One line of the table."""

    number: int
    name: str
    outage_s: float | None = None
    finer_than_s: float = 0.0
    """Seconds below which an outage of another FFmpeg could not be told from none."""
    pid: str = "-"
    reason: str = ""
    broken: list[str] = field(default_factory=list)
    """The invariants that do not hold."""


Faulty = Callable[..., AbstractAsyncContextManager["Rig"]]
"""Makes the rig of one fault: the fixture ``fault``."""
NotHere = Callable[[int, str, str], NoReturn]
"""Skips a fault that cannot be made on this machine: the fixture ``not_here``."""


class Rig:
    """A whole worker with channels on air, one of which is going to be the victim.

    Args:
        settings: Of its installation.
        row: What the table will say.
        fake: The fake FFmpeg, or None where the real one runs.
        under: What keeper and worker are started with, such as ``nsenter``.
        failpoints: The file that arms the failpoints of the worker that reads it.
    """

    def __init__(self, settings: Settings, row: Row, fake: Path | None, under: Sequence[str], failpoints: Path) -> None:
        self.settings = settings
        self.row = row
        self.client = WorkerClient(settings.socket)
        self.outside = Outside(settings, FAKE_PERIOD_S if fake else REAL_PERIOD_S)
        self.excused: set[str] = set()
        """Names of channels that the fault is allowed to touch, beside the victims."""
        self.reason = ""
        """What the operator must have been shown (regular expression)."""
        self.seen: list[str] = []
        """What the operator was shown: messages and alarms of channels, events."""
        self.complaints: dict[str, list[str]] = {}
        """By the name of each channel, what was said to be the matter with it since the fault."""
        self.worker_pid = 0
        self.keeper_pid = 0
        self._fake = fake
        self._under = under
        self._failpoints = failpoints
        self._victims: dict[int, OnAir] = {}
        self._bystanders: dict[int, OnAir] = {}
        self._wanted: dict[int, Wanted | None] = {}
        """What was acknowledged of each channel; None where an order was made and not acknowledged."""
        self._uncertain: set[str] = set()
        """Names of channels whose creation or deletion was not acknowledged."""
        self._orders: list[tuple[int, str]] = []
        self._edits: list[tuple[str, str]] = []
        self._outage_s: float | None = None
        self._size: tuple[int, int] = (0, 0)
        self._struck_at = datetime.now(UTC)
        self._following: asyncio.Task[None] | None = None

    # Life

    async def begin(self, bystanders: int) -> None:
        """Starts everything, and waits until the bystanders are on air."""
        await self.start_worker()
        self.outside.start()
        self._following = asyncio.create_task(self._follow())
        if self._fake is not None:
            self.control(None)
        created = [await self.create(f"Bystander {number + 1}") for number in range(bystanders)]
        for channel_id in created:
            self._bystanders[channel_id] = await self._went_on_air(channel_id)

    async def end(self) -> None:
        """Ends what :meth:`begin` began; the installation ends the rest."""
        self.outside.stop()
        if self._following is not None:
            self._following.cancel()
        await self.client.close()

    async def start_worker(self) -> None:
        """Starts keeper and worker, unless they run."""
        if self._under:
            await asyncio.to_thread(
                subprocess.run,
                [*self._under, sys.executable, "-m", "transcoder_tui", "worker", "start"],
                check=True,
                capture_output=True,
            )
        else:
            await asyncio.to_thread(ensure_worker, self.settings)
        await self.look()

    async def look(self) -> WorkerView:
        """Learns who worker and keeper are by now."""
        view = await self.client.worker()
        self.worker_pid, self.keeper_pid = view.pid, view.keeper_pid or self.keeper_pid
        return view

    async def until_worker(self, check: Callable[[WorkerView], object], timeout_s: float = 30.0) -> WorkerView:
        """Waits until a worker answers and is as a check wants it."""
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            with suppress(TranscoderError):
                if check(view := await self.look()):
                    return view
            await asyncio.sleep(ASK_S)
        raise AssertionError(f"no such worker within {timeout_s:g} s; it logged: {self.worker_log()}")

    # Channels and orders

    async def on_air(self, name: str = "Victim", **changes: Any) -> OnAir:
        """Creates a channel and waits until it is on air; it counts as a victim."""
        return (await self.all_on_air([name], **changes))[0]

    async def all_on_air(self, names: Sequence[str], **changes: Any) -> list[OnAir]:
        """The same for several at once."""
        created = [await self.create(name, **changes) for name in names]
        for channel_id in created:
            self._victims[channel_id] = await self._went_on_air(channel_id)
        return [self._victims[channel_id] for channel_id in created]

    async def _went_on_air(self, channel_id: int) -> OnAir:
        view = await self.until(channel_id, is_running, timeout_s=60)
        assert view.pid is not None
        return OnAir(channel_id, view.name, view.pid)

    async def create(self, name: str, **changes: Any) -> int:
        """Creates a channel, which is an acknowledged order from then on."""
        try:
            created = await self.client.create(channel(name, **changes))
        except TranscoderError:
            self._uncertain.add(name)
            raise
        self._wanted[created.id] = Wanted.RUNNING if changes.get("autostart", True) else Wanted.STOPPED
        self._edits.append((name, "created"))
        return created.id

    async def delete(self, victim: OnAir) -> None:
        """Deletes a channel."""
        self._uncertain.add(victim.name)
        self._wanted.pop(victim.id)
        self._victims.pop(victim.id, None)
        await self.client.delete(victim.id)
        self._uncertain.discard(victim.name)
        self._edits.append((victim.name, "deleted"))

    async def order(self, channel_id: int, verb: Verb) -> None:
        """Orders something; only what was acknowledged must be kept, but what was not may have been committed."""
        wanted = Wanted.STOPPED if verb == "stop" else Wanted.RUNNING
        if self._wanted.get(channel_id) != wanted:
            self._wanted[channel_id] = None
        answer = await self.client.order(channel_id, verb)
        self._wanted[channel_id] = wanted
        if answer.changed:
            self._orders.append((channel_id, verb))

    def acknowledged(self, channel_id: int, verb: Verb) -> None:
        """Takes down an order that a test gave by itself; what is wanted is not known before the next one."""
        self._wanted[channel_id] = None
        self._orders.append((channel_id, verb))

    def adopt_order(self, channel_id: int, verb: Verb) -> None:
        """Takes down what is wanted of a channel that a test created by itself."""
        self._wanted[channel_id] = Wanted.STOPPED if verb == "stop" else Wanted.RUNNING

    def forget_uncertain(self, name: str) -> None:
        """A channel that was refused must not be there."""
        self._uncertain.discard(name)

    def control(self, channel_name: str | None, **behaviour: Any) -> None:
        """Tells the fake of a channel how to behave; it keeps to the period of its progress."""
        assert self._fake is not None, "this test runs the real FFmpeg"
        control(self._fake, channel_name, **{**FAKE, **behaviour})

    @property
    def binary(self) -> Path:
        """The fake FFmpeg."""
        assert self._fake is not None, "this test runs the real FFmpeg"
        return self._fake

    def arm(self, failpoints: str) -> None:
        """Arms failpoints of the worker that runs, or of the next one that passes one: once."""
        unfinished = self._failpoints.with_suffix(".unfinished")
        unfinished.write_text(failpoints)
        unfinished.replace(self._failpoints)

    @property
    def is_armed(self) -> bool:
        """Whether nobody has passed a failpoint since :meth:`arm`."""
        return self._failpoints.exists()

    async def view(self, channel_id: int) -> ChannelView | None:
        """The channel as the console shows it; None while no worker answers."""
        try:
            rows = (await self.client.metrics()).channels
        except TranscoderError:
            return None
        return next((row for row in rows if row.id == channel_id), None)

    async def until(
        self, channel_id: int, check: Callable[[ChannelView], bool], timeout_s: float = 30.0
    ) -> ChannelView:
        """Waits until a channel is as a check wants it, whatever becomes of the worker meanwhile."""
        deadline = time.monotonic() + timeout_s
        last: ChannelView | None = None
        while time.monotonic() < deadline:
            last = await self.view(channel_id) or last
            if last is not None and check(last):
                return last
            await asyncio.sleep(ASK_S)
        raise AssertionError(f"not within {timeout_s:g} s; last seen: {last}; the worker logged: {self.worker_log()}")

    async def back(self, victim: OnAir, timeout_s: float = 30.0) -> ChannelView:
        """Waits until a victim is on air with another FFmpeg than at first."""
        return await self.until(victim.id, lambda row: is_running(row) and row.pid != victim.pid, timeout_s)

    async def shown(self, pattern: str, timeout_s: float = 15.0) -> str:
        """Waits until the operator is shown something (regular expression), which is then the reason of the fault."""
        self.reason = pattern
        deadline = time.monotonic() + timeout_s
        while time.monotonic() < deadline:
            found = next((text for text in self.seen if re.search(pattern, text)), None)
            if found is not None:
                return found
            await asyncio.sleep(0.05)
        raise AssertionError(f"never shown: {pattern!r}; but {self.seen[-15:]}")

    # Worker and keeper

    def kill_worker(self) -> int:
        """Kills the worker; its pid."""
        os.kill(self.worker_pid, signal.SIGKILL)
        return self.worker_pid

    async def another_worker(self, timeout_s: float = 30.0) -> WorkerView:
        """Waits for a worker other than the last one that was looked at."""
        before = self.worker_pid
        return await self.until_worker(lambda view: view.pid != before, timeout_s)

    def worker_log(self) -> str:
        """The end of what keeper and worker logged."""
        ends = []
        for log in (self.settings.data_dir / "logs" / "keeper.log", self.settings.worker_log):
            with suppress(OSError):
                ends.append(log.read_text(errors="replace")[-2000:])
        return "\n".join(ends)

    # The fault and what must be true after it

    def strike(self) -> None:
        """Call it right before the fault: what was before does not count, and what is left after is compared to it."""
        self.outside.mark()
        self.complaints.clear()
        self.seen.clear()
        self._struck_at = datetime.now(UTC)
        self._size = self._sizes()

    def nothing_to_show(self) -> None:
        """The fault must not be visible to an operator at all: any alarm would be a false one."""
        self.reason = NOTHING

    def nothing_to_show_of(self, name: str) -> None:
        """The same of one channel, and of those that no fault was made in."""
        self.reason = NOTHING
        self.excused |= self.complaints.keys() - {name}

    def forgive_history(self) -> None:
        """The fault took the history, and nobody can bring it back: what was ordered before it is not asked for."""
        self._orders.clear()
        self._edits.clear()

    def outage(self, seconds: float) -> None:
        """Gives the outage as a test measured it itself, on the output."""
        self._outage_s = seconds

    async def verify(self) -> None:
        """Asserts all ten invariants and fills in the table's row."""
        broken: dict[str, str] = {}
        checks = {
            "I4": self._as_wanted,
            "I1": self._orders_kept,
            "I2": self._never_two,
            "I3": self._all_owned,
            "I5": self._others_untouched,
            "I6": self._logs_capped,
            "I7": self._database_sound,
            "I8": self._nothing_left,
            "I9": self._history_complete,
            "I10": self._reason_shown,
        }
        for name, check in checks.items():
            with suppress(NoWorker):
                await self.look()
            wrong = await _last_word(check, AS_WANTED_S)
            if wrong:
                broken[name] = wrong
        self._fill_row(broken)
        assert not broken, "\n".join([f"{name}: {broken[name]}" for name in sorted(broken)] + [self.worker_log()])

    def _fill_row(self, broken: dict[str, str]) -> None:
        self.row.broken = sorted(broken, key=INVARIANTS.index)
        found = (text for text in self.seen if self.reason and re.search(self.reason, text))
        self.row.reason = self.reason if self.reason == NOTHING else next(found, self.row.reason)
        victims = [victim for victim in self._victims.values() if self._wanted.get(victim.id) != Wanted.STOPPED]
        measured = self._outage_s is not None
        if not measured and victims:
            self._outage_s = max(self.outside.outage_s(victim.id) for victim in victims)
        self.row.outage_s = self._outage_s
        if victims:
            self.row.finer_than_s = 0.0 if measured else self.outside.period_s
            kept = [self.outside.holders().get(victim.id) == [victim.pid] for victim in victims]
            self.row.pid = "kept" if all(kept) else "new" if not any(kept) else f"{sum(kept)} of {len(kept)} kept"

    async def _as_wanted(self) -> str:
        holders = self.outside.holders()
        for view in (await self.client.metrics()).channels:
            pids = holders.get(view.id, [])
            if view.wanted == Wanted.RUNNING:
                if view.status != Status.RUNNING or view.pid is None or pids != [view.pid]:
                    return f"{view.name} is {view.status} with {view.pid} ({pids}): {view.message}"
                if self.outside.quiet_s(view.id) > self.outside.period_s * 2 + NO_GAP_S:
                    return f"{view.name} says that it runs, but nothing comes out of it"
            elif view.status != Status.STOPPED or pids:
                return f"{view.name} should be stopped but is {view.status} ({pids})"
        return ""

    async def _orders_kept(self) -> str:
        jobs = {job.id: job for job in await self.client.jobs()}
        wrong = [
            f"{channel_id}: {wanted or 'a channel'} was acknowledged, {job.wanted if job else 'none'} is stored"
            for channel_id, wanted in self._wanted.items()
            if (job := jobs.get(channel_id)) is None or wanted not in (None, job.wanted)
        ]
        unknown = {job.channel for job in jobs.values() if job.id not in self._wanted} - self._uncertain
        return "; ".join([*wrong, *(f"nobody created {name}" for name in unknown)])

    async def _never_two(self) -> str:
        return "; ".join(f"channel {channel_id} had {pids}" for channel_id, pids in self.outside.doubles)

    async def _all_owned(self) -> str:
        owned = {view.pid for view in (await self.client.metrics()).channels}
        return ", ".join(f"{pid} belongs to nobody" for pid in sorted(self.outside.ours() - owned))

    async def _others_untouched(self) -> str:
        wrong = []
        for bystander in self._bystanders.values():
            if bystander.name in self.excused:
                continue
            pids = self.outside.holders().get(bystander.id)
            if pids != [bystander.pid]:
                wrong.append(f"{bystander.name} had pid {bystander.pid}, has {pids}")
            if self.outside.outage_s(bystander.id) > NO_GAP_S:
                wrong.append(f"{bystander.name} was quiet for {self.outside.outage_s(bystander.id):.1f} s")
        return "; ".join(wrong)

    async def _logs_capped(self) -> str:
        limits = {".log": self.settings.log.max_bytes + OVERSHOOT, ".stderr": SPOOL}
        return "; ".join(
            f"{name} had {size} bytes"
            for name, size in self.outside.log_sizes.items()
            if size > limits.get(Path(name).suffix, OVERSHOOT)
        )

    async def _database_sound(self) -> str:
        with sqlite3.connect(f"file:{self.settings.database}?mode=ro", uri=True, timeout=10) as database:
            [(answer, *_), *_] = database.execute("PRAGMA quick_check").fetchall()
        database.close()
        return "" if answer == "ok" else str(answer)

    async def _nothing_left(self) -> str:
        wrong = []
        for pid in (self.worker_pid, self.keeper_pid):
            wrong += [f"{child} is a zombie of {pid}" for child in procfs.children(pid) if procfs.state(child) == "Z"]
        files, threads = self._sizes()
        before_files, before_threads = self._size
        room = 2 * max(0, len(self._wanted) - len(self._victims) - len(self._bystanders)) + 4
        if files > before_files + room:
            wrong.append(f"{before_files} descriptors became {files}")
        if threads > before_threads + 2:
            wrong.append(f"{before_threads} threads became {threads}")
        return "; ".join(wrong)

    def _sizes(self) -> tuple[int, int]:
        pids = (self.worker_pid, self.keeper_pid)
        return sum(map(procfs.descriptors, pids)), sum(map(procfs.threads, pids))

    async def _history_complete(self) -> str:
        ids = {channel_id for channel_id, _ in self._orders} | self._bystanders.keys() | self._victims.keys()
        asked = [None, *sorted(ids)]
        events = [event for channel_id in asked for event in await self.client.events(1000, channel_id)]
        events = list({event.id: event for event in events}.values())
        return "; ".join([*self._missing_orders(events), *self._missing_edits(events)])

    def _missing_orders(self, events: list[Event]) -> list[str]:
        written = [(event.channel_id, event.message.split()[0]) for event in events if event.kind == EventKind.ORDER]
        return [
            f"{verb} of channel {channel_id} was acknowledged {self._orders.count((channel_id, verb))} times"
            for channel_id, verb in dict.fromkeys(self._orders)
            if written.count((channel_id, verb)) < self._orders.count((channel_id, verb))
        ]

    def _missing_edits(self, events: list[Event]) -> list[str]:
        written = {(event.channel, event.message) for event in events if event.kind == EventKind.CONFIG}
        return [f"{name} was {what}, and no event says so" for name, what in self._edits if (name, what) not in written]

    async def _reason_shown(self) -> str:
        assert self.reason, "every test says what must have been shown"
        others = {on_air.name for on_air in self._bystanders.values()}
        told = {name: said for name, said in self.complaints.items() if name not in self.excused}
        false = {name: said for name, said in told.items() if name in others or self.reason == NOTHING}
        if false:
            return f"nothing was the matter, but {false}"
        if self.reason == NOTHING or any(re.search(self.reason, text) for text in self.seen):
            return ""
        return f"never shown: {self.reason!r}; but {self.seen[-12:]}"

    async def _follow(self) -> None:
        """Looks over the operator's shoulder, also across the worker's death."""
        async with WorkerClient(self.settings.socket) as client:
            while True:
                with suppress(TranscoderError):
                    async for message in client.stream():
                        rows = message.channels if message.type == "snapshot" else message.changed
                        for row in rows:
                            self._see(row)
                        for event in message.events:
                            # A snapshot begins with what was before, too.
                            if event.at >= self._struck_at:
                                self.note(f"{event.channel}: {event.message}".removeprefix(": "))
                await asyncio.sleep(0.05)

    def _see(self, row: ChannelView) -> None:
        said = [row.message, *(alarm.message for alarm in getattr(row, "alarms", []))]
        for text in filter(None, said):
            self.complaints.setdefault(row.name, [])
            if text not in self.complaints[row.name]:
                self.complaints[row.name].append(text)
            self.note(f"{row.name}: {text}")

    def note(self, text: str) -> None:
        """Takes down what an operator was shown, in the log for one."""
        if text not in self.seen:
            self.seen.append(text)


async def come_true(check: Callable[[], object], what: str, timeout_s: float = 20.0) -> None:
    """Waits until a check holds."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        if check():
            return
        await asyncio.sleep(0.02)
    raise AssertionError(f"not within {timeout_s:g} s: {what}")


async def all_gone(*pids: int) -> None:
    """Waits for the end of processes."""
    await come_true(lambda: not any(map(procfs.is_alive, pids)), f"the end of {pids}")


async def _last_word(check: Callable[[], Any], timeout_s: float) -> str:
    """What is wrong in the end: nothing as soon as a check holds, which it may take its time for."""
    deadline = time.monotonic() + timeout_s
    while True:
        try:
            wrong: str = await check()
        except (TranscoderError, sqlite3.Error) as error:
            wrong = f"{type(error).__name__}: {error}"
        if not wrong or time.monotonic() > deadline:
            return wrong
        await asyncio.sleep(0.1)


@asynccontextmanager
async def rig(
    row: Row, home: Path, *, real: bool, bystanders: int, under: Sequence[str], settings: dict[str, str]
) -> AsyncIterator[Rig]:
    """A worker with bystanders on air; asserts the invariants when the body is through."""
    fake = None if real else fake_ffmpeg(home / "fake")
    failpoints = home / "failpoints"
    defaults = {
        "FAILPOINTS": f"@{failpoints}",
        "WATCHDOG__QUIET_S": "2",
        **({"FFMPEG__PATH": str(fake)} if fake else {}),
    }
    with installation(**{**defaults, **settings}) as loaded:
        made = Rig(loaded, row, fake, under, failpoints)
        try:
            await made.begin(bystanders)
            yield made
            await made.verify()
        finally:
            await made.end()
            end_everything(loaded)


def end_everything(settings: Settings) -> None:
    """Kills what an installation left running, keepers first; they and workers start each other again."""
    outside = Outside(settings, REAL_PERIOD_S)
    for _ in range(20):
        pids = [*sorted(processes_of(settings)), *outside.ours()]
        if not pids:
            return
        for pid in pids:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
