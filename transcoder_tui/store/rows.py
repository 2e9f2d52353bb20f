"""From validated models to rows, and back through the models' validation."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from pydantic import BaseModel, ValidationError
from sqlalchemy import Table as SqlTable
from sqlmodel import Session, col, select

from transcoder_tui.errors import Fault, StoreUnavailable
from transcoder_tui.models.channel import ChannelFields, ChannelSpec
from transcoder_tui.models.event import Event, EventFields
from transcoder_tui.models.faults import faults_of
from transcoder_tui.models.job import JobFields, Wanted
from transcoder_tui.models.output import Output
from transcoder_tui.models.rendition import Rendition
from transcoder_tui.models.source import Source
from transcoder_tui.store.tables import (
    ChannelRow,
    ChildRow,
    EventRow,
    JobRow,
    OutputRow,
    RenditionRow,
    SourceRow,
    Table,
)

CHILDREN: tuple[tuple[str, type[BaseModel], type[ChildRow]], ...] = (
    ("sources", Source, SourceRow),
    ("renditions", Rendition, RenditionRow),
    ("outputs", Output, OutputRow),
)
"""The lists of a :class:`ChannelSpec`, what they hold, and where that is kept."""


_DELETED = "deleted while"
"""In place of a document in the revision that a deletion makes: no field of a channel has a blank in its name."""


@dataclass(frozen=True)
class StoredChannel:
    """A channel as the database holds it."""

    id: int
    revision: int
    """Counts its changes from 1 on."""
    spec: ChannelSpec
    job: JobFields


def name_key(name: str) -> str:
    """The form of a name in which no two channels may agree."""
    return name.casefold()


def own_fields(spec: ChannelSpec) -> dict[str, Any]:
    """The columns of a channel without its children."""
    return spec.model_dump(include=set(ChannelFields.model_fields)) | {"name_key": name_key(spec.name)}


def child_values(channels: Sequence[tuple[int, ChannelSpec]]) -> list[tuple[SqlTable, list[dict[str, Any]]]]:
    """The columns of each source, rendition and output of these channels, by the table that they belong to."""
    return [
        (
            Table.metadata.tables[str(row.__tablename__)],
            [
                {"channel_id": channel_id, "position": position, **child.model_dump()}
                for channel_id, spec in channels
                for position, child in enumerate(getattr(spec, name))
            ],
        )
        for name, _, row in CHILDREN
    ]


def job_values(channel_id: int, job: JobFields) -> dict[str, Any]:
    """The columns of a channel's job."""
    alarms = [alarm.model_dump(mode="json") for alarm in job.alarms]
    return _storable(_fields(JobFields, job)) | {"channel_id": channel_id, "alarms": alarms}


def read_job(row: JobRow) -> JobFields:
    """The job of a row."""
    return JobFields.model_validate(_fields(JobFields, row))


def revision_values(channel_id: int, revision: int, spec: ChannelSpec, at: datetime, actor: str) -> dict[str, Any]:
    """The columns of the copy of a channel that is kept when it changes."""
    return {"channel_id": channel_id, "revision": revision, "at": at, "actor": actor, "spec": spec.document()}


def deletion_values(channel_id: int, revision: int, wanted: Wanted, at: datetime, actor: str) -> dict[str, Any]:
    """The columns of the revision that says that a channel was deleted."""
    return {"channel_id": channel_id, "revision": revision, "at": at, "actor": actor, "spec": {_DELETED: wanted.value}}


def wanted_when_deleted(spec: dict[str, Any]) -> Wanted | None:
    """What was wanted of a channel when it was deleted, where a revision says that it was; else None."""
    return Wanted(spec[_DELETED]) if _DELETED in spec else None


def event_values(event: EventFields) -> dict[str, Any]:
    """The columns of an event, but for its id."""
    return _storable(_fields(EventFields, event))


def read_event(row: EventRow) -> Event:
    """The event of a row that has its id."""
    return Event.model_validate(_fields(Event, row))


def read_channels(session: Session, channel_ids: Sequence[int] | None = None) -> list[StoredChannel]:
    """Channels with their children and jobs, by id.

    Args:
        session: An open transaction.
        channel_ids: Which ones; None is all.

    Raises:
        StoreUnavailable: Where what is stored is no valid channel.
    """
    query = select(ChannelRow).order_by(col(ChannelRow.id))
    jobs = select(JobRow)
    if channel_ids is not None:
        query = query.where(col(ChannelRow.id).in_(channel_ids))
        jobs = jobs.where(col(JobRow.channel_id).in_(channel_ids))
    children = {name: _read_children(session, model, row, channel_ids) for name, model, row in CHILDREN}
    job_of = {job.channel_id: job for job in session.exec(jobs)}
    return [
        _read_channel(row, {name: lists.get(row.id or 0, []) for name, lists in children.items()}, job_of)
        for row in session.exec(query)
    ]


def _read_children(
    session: Session, model: type[BaseModel], row: type[ChildRow], channel_ids: Sequence[int] | None
) -> dict[int, list[dict[str, Any]]]:
    query = select(row).order_by(col(row.channel_id), col(row.position))
    if channel_ids is not None:
        query = query.where(col(row.channel_id).in_(channel_ids))
    lists: dict[int, list[dict[str, Any]]] = {}
    for child in session.exec(query):
        lists.setdefault(child.channel_id, []).append(_fields(model, child))
    return lists


def _read_channel(
    row: ChannelRow, children: dict[str, list[dict[str, Any]]], job_of: dict[int, JobRow]
) -> StoredChannel:
    channel_id = row.id or 0
    job = job_of.get(channel_id)
    try:
        return StoredChannel(
            id=channel_id,
            revision=row.revision,
            spec=ChannelSpec.model_validate(_fields(ChannelFields, row) | children),
            job=read_job(job) if job else JobFields(),
        )
    except ValidationError as error:
        raise StoreUnavailable(
            [
                Fault(
                    f"the database holds a channel that this version cannot read, {row.name}: {fault}",
                    "put back a copy of the database from before, or run the version that wrote it",
                )
                for fault in faults_of(error)
            ]
        ) from error


def _fields(model: type[BaseModel], source: BaseModel) -> dict[str, Any]:
    return {name: getattr(source, name) for name in model.model_fields}


def _storable(values: dict[str, Any]) -> dict[str, Any]:
    """Makes question marks of lone surrogates, which a log line brings that is not UTF-8, and SQLite refuses."""
    return {
        name: value.encode("utf-8", "replace").decode() if type(value) is str and not value.isascii() else value
        for name, value in values.items()
    }
