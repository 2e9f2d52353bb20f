"""The files that a channel writes: made before a start, tended while it runs, finished after a stop."""

import tempfile
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

from transcoder_tui.errors import HostFault
from transcoder_tui.ffmpeg.command import HostFacts
from transcoder_tui.ffmpeg.ladders import HlsTree
from transcoder_tui.ffmpeg.outputs import hls_trees, recordings
from transcoder_tui.ffmpeg.recording import Recording
from transcoder_tui.ffmpeg.texts import Text
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.output import LADDERS, Output
from transcoder_tui.worker import endings, keys, retention, segments, subtitles
from transcoder_tui.worker.masters import Masters


@dataclass(frozen=True, slots=True)
class OutputFault:
    """Why one output cannot be written."""

    name: str
    """Its address, secrets masked."""
    fault: str
    remedy: str


@dataclass(frozen=True, slots=True)
class Findings:
    """What a look at the files of a running channel found."""

    faults: tuple[OutputFault, ...] = ()
    written: Mapping[Path, Path] = field(default_factory=dict)
    """For each series of recordings, by its name, the file that is being written."""
    sizes: Mapping[Path, int] = field(default_factory=dict)
    """For each recording, or series of them, the size of the file that is being written."""
    rates: Mapping[Path, float] = field(default_factory=dict)
    """For each media playlist, bits per second that its last segments take."""


def prepare(spec: ChannelSpec, host: HostFacts, texts: Sequence[Text] = ()) -> None:
    """Makes the directories of a channel's outputs and moves earlier recordings out of the way.

    FFmpeg notices a directory that it cannot write to only at the end of the first segment, and truncates a
    recording that it finds. One that cannot be written is no reason not to start where another output can run:
    :func:`tend` tells of it, and tries it again.

    Args:
        spec: The channel.
        host: This machine.
        texts: The subtitles that become WebVTT.

    Raises:
        HostFault: Where no output of the channel can be written.
    """
    faults = []
    for place in _places(spec, host):
        try:
            _make_ready(place, host, spec, texts)
        except HostFault as error:
            faults.append(error)
    if faults and len(faults) == len(spec.outputs):
        raise faults[0]


def tend(spec: ChannelSpec, host: HostFacts, masters: Masters, now: float) -> Findings:
    """Looks after the files of a channel that runs; not for the event loop.

    Makes directories again that are gone, keeps master playlists true, changes keys, deletes what is left of earlier
    runs and old recordings.

    Args:
        spec: The channel as it runs.
        host: This machine.
        masters: What is known of its master playlists.
        now: Seconds since the epoch.
    """
    faults: list[OutputFault] = []
    written: dict[Path, Path] = {}
    sizes: dict[Path, int] = {}
    rates: dict[Path, float] = {}
    for place in _places(spec, host):
        name = place.output.address.masked
        try:
            directories = _directories(place)
            gone = [directory for directory in directories if not directory.is_dir()]
            for directory in gone or directories[:1]:
                _writable(directory, _roots(place, host))
            if isinstance(place, HlsTree):
                masters.correct(place)
                rates |= masters.latest(place, now)
                endings.keep(place)
                if place.is_dash:
                    segments.clear_earlier_runs(place, now)
                if place.output.encryption is not None:
                    keys.tend(place, now)
            elif place.is_series:
                retention.prune(place, now)
                if (newest := retention.newest(place)) is not None:
                    written[place.path] = place.path.with_name(newest)
            if isinstance(place, Recording):
                with suppress(FileNotFoundError):
                    sizes[place.path] = written.get(place.path, place.path).stat().st_size
            if gone:
                faults.append(OutputFault(name, f"{gone[0]}: the directory is gone; it was made again", "see who does"))
        except HostFault as error:
            faults.append(OutputFault(name, error.faults[0].fault, error.faults[0].remedy))
        except OSError as error:
            faults.append(OutputFault(name, f"{error.filename or name}: {error.strerror}", _REMEDY))
    return Findings(tuple(faults), written, sizes, rates)


def tend_subtitles(spec: ChannelSpec, host: HostFacts) -> None:
    """Lists the text segments that have come since; a fault of the directory is for :func:`tend` to tell."""
    for tree in hls_trees(spec, host):
        with suppress(OSError):
            subtitles.tend(tree)


def keep(spec: ChannelSpec, host: HostFacts) -> None:
    """Keeps what the playlists and manifests of a channel say, before its FFmpeg is asked to end."""
    for tree in hls_trees(spec, host):
        endings.keep(tree)


def is_on_disk(output: Output) -> bool:
    """Whether an output is written to files."""
    return output.address.scheme in (*LADDERS, "file")


def finalise(spec: ChannelSpec, host: HostFacts, going_on: ChannelSpec | None = None) -> None:
    """Ends the playlists and manifests of a channel that was stopped, so that players do not wait for more.

    Args:
        spec: The channel as it ran.
        host: This machine.
        going_on: The channel as it runs from now on; what that writes to is left open.
    """
    staying = {playlist for tree in (hls_trees(going_on, host) if going_on else ()) for playlist in tree.playlists}
    for tree in hls_trees(spec, host):
        with suppress(OSError):
            endings.end(tree, staying)
            if not staying.intersection(tree.playlists):
                subtitles.tend(tree, ended=True)
                # From version 7 on, FFmpeg writes the master playlist once more at its end.
                Masters().correct(tree)


def require_inside(path: Path, roots: Sequence[Path]) -> None:
    """Refuses a path that leads outside its roots once links are followed.

    Raises:
        HostFault: Naming the path, where it leads and the roots.
    """
    real = path.resolve()
    if not any(real.is_relative_to(root.resolve()) for root in roots):
        allowed = ", ".join(map(str, roots))
        raise HostFault(f"{path} leads outside the directories that channels may use", f"stay below {allowed}")


_REMEDY = "free space on its disk, or give the worker the right to write"


def _places(spec: ChannelSpec, host: HostFacts) -> list[HlsTree | Recording]:
    return [*hls_trees(spec, host), *recordings(spec, host)]


def _make_ready(place: HlsTree | Recording, host: HostFacts, spec: ChannelSpec, texts: Sequence[Text]) -> None:
    """Makes an output's directories, and clears the way for a new FFmpeg.

    Raises:
        HostFault: Where it cannot be written.
    """
    _make(place, host)
    try:
        if isinstance(place, Recording):
            _set_aside(place)
            return
        endings.put_back(place)
        if place.output.format == "fmp4":
            segments.renew(place)
        if place.is_dash:
            segments.clear_earlier_runs(place, time.time())
        elif place.forgets:
            segments.clear_unlisted(place)
        subtitles.begin(place, spec, texts)
        if place.output.encryption is not None:
            keys.change(place)
    except OSError as error:
        raise HostFault(f"{error.filename or place.output.url}: {error.strerror}", _REMEDY) from None


def _set_aside(recording: Recording) -> None:
    path = recording.path
    if not recording.is_series and path.exists() and path.stat().st_size:
        stamp = datetime.fromtimestamp(path.stat().st_mtime, UTC).strftime("%Y%m%dT%H%M%SZ")
        path.replace(path.with_name(f"{path.stem}.{stamp}{path.suffix}"))


def _directories(place: HlsTree | Recording) -> list[Path]:
    if isinstance(place, Recording):
        return [place.path.parent]
    return sorted({place.directory, *(playlist.parent for playlist in place.playlists)})


def _make(place: HlsTree | Recording, host: HostFacts) -> None:
    for directory in _directories(place):
        _writable(directory, _roots(place, host))


def _roots(place: HlsTree | Recording, host: HostFacts) -> Sequence[Path]:
    return host.media_roots if isinstance(place, Recording) else [host.hls_root]


def _writable(directory: Path, roots: Sequence[Path]) -> None:
    require_inside(directory, roots)
    try:
        directory.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=directory) as probe:
            probe.write(b"\0")
            probe.flush()
    except (FileExistsError, NotADirectoryError):
        raise HostFault(f"{directory} cannot be written: it is no directory", "remove what is in its way") from None
    except OSError as error:
        raise HostFault(f"{directory} cannot be written: {error.strerror}", _REMEDY) from None
