"""What the kernel knows of a process that seems to do nothing: stopped, busy, starved of packets, or blocked."""

from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from transcoder_tui.host.sampling import TICKS_PER_SECOND, parse_stat, read_stat, read_written
from transcoder_tui.host.udp import sockets_of

ESTABLISHED = "01"
"""The state of a connected TCP socket in /proc/net/tcp: others count a SYN or a FIN, or connections, as bytes."""

STOPPED = ("T", "t")
"""The states of a process that a signal stopped or a debugger holds, proc(5)."""
HANGS = "D"
"""The state of a thread in an uninterruptible wait, proc(5)."""


@dataclass(frozen=True, slots=True)
class Signs:
    """One look at a process."""

    state: str
    """As proc(5) names it: ``T`` stopped and ``t`` held by a debugger of its main thread, ``D`` where any of its
    threads waits in the kernel, since FFmpeg 7 and later write in threads of their own."""
    cpu_s: float
    """Seconds of processor time that it has used."""
    written: int
    """Bytes that it handed to ``write``: to files, but not to UDP."""
    received: int
    """Bytes that lie in its UDP sockets, unread."""
    dropped: int
    """Datagrams that the kernel threw away because they were not read in time."""
    unsent: int
    """Bytes that its connected TCP peers have not taken."""


def look(pid: int) -> Signs | None:
    """Looks at a process; None where it is gone.

    Costs about a millisecond with a hundred sockets on the host: meant for processes that raise suspicion.
    """
    stat = read_stat(pid)
    if stat is None:
        return None
    sockets = sockets_of(pid)
    received = dropped = unsent = 0
    for fields in _table(pid, "udp", sockets):
        received += int(fields[4].partition(":")[2], 16)
        dropped += int(fields[12])
    for fields in _table(pid, "tcp", sockets):
        if fields[3] == ESTABLISHED:
            unsent += int(fields[4].partition(":")[0], 16)
    state = stat.state if stat.state in STOPPED or not _hangs(pid) else HANGS
    return Signs(state, stat.cpu_ticks / TICKS_PER_SECOND, read_written(pid) or 0, received, dropped, unsent)


def _hangs(pid: int) -> bool:
    """Whether any of its threads waits in the kernel for a disk or the like."""
    with suppress(OSError):
        for thread in Path(f"/proc/{pid}/task").iterdir():
            # A thread may end between the two.
            with suppress(OSError, ValueError):
                if parse_stat((thread / "stat").read_bytes()).state == HANGS:
                    return True
    return False


def _table(pid: int, protocol: str, inodes: frozenset[str]) -> Iterator[list[str]]:
    """The lines of the kernel's tables of sockets that belong to these inodes, in the network of the process."""
    for name in (protocol, f"{protocol}6") if inodes else ():
        with suppress(OSError):
            for line in Path(f"/proc/{pid}/net/{name}").read_text().splitlines()[1:]:
                fields = line.split()
                if fields[9] in inodes:
                    yield fields
