"""Brings a database to the schema that this program knows."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from sqlalchemy import Connection, Engine

from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.failpoints import failpoint
from transcoder_tui.store.engine import driver_connection, make_engine, reading

UNCONFIRMED = 1
"""SQLite's ``user_version`` of a database whose channels the worker has not compared yet with what it knows besides:
a new one, or one that was put in the place of another."""

HEAD = "0003"
"""The newest schema: the last revision of the migrations. Known here too, so that Alembic, which takes a sixth of a
worker's start to import, is imported where there is something to migrate."""
_SCRIPTS = Path(__file__).parent / "migrations"


class SchemaRefused(StoreUnavailable):
    """The database is sound, and not one for this version of the program."""


def migrate(path: Path, before_upgrade: Callable[[sqlite3.Connection], None] | None = None) -> None:
    """Creates or upgrades the schema, all steps in one transaction: what is interrupted has not happened.

    Args:
        path: The SQLite file.
        before_upgrade: Called before a schema is changed that is there already; the upgrade waits for it.

    Raises:
        SchemaRefused: Where a newer version of the program wrote the database, or its rows do not fit together.
        sqlalchemy.exc.DBAPIError: Where SQLite fails.
    """
    engine = make_engine(path, foreign_keys=False)
    try:
        with reading(engine).begin() as connection:
            current = _schema(connection)
        if current != HEAD:
            _upgrade(engine, current, path, before_upgrade)
    finally:
        engine.dispose()


def _schema(connection: Connection) -> str | None:
    """The revision of the schema that a database has; None where it has none yet."""
    if not connection.exec_driver_sql("SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'").first():
        return None
    row = connection.exec_driver_sql("SELECT version_num FROM alembic_version").first()
    return str(row[0]) if row else None


def _upgrade(
    engine: Engine, current: str | None, path: Path, before_upgrade: Callable[[sqlite3.Connection], None] | None
) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    known = {script.revision for script in ScriptDirectory.from_config(config).walk_revisions()}
    if current is not None and current not in known:
        raise SchemaRefused(
            f"the database {path} has schema {current}, and this version of the program knows schemas up to {HEAD}",
            "run the version that wrote it or a newer one, or put back a copy from before the upgrade",
        )
    if current is not None and before_upgrade is not None:
        with driver_connection(engine) as driver:
            before_upgrade(driver)
    failpoint("migrate.before")
    with engine.begin() as connection:
        if current is None:
            connection.exec_driver_sql(f"PRAGMA user_version = {UNCONFIRMED}")
        config.attributes["connection"] = connection
        command.upgrade(config, "head")
        failpoint("migrate.middle")
        _check_keys(connection, path)


def _check_keys(connection: Connection, path: Path) -> None:
    """Finds rows that lost their parent while keys were not enforced."""
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if orphans:
        tables = ", ".join(sorted({str(orphan[0]) for orphan in orphans}))
        raise SchemaRefused(
            f"the database {path} was not upgraded: rows without their channel in {tables}",
            "put back a copy from before, or remove these rows with sqlite3",
        )
