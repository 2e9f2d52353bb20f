import io
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from cli_rack import Rack, Result, Run, served

from transcoder_tui.cli import main


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An installation of its own, with a path short enough for a socket."""
    with tempfile.TemporaryDirectory(prefix="tt-") as directory:
        root = Path(directory)
        (root / "settings.toml").touch()
        for name, value in {
            "TRANSCODER_CONFIG": root / "settings.toml",
            "TRANSCODER_DATA_DIR": root / "data",
            "TRANSCODER_RUN_DIR": root / "run",
        }.items():
            monkeypatch.setenv(name, str(value))
        for name in ("TRANSCODER_DEBUG", "NO_COLOR"):
            monkeypatch.delenv(name, raising=False)
        yield root


@pytest.fixture
def rack(home: Path) -> Iterator[Rack]:
    """A rack that answers on the installation's socket."""
    rack = Rack()
    with served(rack, home / "run" / "worker.sock"):
        yield rack


@pytest.fixture
def run(home: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command line in this process."""

    def run(*arguments: object, stdin: bytes = b"") -> Result:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(stdin)))
        capfd.readouterr()
        code = main([str(argument) for argument in arguments])
        return Result(code, *capfd.readouterr())

    return run
