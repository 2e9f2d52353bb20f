"""Small things for the tests of the keeper alone."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

KEEPER = "import sys; from transcoder_tui.worker.keeper import main; sys.exit(main(sys.argv[1:]))"
"""A keeper whose worker is the command that follows."""

Start = Callable[..., "subprocess.Popen[bytes]"]
"""Starts a keeper, given its worker's script and more environment."""


def workers(run_dir: Path) -> list[int]:
    """The pids of every worker that was started so far."""
    starts = run_dir / "starts"
    return [int(line) for line in starts.read_text().split()] if starts.exists() else []


def ends(run_dir: Path) -> list[dict[str, Any]]:
    """What the exit ledger holds."""
    ledger = run_dir / "exits"
    return [json.loads(line) for line in ledger.read_text().splitlines()] if ledger.exists() else []


def said(run_dir: Path) -> str:
    """What keepers and workers wrote to stderr."""
    return (run_dir / "said").read_text()
