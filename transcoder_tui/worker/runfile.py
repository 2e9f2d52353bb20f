"""What the run directory remembers of each channel, in case the database loses it.

The run directory lies on another disk than the database, best in memory, and lasts until the host is started anew. So
after the database was restored from a copy, these files tell what was changed and ordered since.
"""

import logging
import os
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from pydantic import BaseModel, ValidationError

from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import EventFields, EventKind, Severity
from transcoder_tui.models.job import JobFields, Wanted
from transcoder_tui.models.names import MAX_NAME
from transcoder_tui.store.store import StoredChannel
from transcoder_tui.worker.rundir import RunDir

FILE_MODE = 0o600
"""The document holds stream keys and passphrases."""

log = logging.getLogger(__name__)


class Kept(BaseModel):
    """A channel as its run directory remembers it."""

    id: int
    revision: int
    spec: ChannelSpec
    wanted: Wanted
    generation: int


@dataclass(frozen=True, slots=True)
class Reconciled:
    """What the worker starts with after a restore."""

    channels: list[StoredChannel]
    """By id."""
    events: list[EventFields]
    """What was changed against the restored database, and why."""


def write(run_dir: RunDir, channel: StoredChannel) -> bool:
    """Writes a channel down; a reader finds the former file or the new one.

    Args:
        run_dir: The channel's.
        channel: As it is now.

    Returns:
        Whether it could be written; that it cannot is no reason to stop anything.
    """
    kept = Kept.model_construct(
        id=channel.id,
        revision=channel.revision,
        spec=channel.spec,
        wanted=channel.job.wanted,
        generation=channel.job.generation,
    )
    file = run_dir.path / "run.json"
    unfinished = file.with_suffix(".json.new")
    try:
        run_dir.path.mkdir(mode=0o750, parents=True, exist_ok=True)
        descriptor = os.open(unfinished, os.O_CREAT | os.O_TRUNC | os.O_WRONLY, FILE_MODE)
        with os.fdopen(descriptor, "wb") as stream:
            stream.write(kept.model_dump_json().encode())
        unfinished.replace(file)
    except OSError as error:
        log.warning("%s cannot be written: %s", file, error.strerror)
        with suppress(OSError):
            unfinished.unlink()
        return False
    return True


def read_all(run_path: Path) -> dict[int, Kept]:
    """Every channel that the run directory remembers, by its id; a file that makes no sense is passed over."""
    found = {}
    for channel_id, run_dir in RunDir.all(run_path).items():
        file = run_dir.path / "run.json"
        try:
            kept = Kept.model_validate_json(file.read_bytes())
        except FileNotFoundError:
            continue
        except (OSError, ValidationError) as error:
            log.warning("%s cannot be read: %s", file, error)
            continue
        if kept.id == channel_id:
            found[channel_id] = kept
    return found


def reconcile(
    stored: Sequence[StoredChannel],
    kept: Mapping[int, Kept],
    *,
    same_boot: bool,
    on_air: Collection[int] = (),
) -> Reconciled:
    """Compares a restored database with the run directory: the newer word wins, and nothing on air is stopped.

    - A document of a later revision and an order of a later generation are taken from the run directory.
    - A channel that the database does not know is created again with its id.
    - A channel that the run directory does not know, although it knows others and the host was not started anew, may
      have been deleted since: it stays, stopped. Where another channel has its name by now, it was deleted.

    Args:
        stored: The channels of the restored database.
        kept: The channels of the run directory.
        same_boot: Whether the host was not started anew since the last worker.
        on_air: The channels of which an FFmpeg runs.
    """
    taken = {channel.spec.name.casefold() for channel in kept.values()}
    known = {channel.id for channel in stored}
    result = Reconciled([], [])
    for channel in stored:
        newer = kept.get(channel.id)
        if newer is not None:
            _take_newer(channel, newer, result)
        elif channel.spec.name.casefold() in taken:
            result.events.append(_event(channel, "was deleted or renamed after the copy was made: it is gone again"))
        elif same_boot and kept:
            _take_doubtful(channel, result, is_on_air=channel.id in on_air)
        else:
            result.channels.append(channel)
    for channel_id, lost in kept.items():
        if channel_id not in known:
            job = JobFields(wanted=lost.wanted, generation=lost.generation)
            created = StoredChannel(channel_id, lost.revision, lost.spec, job)
            result.channels.append(created)
            result.events.append(_event(created, "taken from the run directory: the copy does not know it"))
    return Reconciled(_distinct(result.channels), result.events)


def _distinct(channels: Sequence[StoredChannel]) -> list[StoredChannel]:
    """By id, each with a name of its own: two have the same one where a run directory could not be written."""
    names: set[str] = set()
    distinct = []
    for channel in sorted(channels, key=lambda channel: -channel.id):
        name = channel.spec.name
        if name.casefold() in names:
            suffix = f" ({channel.id})"
            spec = channel.spec.model_copy(update={"name": name[: MAX_NAME - len(suffix)] + suffix})
            channel = replace(channel, spec=spec)
        names.add(channel.spec.name.casefold())
        distinct.append(channel)
    return distinct[::-1]


def _take_newer(channel: StoredChannel, kept: Kept, result: Reconciled) -> None:
    revision, spec, job, changes = channel.revision, channel.spec, channel.job, []
    if kept.revision > revision:
        revision, spec = kept.revision, kept.spec
        changes.append(f"document of revision {revision}")
    if kept.generation > job.generation:
        job = job.model_copy(update=_ordered(kept.wanted, kept.generation))
        changes.append(f"order to be {kept.wanted}")
    taken = StoredChannel(channel.id, revision, spec, job)
    result.channels.append(taken)
    if changes:
        result.events.append(_event(taken, f"{' and '.join(changes)} taken from the run directory"))


def _take_doubtful(channel: StoredChannel, result: Reconciled, *, is_on_air: bool) -> None:
    wanted = Wanted.RUNNING if is_on_air else Wanted.STOPPED
    job = channel.job
    if job.wanted != wanted:
        job = job.model_copy(update=_ordered(wanted, job.generation + 1))
    taken = StoredChannel(channel.id, channel.revision, channel.spec, job)
    result.channels.append(taken)
    then = "it is on air and stays so" if is_on_air else "it stays stopped; start it or delete it"
    result.events.append(_event(taken, f"may have been deleted after the copy was made: {then}"))


def _ordered(wanted: Wanted, generation: int) -> dict[str, object]:
    """What an order changes in a job: what earlier failures left behind is over."""
    return {
        "wanted": wanted,
        "generation": generation,
        "attempt": 0,
        "restarts": 0,
        "next_retry_at": None,
        "error": "",
        "remedy": "",
    }


def _event(channel: StoredChannel, message: str) -> EventFields:
    return EventFields(
        at=datetime.now(UTC),
        kind=EventKind.WORKER,
        severity=Severity.WARNING,
        channel_id=channel.id,
        channel=channel.spec.name,
        message=message,
        actor="worker",
    )
