"""What opening the store costs a worker that starts."""

import subprocess
import sys
from pathlib import Path

from alembic.script import ScriptDirectory

from transcoder_tui import store
from transcoder_tui.store.migrate import HEAD, migrate


def test_the_schema_that_is_asked_for_is_the_newest_migration() -> None:
    scripts = ScriptDirectory(str(Path(store.__file__).parent / "migrations"))

    assert scripts.get_current_head() == HEAD


def test_alembic_is_not_imported_where_there_is_nothing_to_migrate(tmp_path: Path) -> None:
    migrate(tmp_path / "transcoder.db")
    script = "import sys; from pathlib import Path; from transcoder_tui.store.migrate import migrate;"
    script += "migrate(Path(sys.argv[1])); sys.exit('alembic' in sys.modules)"

    assert subprocess.run([sys.executable, "-c", script, tmp_path / "transcoder.db"], check=False).returncode == 0
