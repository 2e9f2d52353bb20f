"""Copies of the database: whole, verified, few, and harmless to make. Real files, real kills, real full disks."""

import asyncio
import os
import resource
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from store_samples import (
    OTHER_NAMESPACE,
    add_events,
    event,
    full_channel,
    make_version_1,
    namespaces_are_allowed,
    scribble,
)

from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.failpoints import VARIABLE
from transcoder_tui.models.job import JobFields
from transcoder_tui.store import backup
from transcoder_tui.store.store import Edit, Entry, Store

HERE = Path(__file__).parent
ENVIRONMENT = os.environ | {"PYTHONPATH": str(HERE)}

BACK_UP = """
import asyncio, sys
from pathlib import Path
from transcoder_tui.store.store import Store

asyncio.run(Store(Path(sys.argv[1])).backup(48))
"""

OPEN = BACK_UP.replace("backup(48)", "open()")

TINY_DISK = """
import asyncio, subprocess, sys
from pathlib import Path
from store_samples import add_events, channel, event
from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.store.store import Edit, Store

disk = Path(sys.argv[1])
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=20m", "tmpfs", disk], check=True)

async def main():
    store = Store(disk / "transcoder.db")
    await store.edit([Edit(None, channel("One"))])
    first = await store.backup(2)
    (disk / "filler").write_bytes(bytes(6_000_000))
    try:
        await store.backup(2)
    except StoreUnavailable as error:
        print(error)
    assert await add_events(store, [event("goes on")])
    assert store.fault == ""
    assert [file.name for file in (disk / "backups").iterdir()] == [first.name]

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "transcoder.db"


@pytest.fixture
async def store(path: Path) -> AsyncIterator[Store]:
    store = Store(path)
    await store.edit([Edit(None, full_channel(), job=JobFields(generation=3))], [event("created")])
    yield store
    await store.close()


def names(folder: Path) -> list[str]:
    return sorted(file.name for file in folder.iterdir())


def schema(database: Path) -> str:
    with closing(sqlite3.connect(database)) as connection:
        return str(connection.execute("SELECT version_num FROM alembic_version").fetchone()[0])


async def test_a_copy_holds_everything_and_needs_no_other_file(store: Store, tmp_path: Path) -> None:
    copy = await store.backup(48)
    assert names(tmp_path / "backups") == [copy.name]
    elsewhere = tmp_path / "elsewhere" / "transcoder.db"
    elsewhere.parent.mkdir()
    shutil.copy(copy, elsewhere)
    other = Store(elsewhere)
    assert await other.channels() == await store.channels()
    assert await other.events(10) == await store.events(10)
    await other.close()


async def test_a_copy_is_named_after_its_time_and_closed_to_others(store: Store) -> None:
    before = datetime.now(UTC).replace(microsecond=0)
    copy = await store.backup(48)
    assert before <= backup.made_at(copy) <= datetime.now(UTC)
    assert stat.S_IMODE(copy.stat().st_mode) == 0o640
    assert copy.parent.stat().st_mode & 0o007 == 0


async def test_only_the_newest_copies_stay_and_other_files_are_left_alone(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    (folder / "transcoder-before-the-move.db").write_text("the operator's own")
    made = [await store.backup(3) for _ in range(5)]
    assert backup.newest_first(folder) == made[:1:-1]
    assert (folder / "transcoder-before-the-move.db").exists()


async def test_a_clock_that_was_set_back_does_not_make_an_old_copy_the_newest(store: Store, tmp_path: Path) -> None:
    first = await store.backup(2)
    ahead = datetime.now(UTC).replace(microsecond=0) + timedelta(days=3)
    first.rename(first.with_name(f"transcoder-{ahead:%Y%m%dT%H%M%SZ}.db"))
    second, third = await store.backup(2), await store.backup(2)
    assert backup.newest_first(tmp_path / "backups") == [third, second]


async def test_copies_are_made_while_the_database_is_written(store: Store) -> None:
    async def write() -> None:
        for number in range(100):
            await store.save([Entry(1, JobFields(generation=10 + number), [event(str(number))])])

    writing = asyncio.create_task(write())
    copies = [await store.backup(48) for _ in range(4)]
    await writing
    seen = []
    for copy in copies:
        other = Store(copy.rename(copy.with_suffix(".opened")))
        [stored], events = await other.channels(), await other.events(1000)
        seen.append(stored.job.generation)
        assert stored.job.generation in (3, len(events) + 8)
        await other.close()
    assert seen == sorted(seen)


@pytest.mark.parametrize("point", ["backup.before", "backup.middle", "backup.after"])
async def test_a_kill_leaves_only_whole_copies_and_the_next_one_clears_up(
    store: Store, tmp_path: Path, point: str
) -> None:
    folder = tmp_path / "backups"
    first = await store.backup(48)
    await store.close()
    killed = subprocess.run(  # noqa: ASYNC221 - nothing else runs in this loop
        [sys.executable, "-c", BACK_UP, store.path], env=os.environ | {VARIABLE: f"{point}=kill"}
    )
    assert killed.returncode == -signal.SIGKILL
    copies = backup.newest_first(folder)
    assert len(copies) == (2 if point == "backup.after" else 1)
    for copy in copies:
        backup.verify(copy)
    again = Store(store.path)
    last = await again.backup(48)
    await again.close()
    assert names(folder) == sorted({first.name, last.name, *(copy.name for copy in copies)})


@pytest.mark.parametrize("point", ["backup.before", "backup.middle"])
def test_an_error_while_copying_is_told_and_leaves_nothing_behind(path: Path, tmp_path: Path, point: str) -> None:
    run = subprocess.run(
        [sys.executable, "-c", BACK_UP, path],
        env=os.environ | {VARIABLE: f"{point}=error"},
        capture_output=True,
        text=True,
    )
    assert "StoreUnavailable: no copy of the database could be made" in run.stderr
    assert not (tmp_path / "backups").exists() or names(tmp_path / "backups") == []


async def test_a_copy_that_is_too_big_for_its_disk_leaves_the_earlier_ones(store: Store, tmp_path: Path) -> None:
    await add_events(store, [event("x" * 3000) for _ in range(200)])
    first = await store.backup(1)
    await store.close()
    limited = subprocess.run(  # noqa: ASYNC221 - nothing else runs in this loop
        [sys.executable, "-c", BACK_UP, store.path],
        capture_output=True,
        text=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (300_000, 300_000)),
    )
    assert "StoreUnavailable: no copy of the database could be made in" in limited.stderr
    assert names(tmp_path / "backups") == [first.name]
    backup.verify(first)


def test_a_copy_is_not_what_fills_the_disk(tmp_path: Path) -> None:
    if not namespaces_are_allowed():
        pytest.skip("needs a mount namespace of its own to mount a tiny disk in")
    disk = tmp_path / "disk"
    disk.mkdir()
    run = subprocess.run(
        [*OTHER_NAMESPACE, sys.executable, "-c", TINY_DISK, disk], capture_output=True, text=True, env=ENVIRONMENT
    )
    assert run.returncode == 0, run.stderr
    assert "that are free" in run.stdout
    assert "backup.keep" in run.stdout


async def test_a_folder_that_cannot_be_made_is_named_and_harms_nothing(store: Store, tmp_path: Path) -> None:
    (tmp_path / "backups").write_text("in the way")
    with pytest.raises(StoreUnavailable, match=r"no copy of the database could be made in .*backups: File exists"):
        await store.backup(48)
    assert store.fault == ""
    assert await add_events(store, [event("goes on")])


async def test_a_copy_that_was_spoilt_later_is_told_from_a_sound_one(store: Store) -> None:
    copy = await store.backup(48)
    scribble(copy, 3 * 4096, 4096)
    with pytest.raises(backup.BadCopy):
        backup.verify(copy)


async def test_before_an_upgrade_a_copy_of_the_old_version_is_made(path: Path, tmp_path: Path) -> None:
    make_version_1(path)
    store = Store(path)
    await store.open()
    await store.close()
    [copy] = backup.newest_first(tmp_path / "backups")
    assert (schema(copy), schema(path)) == ("0001", "0003")


async def test_a_new_database_is_not_copied(store: Store, tmp_path: Path) -> None:
    assert not (tmp_path / "backups").exists()


@pytest.mark.long
@pytest.mark.parametrize("point", ["backup.middle", "migrate.before", "migrate.middle"])
async def test_an_upgrade_that_is_killed_on_its_way_is_made_by_the_next_start(
    path: Path, tmp_path: Path, point: str
) -> None:
    make_version_1(path)
    killed = subprocess.run(  # noqa: ASYNC221 - nothing else runs in this loop
        [sys.executable, "-c", OPEN, path], env=os.environ | {VARIABLE: f"{point}=kill"}
    )
    assert killed.returncode == -signal.SIGKILL
    assert schema(path) == "0001"
    store = Store(path)
    await store.open()
    assert [stored.spec.name for stored in await store.channels()] == ["One", "Two"]
    await store.close()
    assert {schema(copy) for copy in backup.newest_first(tmp_path / "backups")} == {"0001"}


async def test_no_upgrade_is_made_without_its_copy_and_the_channels_are_read_meanwhile(
    path: Path, tmp_path: Path
) -> None:
    make_version_1(path)
    (tmp_path / "backups").write_text("in the way")
    store = Store(path)
    await store.open()
    assert "no copy of the database could be made" in store.fault
    assert [stored.spec.name for stored in await store.channels()] == ["One", "Two"]
    with pytest.raises(StoreUnavailable, match="no copy of the database"):
        await add_events(store, [event("late")])
    assert schema(path) == "0001"
    (tmp_path / "backups").unlink()
    await add_events(store, [event("late")])
    assert (store.fault, schema(path)) == ("", "0003")
    await store.close()
