"""Brings a database to the schema that this program knows."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.failpoints import failpoint
from transcoder_tui.store.engine import driver_connection, make_engine, reading

UNCONFIRMED = 1
"""SQLite's ``user_version`` of a database whose channels the worker has not compared yet with what it knows besides:
a new one, or one that was put in the place of another."""

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
    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    scripts = ScriptDirectory.from_config(config)
    head = scripts.get_current_head()
    engine = make_engine(path, foreign_keys=False)
    try:
        with reading(engine).begin() as connection:
            current = MigrationContext.configure(connection).get_current_revision()
        if current == head:
            return
        if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
            raise SchemaRefused(
                f"the database {path} has schema {current}, and this version of the program knows schemas up to {head}",
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
    finally:
        engine.dispose()


def _check_keys(connection: Connection, path: Path) -> None:
    """Finds rows that lost their parent while keys were not enforced."""
    orphans = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
    if orphans:
        tables = ", ".join(sorted({str(orphan[0]) for orphan in orphans}))
        raise SchemaRefused(
            f"the database {path} was not upgraded: rows without their channel in {tables}",
            "put back a copy from before, or remove these rows with sqlite3",
        )
