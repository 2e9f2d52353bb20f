"""The last change of the configuration, read back from history and revisions.

What one transaction of edits wrote has one moment in common: the events of the channels, and a revision of each. An
undo is such a transaction, too, and always takes back the last one that was not taken back; so walking back through
the history, each undo met stands for one change further on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from transcoder_tui.models.event import EventKind
from transcoder_tui.models.job import Wanted
from transcoder_tui.store.entries import EVENTS
from transcoder_tui.store.rows import wanted_when_deleted
from transcoder_tui.store.tables import REVISIONS, ChannelRow

BATCH = 500
"""Rows that are asked for at a time; SQLite takes 32766 parameters, older ones 999."""


@dataclass(frozen=True, slots=True)
class Step:
    """What a change did to one channel."""

    channel_id: int
    revision: int
    """The revision at which the channel is now; 0 where it is deleted."""
    before: dict[str, Any] | None
    """The channel's document before; None where it was created."""
    after: dict[str, Any] | None
    """The channel's document since; None where it was deleted."""
    wanted: Wanted
    """Where it was deleted: whether it was wanted on air."""
    is_as_left: bool
    """Whether the channel is still as the change left it."""


@dataclass(frozen=True, slots=True)
class StoredChange:
    """A change of one or several channels in one transaction."""

    event: int
    """Id of its last event."""
    at: datetime
    actor: str
    steps: list[Step]


class _Line(NamedTuple):
    id: int
    at: datetime
    kind: EventKind
    channel_id: int
    actor: str


def last_change(session: Session) -> StoredChange | None:
    """The last change that was not undone; None where there is none, or no way back from it.

    There is no way back from what a version without copies of deleted channels wrote, nor where channels were taken
    from a copy of the database since.
    """
    undone = 0
    for (at, kind), group in groupby(_lines(session), key=lambda line: (line.at, line.kind)):
        lines = list(group)
        if kind is EventKind.UNDONE:
            undone += 1
            continue
        steps = _steps(session, at, sorted({line.channel_id for line in lines}))
        if steps is not None and all(step.before == step.after for step in steps):
            # Saved as it was: nothing to take back, and nobody did.
            continue
        if undone:
            undone -= 1
            continue
        if steps is None or not all(step.is_as_left for step in steps):
            return None
        return StoredChange(lines[0].id, at, lines[0].actor, steps)
    return None


def _lines(session: Session) -> Iterator[_Line]:
    """The history of the channels' configuration, the latest first."""
    lines = EVENTS.c
    query = (
        select_columns(lines.id, lines.at, lines.kind, lines.channel_id, lines.actor)
        .where(lines.kind.in_((EventKind.CONFIG, EventKind.UNDONE)), lines.channel_id.is_not(None))
        .order_by(lines.id.desc())
    )
    rows = session.execute(query.execution_options(yield_per=BATCH))
    return (_Line(row[0], row[1], EventKind(row[2]), row[3], row[4]) for row in rows)


def _steps(session: Session, at: datetime, channel_ids: Sequence[int]) -> list[Step] | None:
    """What happened to these channels then; None where the revision of one is not known."""
    copies = [_copies(kept, at) for kept in _kept(session, channel_ids)]
    if len(copies) < len(channel_ids) or None in copies:
        return None
    found = [copy for copy in copies if copy is not None]
    documents = _documents(session, [key for copy in found for key in (copy.former, copy.made, copy.latest) if key])
    present = _present(session, channel_ids)
    steps = []
    for copy in found:
        former = documents.get(copy.former) if copy.former else None
        before = former if former is not None and wanted_when_deleted(former) is None else None
        wanted = wanted_when_deleted(documents[copy.made])
        if before is None and wanted is not None:
            return None
        after = documents[copy.made] if wanted is None else None
        revision = present.get(copy.channel_id, 0)
        # The documents are compared: where later changes were undone, the revision is a later one.
        as_left = not revision if after is None else revision == copy.revision and documents[copy.latest] == after
        steps.append(Step(copy.channel_id, revision, before, after, wanted or Wanted.STOPPED, as_left))
    return steps


class _Copy(NamedTuple):
    """A copy that is kept of a channel, without its document."""

    id: int
    channel_id: int
    revision: int
    at: datetime


class _Copies(NamedTuple):
    """Which copies of a channel tell of a change, by their ids."""

    channel_id: int
    former: int | None
    made: int
    latest: int
    revision: int
    """Of the latest one."""


def _copies(kept: Sequence[_Copy], at: datetime) -> _Copies | None:
    """Finds them among the copies of one channel, in their order; None where none was made then."""
    made = next((place for place, copy in enumerate(kept) if copy.at == at), None)
    if made is None:
        return None
    latest, former = kept[-1], kept[made - 1].id if made else None
    return _Copies(latest.channel_id, former, kept[made].id, latest.id, latest.revision)


def _kept(session: Session, channel_ids: Sequence[int]) -> list[list[_Copy]]:
    """The copies of each channel, in their order."""
    columns = REVISIONS.c
    query = select_columns(columns.id, columns.channel_id, columns.revision, columns.at)
    query = query.order_by(columns.channel_id, columns.revision)
    rows = (session.execute(query.where(columns.channel_id.in_(some))) for some in _some(channel_ids))
    copies = (_Copy(*row) for found in rows for row in found)
    return [list(group) for _, group in groupby(copies, key=lambda copy: copy.channel_id)]


def _documents(session: Session, keys: Sequence[int]) -> dict[int, dict[str, Any]]:
    query = select_columns(REVISIONS.c.id, REVISIONS.c.spec)
    rows = (session.execute(query.where(REVISIONS.c.id.in_(some))) for some in _some(keys))
    return {key: spec for found in rows for key, spec in found}


def _present(session: Session, channel_ids: Sequence[int]) -> dict[int, int]:
    """The revision of each channel that is there."""
    query = select(ChannelRow.id, ChannelRow.revision)
    rows = (session.exec(query.where(col(ChannelRow.id).in_(some))) for some in _some(channel_ids))
    return {key: revision for found in rows for key, revision in found if key is not None}


def _some(keys: Sequence[int]) -> Iterator[Sequence[int]]:
    return (keys[start : start + BATCH] for start in range(0, len(keys), BATCH))
