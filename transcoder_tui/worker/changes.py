"""What applying a line-up means for the channels that are there."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.job import JobFields, Wanted
from transcoder_tui.models.lineup import Change, ChangeKind
from transcoder_tui.store.store import Edit


@dataclass(frozen=True, slots=True)
class Planned:
    """One change with the edit that carries it out; None where nothing is to be stored."""

    change: Change
    edit: Edit | None


def plan(existing: Mapping[int, ChannelSpec], wanted: Sequence[ChannelSpec], *, prune: bool) -> list[Planned]:
    """Compares a line-up with what is stored; channels are matched by name, without regard to case.

    Args:
        existing: The stored channels by id.
        wanted: The line-up's channels.
        prune: Whether channels that the line-up does not name are deleted.
    """
    by_name = {spec.name.casefold(): channel_id for channel_id, spec in existing.items()}
    planned = []
    for spec in wanted:
        channel_id = by_name.pop(spec.name.casefold(), None)
        planned.append(_create(spec) if channel_id is None else _change(channel_id, existing[channel_id], spec))
    if prune:
        planned += [_delete(channel_id, existing[channel_id]) for channel_id in by_name.values()]
    return planned


def created_job(spec: ChannelSpec) -> JobFields:
    """The job of a new channel: wanted at once where it starts by itself."""
    return JobFields(wanted=Wanted.RUNNING, generation=1) if spec.autostart else JobFields()


def changed_fields(old: object, new: object, path: str = "") -> list[str]:
    """Paths of the values that differ between two documents, such as ``outputs[0].muxrate``."""
    if isinstance(old, dict) and isinstance(new, dict):
        names = [*old, *(name for name in new if name not in old)]
        return [
            found
            for name in names
            for found in changed_fields(old.get(name), new.get(name), f"{path}.{name}" if path else name)
        ]
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [found for index, (one, other) in pairs for found in changed_fields(one, other, f"{path}[{index}]")]
    return [] if old == new else [path]


def _create(spec: ChannelSpec) -> Planned:
    return Planned(
        Change(kind=ChangeKind.CREATE, channel=spec.name), Edit(channel_id=None, spec=spec, job=created_job(spec))
    )


def _change(channel_id: int, old: ChannelSpec, new: ChannelSpec) -> Planned:
    fields = changed_fields(old.document(), new.document())
    if not fields:
        return Planned(Change(kind=ChangeKind.KEEP, channel=new.name), None)
    restarts = old.on_air_part() != new.on_air_part()
    change = Change(kind=ChangeKind.CHANGE, channel=new.name, fields=fields, restarts=restarts)
    return Planned(change, Edit(channel_id=channel_id, spec=new))


def _delete(channel_id: int, spec: ChannelSpec) -> Planned:
    return Planned(Change(kind=ChangeKind.DELETE, channel=spec.name), Edit(channel_id=channel_id, spec=None))
