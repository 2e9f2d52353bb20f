"""Reads how FFmpegs ended whose worker was not there to see it."""

import json
from pathlib import Path


def exit_code(ledger: Path, pid: int, start_ticks: int | None) -> int | None:
    """How a process ended, as the keeper recorded it.

    Args:
        ledger: The keeper's exit ledger.
        pid: Which process.
        start_ticks: Its start time, which tells it from another that had the same pid.

    Returns:
        Its exit code, the negated number of the signal that ended it, or None where nobody saw its end.
    """
    try:
        lines = ledger.read_text(errors="replace").splitlines()
    except OSError:
        return None
    for line in reversed(lines):
        try:
            entry = json.loads(line)
        except ValueError:
            continue
        if entry.get("pid") == pid and start_ticks in (None, entry.get("start")):
            code = entry.get("code")
            return code if isinstance(code, int) else None
    return None
