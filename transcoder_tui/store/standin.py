"""What a database holds that can be read but not opened, such as on a disk that is full or read-only."""

import shutil
import sqlite3
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError

from transcoder_tui.store.engine import memory_engine
from transcoder_tui.store.files import beside
from transcoder_tui.store.migrate import migrate
from transcoder_tui.store.repair import damage

MEMORY = Path("/dev/shm")
"""Where a copy may be opened without a disk, on every Linux."""


def stand_in(files: Sequence[Path]) -> tuple[Engine, Path] | None:
    """A copy in memory of the first database that can be read, brought to our schema; only to be read.

    SQLite needs files that it can write beside a database in WAL mode even to read it.

    Args:
        files: The database and its copies, as far as they are there.

    Returns:
        The copy, and of what it is one; None where none can be read.

    Raises:
        SchemaRefused: Where a database is sound and not one for this version.
    """
    for file in files:
        for folder in _folders():
            with suppress(OSError, sqlite3.Error, DBAPIError), _copied(file, folder) as copy:
                if damage(copy):
                    break
                migrate(copy)
                memory = sqlite3.connect(":memory:")
                with closing(sqlite3.connect(copy)) as source:
                    source.execute("PRAGMA journal_mode = DELETE")
                    source.backup(memory)
                return memory_engine(memory), file
    return None


def _folders() -> Iterator[Path]:
    yield MEMORY
    # None at all may be writable.
    with suppress(OSError):
        yield Path(tempfile.gettempdir())


@contextmanager
def _copied(file: Path, folder: Path) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="transcoder-", dir=folder) as directory:
        copy = Path(directory) / "transcoder.db"
        shutil.copyfile(file, copy)
        with suppress(FileNotFoundError):
            shutil.copyfile(beside(file, "-wal"), beside(copy, "-wal"))
        yield copy
