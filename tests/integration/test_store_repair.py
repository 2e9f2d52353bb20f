"""A database that is damaged, deleted or cannot be opened: what becomes of it and of its channels. Real files."""

import asyncio
import os
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import closing
from pathlib import Path

import pytest
from store_samples import OTHER_NAMESPACE, add_events, channel, event, full_channel, namespaces_are_allowed, scribble

from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.models.event import Severity
from transcoder_tui.models.job import JobFields, Wanted
from transcoder_tui.store import backup, database
from transcoder_tui.store.store import Edit, Restored, Store, StoredChannel

HERE = Path(__file__).parent
ENVIRONMENT = os.environ | {"PYTHONPATH": str(HERE)}

KILLED_WHILE_OPEN = """
import asyncio, os, signal, sys
from pathlib import Path
from store_samples import add_events, channel, event
from transcoder_tui.store.store import Edit, Store

async def main():
    store = Store(Path(sys.argv[1]))
    await store.open()
    await store.edit([Edit(None, channel("Late"))], [event("late")])
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""

KILLED_IN_REPAIR = """
import asyncio, os, signal, sys
from pathlib import Path
from transcoder_tui.store import repair
from transcoder_tui.store.store import Store

whole = getattr(repair, sys.argv[2])

def killed(*arguments):
    if sys.argv[3] == "after":
        whole(*arguments)
    os.kill(os.getpid(), signal.SIGKILL)

setattr(repair, sys.argv[2], killed)
asyncio.run(Store(Path(sys.argv[1])).open())
"""

TINY_DISK = """
import asyncio, contextlib, os, subprocess, sys
from pathlib import Path
from store_samples import add_events, channel, event, full_channel, scribble
from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.store.store import Edit, Store

disk = Path(sys.argv[1])
path = disk / "transcoder.db"

def mount(*arguments):
    subprocess.run(["mount", *arguments, disk], check=True)

def fill():
    with contextlib.suppress(OSError), open(disk / "filler", "ab", buffering=0) as filler:
        while True:
            filler.write(bytes(4096))

def free():
    (disk / "filler").unlink()

async def served(words):
    store = Store(path)
    await store.open()
    assert words in store.fault, store.fault
    assert [stored.spec for stored in await store.channels()] == [full_channel()]
    assert [entry.message for entry in await store.events(1)] == ["created"]
    try:
        await add_events(store, [event("late")])
    except StoreUnavailable as error:
        assert words in str(error), error
    else:
        raise AssertionError("was written")
    return store

async def main():
    mount("-t", "tmpfs", "-o", "size=24m", "tmpfs")
    store = Store(path)
    await store.edit([Edit(None, full_channel())], [event("created")])
    copy = await store.backup(48)
    await store.close()

    fill()
    store = await served("the disk is full")
    free()
    await add_events(store, [event("created")])
    assert store.fault == ""
    await store.close()

    mount("-o", "remount,ro")
    store = await served("is read-only")
    mount("-o", "remount,rw")
    await add_events(store, [event("created")])
    await store.close()

    # Damaged and the disk full: the copy is read until it can take the place.
    scribble(path, 4096, 4096)
    fill()
    store = await served("the disk is full")
    assert copy.name in store.restored.message
    assert not list(disk.glob("*.corrupt.*"))
    free()
    assert [stored.spec for stored in await store.channels()] == [full_channel()]
    assert store.restored.copy == copy
    assert len(list(disk.glob("*.corrupt.*"))) == 1
    await store.close()

asyncio.run(main())
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "transcoder.db"


@pytest.fixture
async def backed_up(path: Path) -> AsyncIterator[Path]:
    """A closed database with a copy of it, and one channel more than the copy has."""
    store = Store(path)
    await store.edit([Edit(None, full_channel(), job=JobFields(wanted=Wanted.RUNNING, generation=3))])
    # More than SQLite's cache of 2 MB, so that the file is read again and again.
    await add_events(store, [event("x" * 2000) for _ in range(2000)])
    copy = await store.backup(48)
    await store.edit([Edit(None, channel("Since"))])
    await store.put(await store.channels())
    await store.close()
    yield copy


class Owner:
    """A worker as far as the store sees it."""

    def __init__(self, store: Store, channels: Sequence[StoredChannel]) -> None:
        self.channels = channels
        self.told: list[Restored] = []
        store.serve(lambda: self.channels, self.told.append)


def asides(path: Path) -> list[str]:
    return sorted(file.name for file in path.parent.iterdir() if ".corrupt." in file.name or ".replaced." in file.name)


def is_sound(path: Path) -> bool:
    with closing(sqlite3.connect(path)) as connection:
        return bool(connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)])


def remove_in_other_process(*files: Path) -> None:
    subprocess.run(["rm", *files], check=True)


DAMAGES = {
    "a page is trashed": lambda path: scribble(path, 8192, 4096),
    "the header is trashed": lambda path: scribble(path, 0, 100),
    "it is no database": lambda path: path.write_text("version: 1\nchannels: []\n" * 100),
    "it was cut off": lambda path: os.truncate(path, 3 * 4096),
    "its last half is zeros": lambda path: scribble(path, path.stat().st_size // 2, path.stat().st_size // 2, 0),
}


@pytest.mark.parametrize("damage", DAMAGES)
async def test_damage_found_at_the_start_is_set_aside_and_the_copy_takes_its_place(
    path: Path, backed_up: Path, damage: str
) -> None:
    DAMAGES[damage](path)
    spoilt = path.read_bytes()
    store = Store(path)
    await store.open()
    assert store.fault == ""
    assert [stored.spec for stored in await store.channels()] == [full_channel()]
    restored = store.restored
    assert restored is not None
    assert (restored.copy, restored.is_complete) == (backed_up, False)
    assert restored.aside is not None
    assert restored.aside.read_bytes() == spoilt
    [last] = await store.events(1)
    assert (last, last.severity, last.message) == (restored.event, Severity.ERROR, restored.message)
    assert "was damaged" in last.message
    assert restored.aside.name in last.message
    await store.close()
    assert is_sound(path)


async def test_an_older_copy_is_taken_where_the_newest_is_spoilt_too(path: Path, backed_up: Path) -> None:
    store = Store(path)
    newest = await store.backup(48)
    await store.close()
    scribble(newest, 4096, 8192)
    scribble(path, 0, 100)
    store = Store(path)
    await store.open()
    assert store.restored is not None
    assert store.restored.copy == backed_up
    assert len(await store.channels()) == 1
    await store.close()


async def test_a_copy_of_a_newer_version_is_passed_over(path: Path, backed_up: Path) -> None:
    newest = backed_up.with_name("transcoder-20990101T000000Z.db")
    shutil.copy(backed_up, newest)
    with closing(sqlite3.connect(newest)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    scribble(path, 0, 100)
    store = Store(path)
    await store.open()
    assert store.restored is not None
    assert store.restored.copy == backed_up
    await store.close()


async def test_without_a_copy_an_empty_database_is_begun_and_nothing_is_deleted(path: Path) -> None:
    path.write_text("version: 1\nchannels: []\n" * 100)
    store = Store(path)
    await store.open()
    assert await store.channels() == []
    assert store.restored is not None
    assert (store.restored.copy, "no copy" in store.restored.message) == (None, True)
    assert store.restored.aside is not None
    assert store.restored.aside.read_text().startswith("version: 1")
    await store.close()


@pytest.mark.long
@pytest.mark.parametrize(
    ("step", "moment"), [("set_aside", "before"), ("set_aside", "after"), ("put_in_place", "after")]
)
async def test_a_repair_that_is_killed_is_made_by_the_next_start(
    path: Path, backed_up: Path, step: str, moment: str
) -> None:
    scribble(path, 0, 100)
    run = subprocess.run(  # noqa: ASYNC221 - nothing else runs in this loop
        [sys.executable, "-c", KILLED_IN_REPAIR, path, step, moment]
    )
    assert run.returncode == -signal.SIGKILL
    store = Store(path)
    await store.open()
    assert [stored.spec for stored in await store.channels()] == [full_channel()]
    assert store.restored is not None
    await store.close()
    assert is_sound(path)
    assert len(asides(path)) == 1
    assert [file.name for file in path.parent.iterdir() if file.name.startswith(path.name + ".new")] == []


async def test_a_database_that_is_missing_is_restored_where_there_are_copies(path: Path, backed_up: Path) -> None:
    path.unlink()
    store = Store(path)
    await store.open()
    assert store.restored is not None
    assert (store.restored.copy, store.restored.aside) == (backed_up, None)
    assert "is missing" in store.restored.message
    assert len(await store.channels()) == 1
    await store.close()


async def test_a_log_that_is_left_of_a_missing_database_is_not_played_into_the_copy(
    path: Path, backed_up: Path
) -> None:
    subprocess.run(  # noqa: ASYNC221 - nothing else runs in this loop
        [sys.executable, "-c", KILLED_WHILE_OPEN, path], env=ENVIRONMENT
    )
    path.unlink()
    store = Store(path)
    assert [stored.spec.name for stored in await store.channels()] == [full_channel().name]
    await store.close()
    assert is_sound(path)
    assert list(path.parent.glob("*.lost.*-wal"))


async def test_a_first_start_has_nothing_to_tell_but_that_its_channels_are_not_confirmed(path: Path) -> None:
    store = Store(path)
    await store.open()
    assert store.restored == Restored("")
    assert await store.events(10) == []
    await store.put([])
    assert store.restored is None
    await store.close()
    again = Store(path)
    await again.open()
    assert again.restored is None
    await again.close()


async def test_a_worker_that_dies_before_it_confirmed_is_told_again(path: Path, backed_up: Path) -> None:
    path.unlink()
    first = Store(path)
    await first.open()
    await first.close()
    second = Store(path)
    await second.open()
    assert second.restored is not None
    await second.put(await second.channels())
    await second.close()
    third = Store(path)
    await third.open()
    assert third.restored is None
    await third.close()


async def test_put_makes_these_channels_with_their_ids_revisions_and_jobs_the_only_ones(path: Path) -> None:
    store = Store(path)
    await store.edit([Edit(None, channel(name)) for name in ("One", "Two", "Three")])
    kept = [
        StoredChannel(2, 5, channel("One"), JobFields(generation=9)),
        StoredChannel(7, 2, full_channel(), JobFields(wanted=Wanted.RUNNING)),
    ]
    await store.put(kept)
    assert await store.channels() == kept
    [created], _ = await store.edit([Edit(None, channel("New"))])
    assert created is not None
    assert created.id == 8
    await store.put(kept)
    assert await store.channels() == kept
    await store.edit([Edit(2, channel("One", priority=1), revision=5)])
    await store.close()


async def test_damage_met_at_work_is_repaired_and_the_worker_writes_back_what_it_knows(
    path: Path, backed_up: Path
) -> None:
    store = Store(path)
    channels = await store.channels()
    owner = Owner(store, channels)
    remains = path.stat().st_size
    scribble(path, 4096, remains - 4096)
    [written] = await add_events(store, [event("goes on")])
    assert await store.channels() == channels
    assert store.restored is None
    [told] = owner.told
    assert (told.copy, told.is_complete) == (backed_up, False)
    assert [entry.message for entry in await store.events(2)] == [told.message, "goes on"]
    assert written.message == "goes on"
    await store.close()
    assert is_sound(path)
    assert len([name for name in asides(path) if name.endswith("Z")]) == 1


async def test_an_edit_that_meets_damage_is_carried_out_on_what_was_written_back(path: Path, backed_up: Path) -> None:
    store = Store(path)
    channels = await store.channels()
    Owner(store, channels)
    scribble(path, 4096, path.stat().st_size - 4096)
    [created], _ = await store.edit([Edit(None, channel("New"))])
    assert created is not None
    assert await store.channels() == [*channels, created]
    await store.close()


async def test_a_copy_of_a_damaged_database_is_not_made_but_the_database_repaired(path: Path, backed_up: Path) -> None:
    store = Store(path)
    channels = await store.channels()
    Owner(store, channels)
    scribble(path, 4096, path.stat().st_size - 4096)
    copy = await store.backup(48)
    backup.verify(copy)
    assert await store.channels() == channels
    await store.close()


async def test_a_disk_that_spoils_every_file_is_not_filled_with_them(
    path: Path, backed_up: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    store = Store(path)
    channels = await store.channels()
    Owner(store, channels)
    for _ in range(3):
        scribble(path, 4096, path.stat().st_size - 4096)
        await asyncio.gather(store.events(5000), store.channels(), return_exceptions=True)
    assert len([name for name in asides(path) if name.endswith("Z")]) == 1
    with pytest.raises(StoreUnavailable, match="is damaged"):
        await add_events(store, [event("goes on")])
    assert [stored.spec for stored in await store.channels()] == [full_channel()], "not read from the copy"
    monkeypatch.setattr(database, "REPAIR_PAUSE_S", 0.0)
    await add_events(store, [event("goes on")])
    assert await store.channels() == channels
    await store.close()


@pytest.mark.parametrize("files", [["transcoder.db"], ["transcoder.db-wal"], ["transcoder.db", "transcoder.db-wal"]])
async def test_what_is_deleted_while_it_is_in_use_is_written_anew_without_a_loss(
    path: Path, tmp_path: Path, files: list[str]
) -> None:
    store = Store(path)
    await store.edit([Edit(None, full_channel())], [event("created")])
    await store.put(await store.channels())
    owner = Owner(store, [])
    remove_in_other_process(*(path.with_name(name) for name in files))
    await add_events(store, [event("goes on")])
    [told] = owner.told
    assert (told.is_complete, told.aside) == (True, None)
    killed = tmp_path / "as-left-by-a-kill"
    killed.mkdir()
    subprocess.run(["cp", *tmp_path.glob("transcoder.db*"), killed], check=True)  # noqa: ASYNC221
    await store.close()
    for place in (path, killed / path.name):
        after = Store(place)
        assert [stored.spec for stored in await after.channels()] == [full_channel()]
        assert [entry.message for entry in await after.events(3)] == ["created", told.message, "goes on"]
        assert after.restored is None
        await after.close()
        assert is_sound(place)


async def test_a_data_directory_that_is_deleted_comes_back_with_the_database(tmp_path: Path) -> None:
    store = Store(tmp_path / "data" / "transcoder.db")
    await store.edit([Edit(None, full_channel())])
    await store.backup(48)
    subprocess.run(["rm", "-r", tmp_path / "data"], check=True)  # noqa: ASYNC221 - nothing else runs in this loop
    await add_events(store, [event("goes on")])
    await store.backup(48)
    await store.close()
    again = Store(store.path)
    assert [stored.spec for stored in await again.channels()] == [full_channel()]
    await again.close()
    assert len(list((tmp_path / "data" / "backups").iterdir())) == 1


async def test_a_database_that_another_one_was_put_in_the_place_of_comes_back(path: Path, tmp_path: Path) -> None:
    store = Store(path)
    await store.edit([Edit(None, full_channel())])
    other = tmp_path / "other.db"
    with closing(sqlite3.connect(other)) as connection, connection:
        connection.execute("CREATE TABLE stranger (x)")
    subprocess.run(["mv", other, path], check=True)  # noqa: ASYNC221 - nothing else runs in this loop
    await add_events(store, [event("goes on")])
    await store.close()
    again = Store(path)
    assert [stored.spec for stored in await again.channels()] == [full_channel()]
    await again.close()
    [stranger] = asides(path)
    with closing(sqlite3.connect(tmp_path / stranger)) as connection:
        assert connection.execute("SELECT name FROM sqlite_master").fetchall() == [("stranger",)]


async def test_a_database_that_is_deleted_is_written_anew_at_the_latest_when_it_is_closed(path: Path) -> None:
    store = Store(path)
    await store.edit([Edit(None, full_channel())])
    remove_in_other_process(path)
    await store.close()
    again = Store(path)
    assert [stored.spec for stored in await again.channels()] == [full_channel()]
    await again.close()


async def test_a_killed_worker_loses_nothing_and_there_is_nothing_to_restore(path: Path, backed_up: Path) -> None:
    run = subprocess.run(  # noqa: ASYNC221 - nothing else runs in this loop
        [sys.executable, "-c", KILLED_WHILE_OPEN, path], env=ENVIRONMENT
    )
    assert run.returncode == -signal.SIGKILL
    store = Store(path)
    await store.open()
    assert store.restored is None
    assert [stored.spec.name for stored in await store.channels()] == [full_channel().name, "Since", "Late"]
    await store.close()


async def test_the_log_of_a_killed_worker_that_is_deleted_is_missed(path: Path, backed_up: Path) -> None:
    subprocess.run(  # noqa: ASYNC221 - nothing else runs in this loop
        [sys.executable, "-c", KILLED_WHILE_OPEN, path], env=ENVIRONMENT
    )
    path.with_name("transcoder.db-wal").unlink()
    store = Store(path)
    await store.open()
    assert store.restored is not None
    assert "log file" in store.restored.message
    assert [entry.message for entry in await store.events(1)] == [store.restored.message]
    # What was there when the last copy was made is there at least.
    assert full_channel() in [stored.spec for stored in await store.channels()]
    await store.put(await store.channels())
    await store.close()
    again = Store(path)
    await again.open()
    assert again.restored is None
    await again.close()


def test_a_database_that_cannot_be_opened_is_read_until_it_can(tmp_path: Path) -> None:
    if not namespaces_are_allowed():
        pytest.skip("needs a mount namespace of its own to mount a tiny disk in")
    disk = tmp_path / "disk"
    disk.mkdir()
    before = set(Path("/dev/shm").glob("transcoder-*"))
    run = subprocess.run(
        [*OTHER_NAMESPACE, sys.executable, "-c", TINY_DISK, disk], capture_output=True, text=True, env=ENVIRONMENT
    )
    assert run.returncode == 0, run.stderr
    assert set(Path("/dev/shm").glob("transcoder-*")) == before
