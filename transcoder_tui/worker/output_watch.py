"""Looks at the outputs of a channel from outside FFmpeg, which is often the last to know that one is dead."""

import os
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.ffmpeg.outputs import hls_trees, recordings
from transcoder_tui.host.multicast import interface_of
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.health import Health
from transcoder_tui.models.output import LADDERS
from transcoder_tui.worker.health import Trouble
from transcoder_tui.worker.outputs import Findings, OutputFault

LOOK_S = 4.0
"""How often files are looked at, and the longest time between two looks that counts: in a longer one the host was
paused."""
FROZEN_S = 10.0
"""Seconds of advancing media without growth after which an output counts as frozen, and at least so long for short
segments."""
FROZEN_SEGMENTS = 3
"""Segments without one more after which an HLS output counts as frozen: RFC 8216 players give up about then."""
DISK_FULL = 1_000_000
"""Bytes free below which FFmpeg writes empty HLS segments, without a word."""


@dataclass(slots=True)
class _Files:
    """One output on disk."""

    name: str
    paths: tuple[Path, ...]
    patience_s: float
    segmented: bool
    series: Path | None = None
    """Of a series of recordings, its name; the path is that of the file which is being written."""
    marks: dict[Path, tuple[int, int]] = field(default_factory=dict)
    grown_at: float = 0.0
    """In seconds of advancing media."""


@dataclass(frozen=True, slots=True)
class _Multicast:
    """One output that leaves by an interface of its own choice or the routing table's."""

    name: str
    interface: str


class OutputWatch:
    """Watches the outputs of one run.

    Args:
        spec: The channel.
        host: This machine at the start of the run.
        now: When watching begins (monotonic seconds).

    Attributes:
        sends_over_tcp: Whether a receiver can make FFmpeg wait, as those of UDP cannot.
    """

    def __init__(self, spec: ChannelSpec, host: HostFacts, now: float) -> None:
        self._count = len(spec.outputs)
        self.sends_over_tcp = any(output.address.scheme in ("rtmp", "rtmps") for output in spec.outputs)
        self._files = _files(spec, host)
        self._advanced_s = 0.0
        self._seen_at = now
        self._multicasts = _multicasts(spec, host)
        self._looked_at = 0.0
        self._full: list[str] = []
        self._faults: Sequence[OutputFault] = ()

    def learn(self, found: Findings) -> None:
        """Takes in what a look at the files found that was not for the event loop."""
        self._faults = found.faults
        for files in self._files:
            if files.series is not None and files.series in found.written:
                files.paths = (found.written[files.series],)

    def hold(self, now: float) -> None:
        """Counts from ``now`` on: until then media did not advance, which is no fault of an output."""
        self._seen_at = now

    def look(self, now: float) -> None:
        """Looks at the files, not more often than every :data:`LOOK_S`."""
        self._advanced_s += min(now - self._seen_at, LOOK_S)
        self._seen_at = now
        if now - self._looked_at < LOOK_S:
            return
        self._looked_at = now
        self._full = []
        for files in self._files:
            for path in files.paths:
                with suppress(OSError):
                    stat = os.stat(path)  # noqa: PTH116 - half the time of Path.stat, for thousands of files
                    mark = (stat.st_mtime_ns, stat.st_size)
                    if files.marks.get(path) != mark:
                        files.marks[path] = mark
                        files.grown_at = self._advanced_s
            if files.segmented and _is_full(files.paths[0].parent):
                self._full.append(files.name)

    def troubles(self, links: Mapping[str, bool], patience_s: float = 0.0) -> list[Trouble]:
        """What is the matter with the outputs of a channel whose media advances.

        Args:
            links: For each network interface, whether it has a link.
            patience_s: Seconds longer than usual without growth that are no fault.
        """
        if not self._files and not self._multicasts:
            return []
        found = self._unwritable()
        if self._full:
            found.append(
                Trouble(
                    Health.DISK_FULL,
                    f"the disk of {_list(self._full)} is full: segments are written empty",
                    "free space on it; the channel goes on by itself",
                )
            )
        else:
            found += self._frozen(patience_s)
        dead = [out for out in self._multicasts if links.get(out.interface) is False]
        if dead:
            names = _list([out.name for out in dead])
            gates = _list(sorted({out.interface for out in dead}))
            found.append(
                Trouble(
                    Health.NO_CARRIER,
                    f"{gates} has no carrier: {names} reaches nobody",
                    "check the cable, the switch port and the state of the interface",
                )
            )
        return found

    def _unwritable(self) -> list[Trouble]:
        if not self._faults:
            return []
        faults = [f"{fault.name}: {fault.fault}" for fault in self._faults]
        others = "; the other outputs go on" if len(self._faults) < self._count else ""
        return [Trouble(Health.OUTPUT_FAULT, "; ".join(faults) + others, self._faults[0].remedy)]

    def _frozen(self, patience_s: float) -> list[Trouble]:
        now = self._advanced_s
        frozen = [files for files in self._files if now - files.grown_at > files.patience_s + patience_s]
        if not frozen:
            return []
        names, quiet = _list([files.name for files in frozen]), max(now - files.grown_at for files in frozen)
        others = "; the other outputs go on" if len(frozen) < self._count else ""
        return [
            Trouble(
                Health.OUTPUT_FROZEN,
                f"{names} has not grown for {quiet:.0f} s{others}",
                "look at its directory: is it there, may the worker write in it, does its disk answer?",
            )
        ]


def _files(spec: ChannelSpec, host: HostFacts) -> list[_Files]:
    trees, records = iter(hls_trees(spec, host)), iter(recordings(spec, host))
    found = []
    for output in spec.outputs:
        name = output.address.masked
        if output.address.scheme in LADDERS:
            patience = max(FROZEN_S, FROZEN_SEGMENTS * spec.segment(output))
            found.append(_Files(name, next(trees).playlists, patience, segmented=True))
        elif output.address.scheme == "file":
            recording = next(records)
            series = recording.path if recording.is_series else None
            found.append(_Files(name, (recording.path,), FROZEN_S, segmented=False, series=series))
    return found


def _multicasts(spec: ChannelSpec, host: HostFacts) -> list[_Multicast]:
    found = []
    for output in spec.outputs:
        if output.address.is_multicast:
            name = interface_of(output.address.host, output.interface, host.interfaces)
            found += [_Multicast(output.address.masked, name)] if name else []
    return found


def _is_full(directory: Path) -> bool:
    try:
        space = os.statvfs(directory)
    except OSError:
        return False
    return space.f_bavail * space.f_frsize < DISK_FULL


def _list(names: list[str]) -> str:
    return ", ".join(names)
