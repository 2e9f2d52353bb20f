"""Brings a database to the schema that this program knows."""

from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from transcoder_tui.errors import StoreUnavailable
from transcoder_tui.failpoints import failpoint
from transcoder_tui.store.engine import make_engine, reading

_SCRIPTS = Path(__file__).parent / "migrations"


def migrate(path: Path) -> None:
    """Creates or upgrades the schema, all steps in one transaction: what is interrupted has not happened.

    Args:
        path: The SQLite file.

    Raises:
        StoreUnavailable: Where a newer version of the program wrote the database.
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
            raise StoreUnavailable(
                f"the database {path} has schema {current}, and this version of the program knows schemas up to {head}",
                "run the version that wrote it or a newer one, or put back a copy from before the upgrade",
            )
        failpoint("migrate.before")
        with engine.begin() as connection:
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
        raise StoreUnavailable(
            f"the database {path} was not upgraded: rows without their channel in {tables}",
            "put back a copy from before, or remove these rows with sqlite3",
        )
