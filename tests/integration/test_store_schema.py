"""The schema's steps: complete, interruptible, and refused where they are not ours."""

import os
import re
import signal
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from store_samples import add_events, channel, event, full_channel, make_version_1

from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.failpoints import VARIABLE
from transcoder_tui.store.engine import make_engine
from transcoder_tui.store.migrate import migrate
from transcoder_tui.store.store import Edit, Store
from transcoder_tui.store.tables import Table

KILLED_IN_MIGRATION = """
import os, signal, sys
from pathlib import Path
from sqlalchemy import Engine, event
from transcoder_tui.store.migrate import migrate

left = int(sys.argv[2])

@event.listens_for(Engine, "after_cursor_execute")
def count(connection, cursor, statement, *_):
    global left
    left -= statement.lstrip().startswith("CREATE TABLE")
    if left == 0:
        os.kill(os.getpid(), signal.SIGKILL)

migrate(Path(sys.argv[1]))
"""

OPEN = """
import asyncio, sys
from pathlib import Path
from transcoder_tui.store.store import Store

asyncio.run(Store(Path(sys.argv[1])).open())
"""

SQL_OF = "SELECT sql FROM sqlite_master WHERE name = ?"


def tables(path: Path) -> set[str]:
    with sqlite3.connect(path) as connection:
        return {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}


def differences(path: Path) -> list[object]:
    engine = make_engine(path)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        found = compare_metadata(context, Table.metadata)
    engine.dispose()
    return found


def shapes(path: Path) -> dict[str, list[object]]:
    """Columns, keys and the use of ids of each table."""
    with sqlite3.connect(path) as connection:
        return {
            table: [
                sorted(row[1:4] for row in connection.execute(f"PRAGMA table_info({table})")),
                sorted(row[2:] for row in connection.execute(f"PRAGMA foreign_key_list({table})")),
                re.findall("AUTOINCREMENT", connection.execute(SQL_OF, [table]).fetchone()[0]),
            ]
            for table in Table.metadata.tables
        }


def test_the_migrated_schema_is_that_of_the_tables(tmp_path: Path) -> None:
    path = tmp_path / "transcoder.db"
    migrate(path)
    assert set(Table.metadata.tables) <= tables(path)
    assert differences(path) == []


def test_the_migrated_schema_has_the_cascades_and_lasting_ids_of_the_tables(tmp_path: Path) -> None:
    """What Alembic's comparison does not look at on SQLite."""
    migrated, created = tmp_path / "migrated.db", tmp_path / "created.db"
    migrate(migrated)
    engine = make_engine(created)
    Table.metadata.create_all(engine)
    engine.dispose()

    assert shapes(migrated) == shapes(created)
    assert "CASCADE" in str(shapes(migrated)["job"])
    assert "AUTOINCREMENT" in str(shapes(migrated)["channel"])


def test_a_second_run_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "transcoder.db"
    migrate(path)
    before = path.read_bytes()
    migrate(path)
    assert path.read_bytes() == before


async def test_the_rows_of_a_database_of_version_1_are_there_after_its_upgrade(tmp_path: Path) -> None:
    path = tmp_path / "transcoder.db"
    make_version_1(path)
    store = Store(path)
    [one, two] = await store.channels()
    assert (one.id, one.revision, one.spec.name, one.spec.priority) == (3, 2, "One", 70)
    assert [source.url for source in one.spec.sources] == ["udp://239.1.1.1:5000", "test://bars"]
    assert [output.url for output in one.spec.outputs] == ["hls://one"]
    assert (one.spec.nice, one.spec.cpus, one.spec.memory) == (None, None, None)
    assert (one.job.wanted, one.job.status, one.job.generation, one.job.pid) == ("running", "running", 5, 4711)
    assert (one.job.next_source, one.job.pinned, one.job.alarms) == (None, False, [])
    assert (two.spec.name, two.job.wanted, two.job.error) == ("Two", "stopped", "gone")
    assert [(entry.id, entry.message, entry.log) for entry in await store.events(10)] == [(41, "on air", "")]
    [later] = await add_events(store, [event("upgraded")])
    assert later.id == 42
    [added], _ = await store.edit([Edit(None, full_channel())])
    await store.close()
    assert added is not None
    assert added.id == 8
    assert differences(path) == []


@pytest.mark.long
@pytest.mark.parametrize("point", ["migrate.before", "migrate.middle"])
async def test_an_upgrade_that_is_killed_leaves_the_old_version_and_is_made_by_the_next_start(
    tmp_path: Path, point: str
) -> None:
    path = tmp_path / "transcoder.db"
    make_version_1(path)
    before = shapes(path)
    program = [sys.executable, "-c", OPEN, path]
    killed = subprocess.run(program, env=os.environ | {VARIABLE: f"{point}=kill"})  # noqa: ASYNC221
    assert killed.returncode == -signal.SIGKILL
    assert shapes(path) == before
    store = Store(path)
    assert [stored.spec.name for stored in await store.channels()] == ["One", "Two"]
    await store.close()
    assert differences(path) == []


@pytest.mark.long
@pytest.mark.parametrize("statements", [1, 4, 8])
async def test_a_migration_that_is_killed_is_completed_by_the_next_start(tmp_path: Path, statements: int) -> None:
    path = tmp_path / "transcoder.db"
    program = [sys.executable, "-c", KILLED_IN_MIGRATION, path, str(statements)]
    killed = subprocess.run(program)  # noqa: ASYNC221 - nothing else runs in this loop
    assert killed.returncode == -signal.SIGKILL
    assert tables(path) == set()
    store = Store(path)
    await store.open()
    [stored], _ = await store.edit([Edit(None, channel("One"))])
    await store.close()
    assert stored is not None
    assert differences(path) == []


async def test_a_newer_schema_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "transcoder.db"
    migrate(path)
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    before = path.read_bytes()
    store = Store(path)
    with pytest.raises(StoreUnavailable, match=r"has schema 9999, .* knows schemas up to 0003") as refused:
        await store.open()
    await store.close()
    assert "newer" in refused.value.faults[0].remedy
    assert path.read_bytes() == before


async def test_a_stored_channel_that_is_no_longer_valid_is_named(tmp_path: Path) -> None:
    path = tmp_path / "transcoder.db"
    store = Store(path)
    await store.edit([Edit(None, channel("One"))])
    with sqlite3.connect(path) as connection:
        connection.execute("UPDATE source SET url = 'carrier-pigeon://roof'")
    with pytest.raises(StoreUnavailable, match=r"cannot read, One: sources\[0\]\.url"):
        await store.channels()
    await store.close()
