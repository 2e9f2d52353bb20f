"""Creates, changes and deletes channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete, func, insert
from sqlmodel import Session, col, select

from transcoder_tui.errors import Conflict, Fault, InvalidInput, NoSuchChannel
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import Event, EventFields
from transcoder_tui.models.job import JobFields, Wanted
from transcoder_tui.store.entries import write_events, write_jobs
from transcoder_tui.store.rows import (
    CHILDREN,
    StoredChannel,
    child_values,
    deletion_values,
    name_key,
    own_fields,
    read_job,
    revision_values,
)
from transcoder_tui.store.tables import REVISIONS, ChannelRow, JobRow, RevisionRow

MANY = 500
"""Ids in one statement; SQLite takes 32766 parameters, older ones 999."""
_NAMES = select(ChannelRow.id, ChannelRow.name_key)


@dataclass(frozen=True)
class Edit:
    """One channel to create, change or delete."""

    channel_id: int | None
    """None creates."""
    spec: ChannelSpec | None
    """None deletes."""
    revision: int | None = None
    """The revision on which the edit is based; None takes any."""
    job: JobFields | None = None
    """The job to write along; None leaves it as it is, or stopped where the channel is created."""
    revives: bool = False
    """Whether the channel was deleted, and is created again with the id that it had."""

    def __post_init__(self) -> None:
        if self.channel_id is None and self.spec is None:
            raise ValueError("an edit creates, changes or deletes")
        if self.revives and (self.channel_id is None or self.spec is None):
            raise ValueError("what is created again has its id and its document")


def apply_edits(
    session: Session, edits: Sequence[Edit], events: Sequence[EventFields], actor: str
) -> tuple[list[StoredChannel | None], list[Event]]:
    """Carries out edits in an open transaction; see :meth:`Store.edit`."""
    at = datetime.now(UTC)
    for edit in edits:
        if edit.channel_id is not None and not edit.revives:
            row = _expected(session, edit.channel_id, edit.revision)
            if edit.spec is None:
                _delete(session, row, at, actor)
            else:
                # A name that no channel can have: frees the old one for another channel of these edits.
                row.name_key = f"\0{row.id}"
    session.flush()
    stored = _put(session, edits, at, actor)
    created = {
        channel.spec.name: channel.id
        for edit, channel in zip(edits, stored, strict=True)
        if channel is not None and edit.channel_id is None
    }
    placed = [
        event.model_copy(update={"at": at, "channel_id": event.channel_id or created.get(event.channel)})
        for event in events
    ]
    return stored, write_events(session, placed)


def put_channels(session: Session, channels: Sequence[StoredChannel]) -> None:
    """Makes these channels, with their ids, revisions and jobs, the only ones."""
    at = datetime.now(UTC)
    created = {row.id: row.created_at for row in session.exec(select(ChannelRow))}
    session.execute(delete(ChannelRow))
    session.expunge_all()
    for channel in channels:
        fields = own_fields(channel.spec) | {"id": channel.id, "revision": channel.revision}
        session.add(ChannelRow(**fields, created_at=created.get(channel.id, at), updated_at=at))
    session.flush()
    kept = set(session.exec(select(RevisionRow.channel_id, RevisionRow.revision)))
    copied = [channel for channel in channels if (channel.id, channel.revision) not in kept]
    _write_children(session, channels)
    _write_revisions(session, copied, at, "worker")
    write_jobs(session, {channel.id: channel.job for channel in channels})


def _delete(session: Session, row: ChannelRow, at: datetime, actor: str) -> None:
    assert row.id is not None, "a stored row has its id"
    job = session.get(JobRow, row.id)
    wanted = Wanted(job.wanted) if job is not None else Wanted.STOPPED
    session.execute(insert(REVISIONS), [deletion_values(row.id, row.revision + 1, wanted, at, actor)])
    session.delete(row)


def _expected(session: Session, channel_id: int, revision: int | None) -> ChannelRow:
    row = session.get(ChannelRow, channel_id)
    if row is None:
        raise NoSuchChannel(f"no channel has the id {channel_id}", "see the list of channels; it may have been deleted")
    if revision is not None and row.revision != revision:
        raise Conflict(
            f"{row.name} is at revision {row.revision}, and this change is based on revision {revision}",
            "load the channel again and repeat the change",
        )
    return row


def _put(session: Session, edits: Sequence[Edit], at: datetime, actor: str) -> list[StoredChannel | None]:
    """Writes the created and changed channels in one go.

    One after the other, each would be looked for among all that were written before it.

    Returns:
        The channel of each edit; None where it was deleted.
    """
    _refuse_namesakes(session, edits)
    rows = [_row(session, edit, edit.spec, at) if edit.spec is not None else None for edit in edits]
    session.flush()
    changed = [edit.channel_id for edit in edits if edit.channel_id is not None and edit.spec is not None]
    jobs = _jobs(session, changed)
    given: dict[int, JobFields] = {}
    stored: list[StoredChannel | None] = []
    for edit, row in zip(edits, rows, strict=True):
        if row is None or edit.spec is None:
            stored.append(None)
            continue
        assert row.id is not None, "a flushed row has its id"
        if edit.job is not None or edit.channel_id is None or edit.revives:
            given[row.id] = edit.job or JobFields()
        job = given.get(row.id) or jobs.get(row.id) or JobFields()
        stored.append(StoredChannel(row.id, row.revision, edit.spec, job))
    there = [channel for channel in stored if channel is not None]
    for _, _, child in CHILDREN:
        for start in range(0, len(changed), MANY):
            session.execute(delete(child).where(col(child.channel_id).in_(changed[start : start + MANY])))
    _write_children(session, there)
    _write_revisions(session, there, at, actor)
    write_jobs(session, given)
    return stored


def _jobs(session: Session, channel_ids: Sequence[int]) -> dict[int, JobFields]:
    found: dict[int, JobFields] = {}
    for start in range(0, len(channel_ids), MANY):
        query = select(JobRow).where(col(JobRow.channel_id).in_(channel_ids[start : start + MANY]))
        found |= {row.channel_id: read_job(row) for row in session.exec(query)}
    return found


def _write_children(session: Session, channels: Sequence[StoredChannel]) -> None:
    for table, values in child_values([(channel.id, channel.spec) for channel in channels]):
        if values:
            session.execute(insert(table), values)


def _write_revisions(session: Session, channels: Sequence[StoredChannel], at: datetime, actor: str) -> None:
    values = [revision_values(channel.id, channel.revision, channel.spec, at, actor) for channel in channels]
    if values:
        session.execute(insert(REVISIONS), values)


def _refuse_namesakes(session: Session, edits: Sequence[Edit]) -> None:
    owners = {key: f"channel {channel_id}" for channel_id, key in session.exec(_NAMES)}
    for spec in (edit.spec for edit in edits if edit.spec is not None):
        owner = owners.get(name_key(spec.name))
        if owner is not None:
            fault = f"{spec.name!r} is already the name of {owner}"
            raise InvalidInput([Fault(fault, "choose another name", "name")])
        owners[name_key(spec.name)] = "another of these channels"


def _row(session: Session, edit: Edit, spec: ChannelSpec, at: datetime) -> ChannelRow:
    if edit.channel_id is not None and not edit.revives:
        row = _expected(session, edit.channel_id, None)
        row.sqlmodel_update(own_fields(spec) | {"revision": row.revision + 1, "updated_at": at})
        return row
    row = ChannelRow(**own_fields(spec), id=edit.channel_id, revision=1, created_at=at, updated_at=at)
    if edit.channel_id is not None:
        row.revision += _last_revision(session, edit.channel_id)
    session.add(row)
    return row


def _last_revision(session: Session, channel_id: int) -> int:
    """The revision with which a channel was deleted.

    Raises:
        Conflict: Where it is there.
    """
    if session.get(ChannelRow, channel_id) is not None:
        raise Conflict(f"channel {channel_id} is there already", "load the channels again")
    last = select(func.max(RevisionRow.revision)).where(RevisionRow.channel_id == channel_id)
    return session.exec(last).one() or 0
