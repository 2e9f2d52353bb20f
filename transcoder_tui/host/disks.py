"""The disks of this machine: where each is mounted, what room it has, and what is read and written."""

import os
import re
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

SECTOR = 512
"""Bytes in which the kernel counts, whatever the disk's own sectors are (Documentation/admin-guide/iostats.rst)."""


class Mount(NamedTuple):
    """A file system in its place."""

    device: str
    """What is mounted: ``/dev/sda1``, ``tmpfs``, ``nas:/media``."""
    point: Path
    kind: str
    """Such as ``ext4``, ``tmpfs`` or ``nfs4``."""


class Room(NamedTuple):
    """What a disk says of itself."""

    total: int
    """Bytes."""
    free: int
    """Bytes that ordinary users can still write."""
    number: tuple[int, int]
    """Major and minor number of its device."""


def mounts() -> str:
    """The text of ``/proc/self/mounts``; empty where it cannot be read."""
    with suppress(OSError):
        return Path("/proc/self/mounts").read_text(errors="replace")
    return ""


def mount_of(path: Path, text: str) -> Mount | None:
    """The mount that holds a path; does not touch the disk, which may hang.

    Args:
        path: Absolute, without symbolic links.
        text: That of ``/proc/self/mounts``, in which a later mount hides an earlier one, fstab(5).
    """
    found: Mount | None = None
    for line in text.splitlines():
        fields = line.split(" ")
        if len(fields) < 3:
            continue
        device, point = (
            re.sub(r"\\([0-7]{3})", lambda match: chr(int(match.group(1), 8)), field) for field in fields[:2]
        )
        mount = Mount(device, Path(point), fields[2])
        deeper = found is None or len(mount.point.parts) >= len(found.point.parts)
        if path.is_relative_to(mount.point) and deeper:
            found = mount
    return found


def room(point: Path) -> Room:
    """What a disk says of itself; waits as long as it hangs.

    Raises:
        OSError: Where it does not say it.
    """
    space, device = os.statvfs(point), point.stat().st_dev
    return Room(
        total=space.f_blocks * space.f_frsize,
        free=space.f_bavail * space.f_frsize,
        number=(os.major(device), os.minor(device)),
    )


def transferred() -> dict[tuple[int, int], tuple[int, int]]:
    """Bytes read from and written to each device since boot, by its numbers; network and memory disks have none."""
    found: dict[tuple[int, int], tuple[int, int]] = {}
    with suppress(OSError):
        for line in Path("/proc/diskstats").read_text().splitlines():
            fields = line.split()
            found[int(fields[0]), int(fields[1])] = (int(fields[5]) * SECTOR, int(fields[9]) * SECTOR)
    return found
