"""What the kernel says of processes, proc(5); nothing of one that is gone."""

from contextlib import suppress
from pathlib import Path


def pids() -> list[int]:
    """Every process there is."""
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def state(pid: int) -> str:
    """The state's letter, ``Z`` for a zombie; empty where there is no such process."""
    try:
        return Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return ""


def is_alive(pid: int) -> bool:
    """Whether a process runs, and is no zombie: one whose other threads still end holds its files and sockets."""
    return state(pid) not in ("", "Z", "X") or threads(pid) > 1


def children(pid: int) -> list[int]:
    """The children of all its threads."""
    found: list[int] = []
    with suppress(OSError):
        for task in Path(f"/proc/{pid}/task").iterdir():
            found += map(int, (task / "children").read_text().split())
    return found


def descriptors(pid: int) -> int:
    """How many descriptors it has open."""
    return _count(Path(f"/proc/{pid}/fd"))


def threads(pid: int) -> int:
    """How many threads it has."""
    return _count(Path(f"/proc/{pid}/task"))


def link(pid: int, descriptor: int) -> str:
    """What a descriptor of a process is open on."""
    try:
        return str(Path(f"/proc/{pid}/fd/{descriptor}").readlink())
    except OSError:
        return ""


def _count(directory: Path) -> int:
    try:
        return sum(1 for _ in directory.iterdir())
    except OSError:
        return 0
