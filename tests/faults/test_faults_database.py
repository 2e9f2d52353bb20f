"""Faults 14 to 16: a database that is full, read-only, locked, damaged, gone, half migrated or too new."""

import asyncio
import os
import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import procfs
import pytest
from faults_rig import Faulty, NotHere, OnAir, Rig, all_gone, come_true
from loop_disk import loop_disk
from small_disk import small_disk
from worker_rig import is_running

from transcoder_tui.errors import StoreUnavailable, TranscoderError

ADDED_SINCE = {
    "job": ("next_source", "pinned", "off_air_since", "gap_s", "alarms"),
    "event": ("health", "log"),
    "channel": ("nice", "cpus", "memory", "overlay"),
    "source": (
        *("sender", "transport", "playlist", "program", "audio", "subtitles", "data", "listen", "tls_verify"),
        *("video", "deinterlace"),
    ),
    "output": (
        *("service_name", "service_provider", "format", "playlist", "encryption", "service_id"),
        *("transport_stream_id", "network_id", "pmt_pid", "video_pid", "audio_pid", '"delete"', "low_latency"),
        *("key_rotation", "split", "keep_for", "keep_size"),
    ),
}
"""Columns that the first schema did not have."""
PAGE = 4096
"""SQLite's page size."""


async def _refused(rig: Rig, victim: OnAir) -> StoreUnavailable:
    """The error with which an order is refused that cannot be stored."""
    with pytest.raises(StoreUnavailable) as refusal:
        await rig.order(victim.id, "restart")
    rig.note(f"order refused: {refusal.value}")
    assert refusal.value.faults[0].remedy
    return refusal.value


@pytest.mark.quick
async def test_14_a_full_database_disk_refuses_orders_and_costs_no_channel(
    fault: Faulty, not_here: NotHere, tmp_path: Path
) -> None:
    name = "database disk full, then free"
    with small_disk(tmp_path / "disk", 16) as disk:
        if disk is None:
            not_here(14, name, "mounting a small disk is not permitted here")
        async with fault(14, name, DATA_DIR=str(disk.path), HLS_ROOT=str(tmp_path / "hls")) as rig:
            victim = await rig.on_air()
            rig.strike()

            disk.fill()

            await _refused(rig, victim)
            assert (await rig.client.worker()).database != "ok"
            os.kill(victim.pid, signal.SIGKILL)
            again = await rig.back(victim)
            disk.free()
            await rig.until_worker(lambda view: view.database == "ok" and not view.unsaved_events)
            await rig.order(victim.id, "restart")
            await rig.until(victim.id, lambda row: is_running(row) and row.pid != again.pid)
            events = [event.message for event in await rig.client.events(channel_id=victim.id)]
            assert any("SIGKILL" in message for message in events), "what happened meanwhile was written later"
            await rig.shown("order refused: .*disk is full")


@pytest.mark.parametrize("held_s", [8, 30], ids=lambda s: f"{s}s")
async def test_14_a_locked_database_refuses_orders_and_costs_no_channel(fault: Faulty, held_s: int) -> None:
    async with fault(14, f"database locked for {held_s} s") as rig:
        victim = await rig.on_air()
        rig.strike()
        program = (
            "import sqlite3, sys, time; d = sqlite3.connect(sys.argv[1], isolation_level=None);"
            "d.execute('BEGIN EXCLUSIVE'); print('held', flush=True); time.sleep(float(sys.argv[2]))"
        )
        locker = await asyncio.create_subprocess_exec(
            "python3", "-c", program, str(rig.settings.database), str(held_s), stdout=subprocess.PIPE
        )
        assert locker.stdout is not None
        await locker.stdout.readline()

        await _refused(rig, victim)

        await rig.shown("order refused: another program holds the database .* locked")
        row = await rig.until(victim.id, is_running)
        assert row.pid == victim.pid
        await locker.wait()
        await rig.until_worker(lambda view: view.database == "ok" and not view.unsaved_events)


async def test_14_a_database_disk_that_becomes_read_only_costs_no_channel(
    fault: Faulty, not_here: NotHere, tmp_path: Path
) -> None:
    name = "database disk becomes read-only"
    with loop_disk(tmp_path / "disk") as disk:
        if disk is None:
            not_here(14, name, "mounting a disk that can fail is not permitted here")
        async with fault(14, name, DATA_DIR=str(disk.path), HLS_ROOT=str(tmp_path / "hls")) as rig:
            victim = await rig.on_air()
            rig.strike()

            await asyncio.to_thread(disk.fail)

            await _refused(rig, victim)
            os.kill(victim.pid, signal.SIGKILL)
            await rig.back(victim)
            await rig.shown("order refused: .*(read-only|does not read or write)")


async def _copied(rig: Rig) -> None:
    """Waits for a copy of the database that holds everything."""
    newest = max((copy.stat().st_mtime for copy in rig.settings.backups.glob("*")), default=0.0)
    await come_true(
        lambda: any(
            copy.stat().st_mtime > newest + 1
            for copy in rig.settings.backups.glob("*")
            if not copy.name.endswith("new")
        ),
        "a copy of the database",
        timeout_s=40,
    )


async def _both_killed(rig: Rig) -> None:
    os.kill(rig.keeper_pid, signal.SIGKILL)
    rig.kill_worker()
    await all_gone(rig.keeper_pid, rig.worker_pid)


def _spoil(path: Path, offset: int, length: int) -> None:
    with path.open("r+b") as file:
        file.seek(offset)
        file.write(b"\xa5" * length)


def _without_log(database: Path) -> None:
    """Moves everything from the write-ahead log, which would heal a page, into the file itself."""
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def _trash_page(database: Path) -> None:
    _without_log(database)
    with closing(sqlite3.connect(database)) as connection:
        [(root,)] = connection.execute("SELECT rootpage FROM sqlite_master WHERE name = 'channel'").fetchall()
    _spoil(database, (root - 1) * PAGE, PAGE)


def _trash_header(database: Path) -> None:
    _without_log(database)
    _spoil(database, 0, 100)


def _remove(database: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


def _remove_log(database: Path) -> None:
    for suffix in ("-wal", "-shm"):
        database.with_name(database.name + suffix).unlink(missing_ok=True)


DAMAGES = {
    "page trashed": (_trash_page, "the copy of .* has taken its place"),
    "header trashed": (_trash_header, "the copy of .* has taken its place"),
    "file gone": (_remove, "the copy of .* has taken its place"),
    "WAL gone": (_remove_log, "its last changes may be lost|adopted 3 of 3"),
}


@pytest.mark.parametrize(
    "damage", [pytest.param(d, marks=pytest.mark.quick if d == "page trashed" else ()) for d in DAMAGES]
)
async def test_15_a_damaged_database_is_restored_and_costs_no_channel(fault: Faulty, damage: str) -> None:
    harm, shown = DAMAGES[damage]
    async with fault(15, f"database: {damage}", BACKUP__EVERY_S="1") as rig:
        victim = await rig.on_air()
        await _copied(rig)
        rig.strike()
        await _both_killed(rig)
        harm(rig.settings.database)

        await rig.start_worker()

        await rig.shown(shown)
        row = await rig.until(victim.id, is_running)
        assert row.pid == victim.pid


async def test_15_a_damaged_database_without_a_copy_costs_no_channel_on_air(fault: Faulty) -> None:
    async with fault(15, "database trashed, no copy at all") as rig:
        victim = await rig.on_air()
        rig.strike()
        await _both_killed(rig)
        _trash_header(rig.settings.database)
        for copy in rig.settings.backups.glob("*"):
            copy.unlink()

        await rig.start_worker()

        await rig.shown("no copy that could take its place")
        row = await rig.until(victim.id, is_running)
        assert row.pid == victim.pid
        rig.forgive_history()


async def test_15_a_database_deleted_under_a_running_worker_is_written_anew(fault: Faulty) -> None:
    async with fault(15, "database deleted while in use") as rig:
        victim = await rig.on_air()
        rig.strike()

        _remove(rig.settings.database)
        for _ in range(3):
            try:
                await rig.order(victim.id, "restart")
            except TranscoderError:
                await asyncio.sleep(1.0)

        await rig.shown("was deleted by another program")
        await rig.back(victim)


def _downgrade(database: Path) -> None:
    """Makes it what the first version of the schema was."""
    with closing(sqlite3.connect(database)) as connection:
        for table, columns in ADDED_SINCE.items():
            for column in columns:
                connection.execute(f"ALTER TABLE {table} DROP COLUMN {column}")
        connection.execute("UPDATE alembic_version SET version_num = '0001'")
        connection.commit()


async def _both_ended(rig: Rig) -> None:
    keeper, worker = rig.keeper_pid, rig.worker_pid
    os.kill(keeper, signal.SIGTERM)
    await all_gone(keeper, worker)


@pytest.mark.parametrize("moment", ["migrate.before", pytest.param("migrate.middle", marks=pytest.mark.quick)])
async def test_16_a_worker_killed_while_it_upgrades_the_database_upgrades_it_the_next_time(
    fault: Faulty, moment: str
) -> None:
    async with fault(16, f"worker killed at {moment}") as rig:
        victim = await rig.on_air()
        rig.strike()
        await _both_ended(rig)
        _downgrade(rig.settings.database)
        rig.arm(f"{moment}=kill")

        await rig.start_worker()

        assert not rig.is_armed, "the worker never upgraded"
        await rig.shown("adopted 3 of 3 channels")
        row = await rig.until(victim.id, is_running)
        assert row.pid == victim.pid


async def test_16_a_database_of_a_newer_version_is_refused_and_costs_no_channel(fault: Faulty) -> None:
    async with fault(16, "database of a newer version") as rig:
        victim = await rig.on_air()
        rig.strike()
        await _both_ended(rig)
        with closing(sqlite3.connect(rig.settings.database)) as connection:
            [(version,)] = connection.execute("SELECT version_num FROM alembic_version").fetchall()
            connection.execute("UPDATE alembic_version SET version_num = '9999'")
            connection.commit()

        with pytest.raises(TranscoderError) as refusal:
            await rig.start_worker()

        rig.note(f"start refused: {refusal.value}")
        assert procfs.is_alive(victim.pid)
        with closing(sqlite3.connect(rig.settings.database)) as connection:
            connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
            connection.commit()
        await rig.start_worker()
        await rig.shown("(?s)start refused: .*9999")
        row = await rig.until(victim.id, is_running)
        assert row.pid == victim.pid
