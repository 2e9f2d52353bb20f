"""Memory ceilings that the kernel holds: a cgroup for each channel that has one, where this host permits it."""

import logging
import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from transcoder_tui.host.cgroups import OWN, NoGround, find_ground, words

MOVES = 3
"""How often keeper and worker are moved: a process that starts meanwhile stays behind once."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class MemoryEvents:
    """What the kernel counted in a cgroup, ``memory.events`` in its documentation of cgroup v2."""

    limit_hit: int
    """How often its own ceiling left no memory (``oom``)."""
    killed: int
    """Processes of it that were killed for want of memory, its own or the host's (``oom_kill``)."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """The cgroup of one channel."""

    path: Path

    @property
    def procs(self) -> Path:
        """What a process writes its pid to, to enter."""
        return self.path / "cgroup.procs"

    def holds(self, pid: int) -> bool:
        """Whether a process is in it."""
        return str(pid) in words(self.procs)

    def ceiling(self) -> int | None:
        """Bytes that its processes may take together; None where there is no ceiling."""
        written = words(self.path / "memory.max")
        return int(written[0]) if written and written[0].isdigit() else None

    def limit(self, ceiling: int | None) -> None:
        """Sets the ceiling in bytes, or lifts it; where more is in use already, the kernel kills at once.

        Raises:
            OSError: Where the cgroup is gone, or has lost its memory controller.
        """
        (self.path / "memory.max").write_text("max" if ceiling is None else str(ceiling))
        for file, value in (("memory.swap.max", "0"), ("memory.oom.group", "1")):
            # Kernels without swap accounting have no such file.
            with suppress(OSError):
                (self.path / file).write_text(value)

    def events(self) -> MemoryEvents:
        """What happened in it since it was made; zeros where it is gone."""
        counts = iter(words(self.path / "memory.events"))
        named = dict(zip(counts, counts, strict=False))
        return MemoryEvents(int(named.get("oom", 0)), int(named.get("oom_kill", 0)))

    def remove(self) -> None:
        """Removes it; one in which something still runs stays."""
        with suppress(OSError):
            self.path.rmdir()


class Ceilings:
    """Where the channels of this worker get their cgroups.

    Args:
        ground: Below which cgroup; None where none is ours.
        why: In that case, why.
    """

    def __init__(self, ground: Path | None, why: str = "") -> None:
        self.ground = ground
        self.why = why

    @classmethod
    def take(cls, run_path: Path) -> "Ceilings":
        """Takes possession of the place that this host leaves us: keeper and worker move aside, memory is limited.

        Args:
            run_path: The run directory, which tells this installation from others.
        """
        try:
            ground = find_ground(os.getpid(), run_path)
            _occupy(ground)
        except NoGround as error:
            log.info("memory ceilings are held by watching: %s", error)
            return cls(None, str(error))
        except OSError as error:
            log.warning("memory ceilings are held by watching: %s: %s", error.filename, error.strerror)
            return cls(None, f"{error.filename}: {error.strerror}")
        return cls(ground)

    def leaf(self, channel_id: int) -> Leaf | None:
        """The cgroup of a channel; None where it has none."""
        path = None if self.ground is None else self._path(channel_id)
        return Leaf(path) if path is not None and path.is_dir() else None

    def prepare(self, channel_id: int, ceiling: int | None) -> Leaf | None:
        """Makes the cgroup for a channel's next FFmpeg; what the last one left is removed, its counts with it.

        Args:
            channel_id: Of which channel.
            ceiling: Bytes; None where it has no ceiling.

        Returns:
            The cgroup; None where there is no ceiling, or this host does not permit one.
        """
        if (left := self.leaf(channel_id)) is not None:
            left.remove()
        if self.ground is None or ceiling is None:
            return None
        leaf = Leaf(self._path(channel_id))
        try:
            leaf.path.mkdir(exist_ok=True)
            leaf.limit(ceiling)
        except OSError as error:
            log.warning("channel %s: no cgroup: %s: %s", channel_id, error.filename, error.strerror)
            leaf.remove()
            return None
        return leaf

    def _path(self, channel_id: int) -> Path:
        assert self.ground is not None, "asked only where there is ground"
        return self.ground / f"channel-{channel_id}"


def _occupy(ground: Path) -> None:
    """Makes room for channels: nothing may stay in a cgroup whose children are limited, "no internal processes".

    Raises:
        OSError: Where the kernel refuses.
    """
    if not ground.exists():
        _limit_children(ground.parent)
        ground.mkdir()
    for _ in range(MOVES):
        for pid in words(ground / "cgroup.procs"):
            (ground / OWN).mkdir(exist_ok=True)
            with suppress(ProcessLookupError):
                (ground / OWN / "cgroup.procs").write_text(pid)
    _limit_children(ground)


def _limit_children(cgroup: Path) -> None:
    if "memory" not in words(cgroup / "cgroup.subtree_control"):
        (cgroup / "cgroup.subtree_control").write_text("+memory")
