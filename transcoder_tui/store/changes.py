"""The last change of the configuration, read back from history and revisions.

What one transaction of edits wrote has one moment in common: the events of the channels, and a revision of each. An
undo is such a transaction, too, and always takes back the last one that was not taken back; so walking back through
the history, each undo met stands for one change further on.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import groupby
from typing import Any, NamedTuple

from sqlalchemy import select as select_columns
from sqlmodel import Session, col, select

from transcoder_tui.models.event import EventKind
from transcoder_tui.models.job import Wanted
from transcoder_tui.store.entries import EVENTS
from transcoder_tui.store.rows import wanted_when_deleted
from transcoder_tui.store.tables import ChannelRow, RevisionRow

BATCH = 500
"""Events that are read from the database at a time."""


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
        if steps is None:
            return None
        present = [(step, _current_revision(session, step)) for step in steps]
        current = [replace(step, revision=revision) for step, revision in present if revision is not None]
        return StoredChange(lines[0].id, at, lines[0].actor, current) if len(current) == len(steps) else None
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
    steps = []
    for channel_id in channel_ids:
        revisions = select(RevisionRow).where(RevisionRow.channel_id == channel_id)
        made = session.exec(revisions.where(RevisionRow.at == at)).one_or_none()
        if made is None:
            return None
        earlier = revisions.where(col(RevisionRow.revision) < made.revision)
        former = session.exec(earlier.order_by(col(RevisionRow.revision).desc()).limit(1)).one_or_none()
        before = former.spec if former is not None and wanted_when_deleted(former.spec) is None else None
        wanted = wanted_when_deleted(made.spec)
        if before is None and wanted is not None:
            return None
        after = made.spec if wanted is None else None
        steps.append(Step(channel_id, made.revision, before, after, wanted or Wanted.STOPPED))
    return steps


def _current_revision(session: Session, step: Step) -> int | None:
    """The revision at which the channel is, 0 where it is deleted; None where the change did not leave it so.

    The documents are compared: where later changes were undone, the revision is a later one.
    """
    revisions = select(RevisionRow).where(RevisionRow.channel_id == step.channel_id)
    latest = session.exec(revisions.order_by(col(RevisionRow.revision).desc()).limit(1)).one()
    row = session.get(ChannelRow, step.channel_id)
    if row is None:
        return 0 if step.after is None else None
    return row.revision if row.revision == latest.revision and latest.spec == step.after else None
