"""How processes ended whose worker was not there to see it: written down by the keeper, else asked of the kernel.

Standard library only, because the keeper uses it.
"""

import fcntl
import json
import os
import struct
import time
from contextlib import suppress
from pathlib import Path

FILE = "exits"
"""The exit ledger's name in the run directory."""
MAX_BYTES = 1_000_000
"""A larger ledger loses its older part when a keeper starts: some ten thousand ends, long accounted for."""
KEPT_BYTES = 100_000
"""What it keeps then: an end that no worker has read yet is among the last thousand."""

PIDFD_GET_INFO = 0xC040FF0B
"""``_IOWR(0xFF, 11, struct pidfd_info)`` for the structure's first 64 bytes: linux/pidfd.h since Linux 6.13."""
PIDFD_INFO_EXIT = 1 << 3
"""Asks for, and then says that there is, an exit code: linux/pidfd.h since Linux 6.15."""
_INFO = struct.Struct("=Q52xi")
"""``struct pidfd_info``: its mask comes first, its exit code, coded as wait(2) does it, as the last of 64 bytes."""


def record(ledger: Path, pid: int, start: int | None, code: int) -> None:
    """Appends how a process ended, and waits until that is on disk.

    Args:
        ledger: The exit ledger.
        pid: Which process.
        start: Its start time in clock ticks since boot.
        code: Its exit code, or the negated number of the signal that ended it.

    Raises:
        OSError: Where it could not be written.
    """
    entry = {"pid": pid, "start": start, "code": code, "at": time.time()}
    with ledger.open("a") as file:
        file.write(json.dumps(entry) + "\n")
        file.flush()
        os.fsync(file.fileno())


def trim(ledger: Path) -> None:
    """Drops the older part of a ledger that has grown beyond :data:`MAX_BYTES`."""
    with suppress(OSError):
        if ledger.stat().st_size <= MAX_BYTES:
            return
        kept = ledger.read_bytes()[-KEPT_BYTES:].partition(b"\n")[2]
        shorter = ledger.with_suffix(".new")
        shorter.write_bytes(kept)
        shorter.replace(ledger)


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


def kernel_exit_code(pidfd: int) -> int | None:
    """How a process ended that was nobody's child of ours, from Linux 6.15 on.

    Args:
        pidfd: A descriptor of the process that was opened while it lived.

    Returns:
        Its exit code, or the negated number of the signal that ended it. None where the kernel is older, or as long as
        the process's own parent has not collected it, which takes init some milliseconds.
    """
    info = bytearray(_INFO.pack(PIDFD_INFO_EXIT, 0))
    try:
        fcntl.ioctl(pidfd, PIDFD_GET_INFO, info)
    except OSError:
        return None
    mask, status = _INFO.unpack(info)
    return os.waitstatus_to_exitcode(status) if mask & PIDFD_INFO_EXIT else None
