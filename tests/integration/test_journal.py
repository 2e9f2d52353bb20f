"""The journal on real databases: in groups, in order, and never a reason to wait."""

import asyncio
import os
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from datetime import datetime
from pathlib import Path

import pytest
from store_samples import OTHER_NAMESPACE, add_events, channel, event, namespaces_are_allowed

from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.models.event import Event, EventKind, Severity
from transcoder_tui.models.job import JobFields, Wanted
from transcoder_tui.store import engine
from transcoder_tui.store.store import Edit, Entry, Store
from transcoder_tui.worker import journal as module
from transcoder_tui.worker.journal import Journal

TINY_DISK = """
import asyncio, contextlib, os, subprocess, sys
from pathlib import Path
from store_samples import add_events, channel, event
from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.models.job import JobFields
from transcoder_tui.store.store import Edit, Store
from transcoder_tui.worker import journal as module
from transcoder_tui.worker.journal import Journal

disk = Path(sys.argv[1])
module.RETRY_S = 0.1

def mount(*arguments):
    subprocess.run(["mount", *arguments, disk], check=True)

def break_disk(kind):
    if kind == "full":
        with contextlib.suppress(OSError), open(disk / "filler", "ab", buffering=0) as filler:
            while True:
                filler.write(bytes(4096))
    else:
        mount("-o", "remount,ro")

def mend_disk(kind):
    (disk / "filler").unlink() if kind == "full" else mount("-o", "remount,rw")

async def outage(kind, words):
    store = Store(disk / "transcoder.db")
    if kind == "full":
        await store.open()
    break_disk(kind)
    announced = []
    journal = Journal(store, announced.extend)
    number = 0
    while not journal.fault:
        number += 1
        await journal.write(1, JobFields(generation=number), [event(f"{kind} {number}")])
    assert words in journal.fault, journal.fault
    try:
        await journal.order(1, JobFields(generation=1000), [event("ordered")])
    except StoreUnavailable as error:
        assert words in str(error), error
    else:
        raise AssertionError("was not refused")
    await journal.write(1, JobFields(generation=number + 1), [event(f"{kind} {number + 1}")])
    assert journal.waiting >= 2
    mend_disk(kind)
    while journal.fault:
        await asyncio.sleep(0.02)
    [stored] = await store.channels()
    assert stored.job.generation == number + 1
    messages = [entry.message for entry in await store.events(1000)]
    messages = messages[messages.index(f"{kind} 1"):]
    assert messages[:-1] == [f"{kind} {n + 1}" for n in range(number + 1)], messages
    assert "could not be written" in messages[-1] and words in messages[-1], messages
    assert [entry.message for entry in announced] == messages
    await journal.close()
    await store.close()

async def main():
    mount("-t", "tmpfs", "-o", "size=4m", "tmpfs")
    store = Store(disk / "transcoder.db")
    await store.edit([Edit(None, channel("One"))])
    await store.close()
    await outage("full", "the disk is full")
    await outage("read-only", "is read-only")

asyncio.run(main())
"""


class Spy(Store):
    """A store that tells how many entries each transaction had, and can be held up."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.groups: list[int] = []
        self.goes_on = asyncio.Event()
        self.goes_on.set()

    async def save(self, entries: Sequence[Entry]) -> list[Event]:
        self.groups.append(len(entries))
        await self.goes_on.wait()
        return await super().save(entries)


@pytest.fixture(autouse=True)
def _hasty(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.05)
    monkeypatch.setattr(module, "RETRY_S", 0.1)


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Spy]:
    store = Spy(tmp_path / "transcoder.db")
    await store.edit([Edit(None, channel(f"Channel {number}")) for number in range(1, 4)])
    yield store
    await store.close()


@pytest.fixture
def announced() -> list[Event]:
    return []


@pytest.fixture
async def journal(store: Spy, announced: list[Event]) -> AsyncIterator[Journal]:
    journal = Journal(store, announced.extend)
    yield journal
    await journal.close()


@contextmanager
def locked(store: Store) -> Iterator[None]:
    """Another program holds the database."""
    with closing(sqlite3.connect(store.path, isolation_level=None)) as intruder:
        intruder.execute("BEGIN IMMEDIATE")
        yield
        intruder.rollback()


async def until(check: Callable[[], bool]) -> None:
    async with asyncio.timeout(30):
        while not check():  # noqa: ASYNC110 - what is waited for tells nobody
            await asyncio.sleep(0.01)


async def messages(store: Store) -> list[str]:
    return [entry.message for entry in await store.events(20_000)]


async def generations(store: Store) -> list[int]:
    return [stored.job.generation for stored in await store.channels()]


async def test_what_is_written_is_stored_and_announced_with_its_ids(
    store: Spy, journal: Journal, announced: list[Event]
) -> None:
    await journal.write(2, JobFields(generation=5), [event("two", channel_id=2)])
    await journal.write(None, None, [event("worker")])
    assert await generations(store) == [0, 5, 0]
    assert await store.events(10) == announced
    assert [entry.message for entry in announced] == ["two", "worker"]
    assert (journal.waiting, journal.lost, journal.fault) == (0, 0, "")


async def test_300_channels_that_change_at_once_cost_one_commit(store: Spy, journal: Journal) -> None:
    written = [journal.write(1 + n % 3, JobFields(generation=n), [event(str(n))]) for n in range(300)]
    await asyncio.gather(*written)
    assert store.groups == [300]
    assert await generations(store) == [297, 298, 299]
    assert await messages(store) == [str(n) for n in range(300)]


async def test_what_comes_while_a_commit_is_under_way_goes_into_the_next_one(store: Spy, journal: Journal) -> None:
    store.goes_on.clear()
    first = journal.write(1, None, [event("0")])
    await until(lambda: store.groups == [1])
    later = [journal.write(1, None, [event(str(n))]) for n in range(1, 50)]
    ordered = asyncio.create_task(journal.order(1, JobFields(generation=1), [event("50")]))
    await asyncio.sleep(0)
    last = journal.write(1, JobFields(generation=2), [event("51")])
    store.goes_on.set()
    await asyncio.gather(first, *later, ordered, last)
    assert store.groups == [1, 51]
    assert (await generations(store))[0] == 2
    assert await messages(store) == [str(n) for n in range(52)]


async def test_an_order_is_committed_when_it_returns(store: Spy, journal: Journal, announced: list[Event]) -> None:
    await journal.order(1, JobFields(wanted=Wanted.RUNNING, generation=1), [event("start ordered")])
    assert [entry.message for entry in announced] == ["start ordered"]
    with closing(sqlite3.connect(store.path)) as reader:
        assert reader.execute("SELECT wanted FROM job WHERE channel_id = 1").fetchone() == ("running",)


async def test_an_order_that_cannot_be_committed_is_refused_and_forgotten(store: Spy, journal: Journal) -> None:
    with locked(store), pytest.raises(StoreUnavailable, match="another program holds the database"):
        await journal.order(1, JobFields(generation=9), [event("ordered")])
    await journal.order(2, JobFields(generation=1), [event("another")])
    assert await generations(store) == [0, 1, 0]
    assert "ordered" not in await messages(store)


async def test_runs_do_not_wait_for_a_database_that_does_not_work_and_nothing_is_lost(
    store: Spy, journal: Journal, announced: list[Event]
) -> None:
    with locked(store):
        for number in range(100):
            await journal.write(1 + number % 2, JobFields(generation=number), [event(f"event {number}")])
        assert (journal.waiting, journal.lost, announced) == (100, 0, [])
        assert "another program" in journal.fault
    await until(lambda: not journal.fault)
    assert await generations(store) == [98, 99, 0]
    *stored, last = await store.events(1000)
    assert [entry.message for entry in stored] == [f"event {n}" for n in range(100)]
    assert {entry.at for entry in stored} == {event("").at}, "not the time at which it happened"
    assert "the database could not be written for" in last.message
    assert "another program holds the database" in last.message
    assert "lost" not in last.message
    assert (last.kind, last.severity) == (EventKind.WORKER, Severity.WARNING)
    assert [entry.id for entry in announced] == [entry.id for entry in [*stored, last]]


async def test_the_database_is_tried_again_though_nothing_waits(store: Spy, journal: Journal) -> None:
    with locked(store), pytest.raises(StoreUnavailable):
        await journal.order(1, JobFields(generation=9), [])
    await until(lambda: not journal.fault)
    [told] = await messages(store)
    assert "could not be written" in told


async def test_an_order_tries_at_once_and_takes_along_what_waits(
    store: Spy, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "RETRY_S", 3600.0)
    with locked(store):
        await journal.write(1, JobFields(generation=4), [event("waits")])
    await journal.order(2, JobFields(generation=5), [event("ordered")])
    assert await generations(store) == [4, 5, 0]
    assert (await messages(store))[:2] == ["waits", "ordered"]
    assert journal.fault == ""


async def test_an_order_that_fails_leaves_the_job_that_waits_for_its_channel(store: Spy, journal: Journal) -> None:
    with locked(store):
        await journal.write(1, JobFields(generation=4), [event("before")])
        with pytest.raises(StoreUnavailable):
            await journal.order(1, JobFields(generation=5), [event("ordered")])
        with pytest.raises(StoreUnavailable):
            await journal.order(1, JobFields(generation=6), [event("ordered")])
    await until(lambda: not journal.fault)
    assert (await generations(store))[0] == 4
    assert (await messages(store))[:-1] == ["before"]


async def test_memory_holds_the_latest_events_and_the_last_job_of_each_channel(
    store: Spy, journal: Journal, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MAX_EVENTS", 50)
    with locked(store):
        await journal.write(3, JobFields(generation=7), [event("-1")])
        for number in range(1000):
            await journal.write(1 + number % 2, JobFields(generation=number), [event(str(number))])
        assert journal.waiting <= 110
        assert journal.lost + journal.waiting == 1001
        lost, held = journal.lost, journal.waiting
    await until(lambda: not journal.fault)
    assert await generations(store) == [998, 999, 7]
    *stored, last = await messages(store)
    assert stored == [str(n) for n in range(1000 - len(stored), 1000)]
    assert 50 <= len(stored) <= held
    assert lost <= 1001 - len(stored)
    assert f"; {1001 - len(stored)} events were lost" in last
    assert journal.lost == 0


async def test_a_disk_that_does_not_answer_keeps_nobody_waiting(store: Spy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 60.0)
    monkeypatch.setattr(module, "PATIENCE_S", 0.05)
    await store.close()
    slow = Spy(store.path)
    await slow.open()
    patient = Journal(slow, lambda _: None)
    with locked(slow):
        await patient.write(1, JobFields(generation=1), [event("first")])
        assert "does not answer" in patient.fault
        await patient.write(1, JobFields(generation=2), [event("second")])
        ordered = asyncio.create_task(patient.order(1, JobFields(generation=3), [event("ordered")]))
        await asyncio.sleep(0.1)
        assert not ordered.done()
    await ordered
    await until(lambda: not patient.fault)
    assert (await slow.channels())[0].job.generation == 3
    assert await messages(slow) == ["first", "second", "ordered"]
    await patient.close()
    await slow.close()


async def test_one_entry_that_the_database_does_not_take_keeps_no_other_one_out(store: Spy, journal: Journal) -> None:
    bad = event("bad").model_copy(update={"at": datetime(2026, 3, 1)})
    written = [journal.write(1, JobFields(generation=n), [bad if n == 13 else event(str(n))]) for n in range(30)]
    await asyncio.gather(*written)
    assert await messages(store) == [str(n) for n in range(30) if n != 13]
    assert (await generations(store))[0] == 29
    assert journal.fault == ""


async def test_closing_writes_what_is_left(store: Spy) -> None:
    journal = Journal(store, lambda _: None)
    for number in range(10):
        journal.write(1, JobFields(generation=number), [event(str(number))])
    await journal.close()
    assert await messages(store) == [str(n) for n in range(10)]


async def test_closing_gives_up_where_the_database_still_does_not_work(
    store: Spy, caplog: pytest.LogCaptureFixture
) -> None:
    journal = Journal(store, lambda _: None)
    with locked(store):
        await journal.write(1, JobFields(generation=1), [event("lost")])
        await journal.close()
    assert "1 events and the jobs of 1 channels not stored" in caplog.text
    assert await messages(store) == []


async def test_a_run_that_is_cancelled_while_it_waits_harms_nothing(store: Spy, journal: Journal) -> None:
    async def run() -> None:
        await journal.write(1, JobFields(generation=1), [event("written")])

    async def order() -> None:
        await journal.order(2, JobFields(generation=2), [event("ordered")])

    tasks = [asyncio.create_task(run()), asyncio.create_task(order())]
    await asyncio.sleep(0)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    await journal.close()
    assert await messages(store) == ["written", "ordered"]


async def test_damage_is_repaired_under_the_journal_and_the_channels_come_back(store: Spy, journal: Journal) -> None:
    await store.backup(48)
    channels = [stored for stored in await store.channels() if stored.id != 2]
    store.serve(lambda: channels, lambda _: None)
    subprocess.run(["truncate", "--size", "4096", store.path], check=True)  # noqa: ASYNC221
    await add_events(store, [event("x" * 500) for _ in range(200)])
    await journal.order(3, JobFields(generation=6), [event("ordered")])
    assert [(stored.id, stored.job.generation) for stored in await store.channels()] == [(1, 0), (3, 6)]


def test_a_full_and_a_read_only_disk_lose_nothing(tmp_path: Path) -> None:
    if not namespaces_are_allowed():
        pytest.skip("needs a mount namespace of its own to mount a tiny disk in")
    disk = tmp_path / "disk"
    disk.mkdir()
    run = subprocess.run(
        [*OTHER_NAMESPACE, sys.executable, "-c", TINY_DISK, disk],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(Path(__file__).parent)},
    )
    assert run.returncode == 0, run.stderr
