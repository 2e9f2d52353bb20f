"""What befalls databases: killed writers, full and read-only disks, locks, damage. All of it real."""

import asyncio
import os
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from store_samples import OTHER_NAMESPACE, add_events, channel, event, namespaces_are_allowed

from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.store import engine
from transcoder_tui.store.store import Edit, Store

WRITER = """
import asyncio, sys
from pathlib import Path
from store_samples import add_events, channel, event, save_job
from transcoder_tui.models.job import JobFields
from transcoder_tui.store.store import Edit, Store

async def main():
    store = Store(Path(sys.argv[1]))
    number = 0
    while True:
        number += 1
        [stored], _ = await store.edit([Edit(None, channel(f"Channel {number}"))], [event(f"created {number}")])
        await save_job(store, stored.id, JobFields(generation=number))
        print(number, flush=True)

asyncio.run(main())
"""

TINY_DISK = """
import asyncio, contextlib, os, subprocess, sys
from pathlib import Path
from store_samples import add_events, channel, save_job
from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.store.store import Edit, Store

disk = Path(sys.argv[1])

def mount(*arguments):
    subprocess.run(["mount", *arguments, disk], check=True)

def name(number):
    return f"Channel {number}"

async def refused(call):
    try:
        await call
    except StoreUnavailable as error:
        return str(error)
    raise AssertionError("was not refused")

async def main():
    mount("-t", "tmpfs", "-o", "size=2m", "tmpfs")
    store = Store(disk / "transcoder.db")
    await store.edit([Edit(None, channel(name(0)))])

    written = 1
    for _ in range(2):
        with open(disk / "filler", "ab", buffering=0) as filler:
            with contextlib.suppress(OSError):
                while True:
                    filler.write(bytes(4096))
        # What the database has set aside for itself may hold some more.
        try:
            while True:
                await store.edit([Edit(None, channel(name(written)))])
                written += 1
        except StoreUnavailable as error:
            assert "the disk is full" in str(error) and "free some space" in str(error), error
        assert [stored.spec.name for stored in await store.channels()] == [name(n) for n in range(written)]

    os.truncate(disk / "filler", 0)
    await store.edit([Edit(None, channel(name(written)))])
    assert len(await store.channels()) == written + 1
    await store.close()

    mount("-o", "remount,ro")
    store = Store(disk / "transcoder.db")
    print(await refused(store.edit([Edit(None, channel("Late"))])))
    mount("-o", "remount,rw")
    await store.edit([Edit(None, channel("Late"))])
    assert len(await store.channels()) == written + 2
    await store.close()

asyncio.run(main())
"""

HERE = Path(__file__).parent


@pytest.fixture
async def store(tmp_path: Path) -> AsyncIterator[Store]:
    store = Store(tmp_path / "transcoder.db")
    await store.edit([Edit(None, channel("One"))])
    yield store
    await store.close()


@pytest.mark.long
@pytest.mark.parametrize("acknowledged", [1, 10, 40])
async def test_killing_the_writer_loses_no_acknowledged_change(tmp_path: Path, acknowledged: int) -> None:
    path = tmp_path / "transcoder.db"
    writer = subprocess.Popen(  # noqa: ASYNC220 - nothing else runs in this loop
        [sys.executable, "-c", WRITER, path],
        stdout=subprocess.PIPE,
        text=True,
        env=os.environ | {"PYTHONPATH": str(HERE)},
    )
    assert writer.stdout is not None
    for _ in range(acknowledged):
        assert writer.stdout.readline()
    writer.send_signal(signal.SIGKILL)
    last = max([acknowledged, *map(int, writer.stdout.read().split())])
    writer.wait()

    store = Store(path)
    channels = await store.channels()
    events = await store.events(10_000)
    await store.close()
    # One more may have been committed without its acknowledgement; half of one may not.
    assert len(channels) in (last, last + 1)
    assert [stored.spec.name for stored in channels] == [f"Channel {n + 1}" for n in range(len(channels))]
    assert [stored.job.generation for stored in channels][:last] == list(range(1, last + 1))
    assert [entry.message for entry in events] == [f"created {n + 1}" for n in range(len(channels))]
    with sqlite3.connect(path) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def test_a_full_disk_and_a_read_only_disk_are_named_and_forgotten_when_they_are_over(tmp_path: Path) -> None:
    if not namespaces_are_allowed():
        pytest.skip("needs a mount namespace of its own to mount a tiny disk in")
    disk = tmp_path / "disk"
    disk.mkdir()
    run = subprocess.run(
        [*OTHER_NAMESPACE, sys.executable, "-c", TINY_DISK, disk],
        capture_output=True,
        text=True,
        env=os.environ | {"PYTHONPATH": str(HERE)},
    )
    assert run.returncode == 0, run.stderr
    assert "read-only" in run.stdout


async def test_a_lock_of_another_program_is_named_and_reads_go_on(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "BUSY_TIMEOUT_S", 0.05)
    store = Store(tmp_path / "transcoder.db")
    await store.edit([Edit(None, channel("One"))])
    intruder = sqlite3.connect(tmp_path / "transcoder.db", isolation_level=None)
    intruder.execute("BEGIN IMMEDIATE")
    with pytest.raises(StoreUnavailable, match="another program holds the database") as refused:
        await add_events(store, [event("x")])
    assert "fuser" in refused.value.faults[0].remedy
    assert len(await store.channels()) == 1
    intruder.rollback()
    intruder.close()
    assert len(await add_events(store, [event("x")])) == 1
    await store.close()


async def test_a_data_directory_that_cannot_be_made_is_named_and_later_used(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("in the way")
    store = Store(tmp_path / "data" / "transcoder.db")
    with pytest.raises(StoreUnavailable, match=r"cannot be opened: (Not a directory|File exists)"):
        await store.open()
    (tmp_path / "data").unlink()
    await store.open()
    assert await store.channels() == []
    await store.close()


async def test_a_fault_within_many_waiting_calls_fails_only_those_that_meet_it(store: Store) -> None:
    bad = [store.edit([Edit(99, None)]) for _ in range(5)]
    good = [add_events(store, [event(str(number))]) for number in range(5)]
    interleaved = [call for pair in zip(bad, good, strict=True) for call in pair]
    results = await asyncio.gather(*interleaved, return_exceptions=True)
    assert [isinstance(result, Exception) for result in results] == [True, False] * 5
    assert [entry.message for entry in await store.events(10)] == ["0", "1", "2", "3", "4"]
