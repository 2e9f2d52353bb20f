"""Creates, changes and deletes channels."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import delete
from sqlmodel import Session, col, select

from transcoder_tui.errors import Conflict, Fault, InvalidInput, NoSuchChannel
from transcoder_tui.models.channel import ChannelSpec
from transcoder_tui.models.event import Event, EventFields
from transcoder_tui.models.job import JobFields
from transcoder_tui.store.entries import write_events, write_jobs
from transcoder_tui.store.rows import (
    CHILDREN,
    StoredChannel,
    child_rows,
    name_key,
    own_fields,
    read_channels,
    revision_row,
)
from transcoder_tui.store.tables import ChannelRow, RevisionRow


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

    def __post_init__(self) -> None:
        if self.channel_id is None and self.spec is None:
            raise ValueError("an edit creates, changes or deletes")


def apply_edits(
    session: Session, edits: Sequence[Edit], events: Sequence[EventFields], actor: str
) -> tuple[list[StoredChannel | None], list[Event]]:
    """Carries out edits in an open transaction; see :meth:`Store.edit`."""
    at = datetime.now(UTC)
    for edit in edits:
        if edit.channel_id is not None:
            row = _expected(session, edit.channel_id, edit.revision)
            if edit.spec is None:
                session.delete(row)
            else:
                # A name that no channel can have: frees the old one for another channel of these edits.
                row.name_key = f"\0{row.id}"
    session.flush()
    ids = [_put(session, edit, at, actor) for edit in edits]
    session.flush()
    stored = {channel.id: channel for channel in read_channels(session, [i for i in ids if i is not None])}
    created = {
        edit.spec.name: i
        for edit, i in zip(edits, ids, strict=True)
        if edit.spec is not None and edit.channel_id is None
    }
    placed = [
        event.model_copy(update={"channel_id": created[event.channel]})
        if event.channel_id is None and event.channel in created
        else event
        for event in events
    ]
    return [stored[i] if i is not None else None for i in ids], write_events(session, placed)


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
    for channel in channels:
        session.add_all(child_rows(channel.id, channel.spec))
        kept = RevisionRow.channel_id == channel.id, RevisionRow.revision == channel.revision
        if session.exec(select(RevisionRow.id).where(*kept)).first() is None:
            session.add(revision_row(channel.id, channel.revision, channel.spec, at, "worker"))
    write_jobs(session, {channel.id: channel.job for channel in channels})


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


def _put(session: Session, edit: Edit, at: datetime, actor: str) -> int | None:
    """Writes a created or changed channel and returns its id."""
    spec = edit.spec
    if spec is None:
        return None
    namesake = session.exec(select(ChannelRow).where(ChannelRow.name_key == name_key(spec.name))).first()
    if namesake is not None:
        raise InvalidInput(
            [Fault(f"{spec.name!r} is already the name of channel {namesake.id}", "choose another name", "name")]
        )
    if edit.channel_id is None:
        row = ChannelRow(**own_fields(spec), revision=1, created_at=at, updated_at=at)
        session.add(row)
    else:
        row = _expected(session, edit.channel_id, None)
        row.sqlmodel_update(own_fields(spec) | {"revision": row.revision + 1, "updated_at": at})
    session.flush()
    channel_id = row.id
    assert channel_id is not None
    for _, _, child in CHILDREN:
        session.execute(delete(child).where(col(child.channel_id) == channel_id))
    session.add_all(child_rows(channel_id, spec))
    session.add(revision_row(channel_id, row.revision, spec, at, actor))
    if edit.job is not None or edit.channel_id is None:
        write_jobs(session, {channel_id: edit.job or JobFields()})
    return channel_id
