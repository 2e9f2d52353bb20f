"""The tables of the database: the models' fields with keys added.

A table class does not validate what it is built from, so a row is always made from a validated model, and what is
read goes through the model again (``store/rows.py``). Nested models are kept as JSON.

mypy is told to ignore that pydantic's and SQLModel's ``model_config`` differ in type; SQLModel merges them.
"""

from datetime import UTC, datetime
from typing import Any, ClassVar

from pydantic import ConfigDict
from sqlalchemy import JSON, DateTime, Dialect, MetaData, String, TypeDecorator, UniqueConstraint
from sqlmodel import Field, SQLModel

from transcoder_tui.models.channel import ChannelFields
from transcoder_tui.models.event import EventFields, EventKind, Severity
from transcoder_tui.models.health import Health
from transcoder_tui.models.job import JobFields, Status, Wanted
from transcoder_tui.models.output import Output
from transcoder_tui.models.rendition import Rendition
from transcoder_tui.models.source import Source

NAMING = {
    "ix": "ix_%(table_name)s_%(column_0_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}
"""Every constraint has a name, because a later migration can only alter what it can name."""


class UtcDateTime(TypeDecorator[datetime]):
    """A moment in UTC: SQLite keeps no time zone, so it is taken off on the way in and put on again on the way out."""

    impl = DateTime
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment as SQLite keeps it.

        Raises:
            ValueError: Where the moment has no time zone, and so is no moment.
        """
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError(f"{value} has no time zone")
        return value.astimezone(UTC).replace(tzinfo=None)

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """The moment with its time zone."""
        return value.replace(tzinfo=UTC) if value is not None else None


class Table(SQLModel):
    """The root of our tables, with metadata of their own."""

    # What would validate rows is never used, and building it takes a hundredth of a worker's start.
    model_config = ConfigDict(defer_build=True)  # type: ignore[assignment]
    metadata: ClassVar[MetaData] = MetaData(naming_convention=NAMING)


class ChannelRow(ChannelFields, Table, table=True):  # type: ignore[misc]
    """A channel without its children."""

    __tablename__ = "channel"
    __table_args__: ClassVar[Any] = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    """Never used a second time: logs and history of a deleted channel are told from a new one's by it."""
    name_key: str = Field(unique=True)
    """The name without regard to case in any script; SQLite's own NOCASE knows ASCII only."""
    overlay: dict[str, Any] | None = Field(default=None, sa_type=JSON)  # type: ignore[assignment]
    revision: int
    created_at: datetime = Field(sa_type=UtcDateTime)
    updated_at: datetime = Field(sa_type=UtcDateTime)


class ChildRow(Table):
    """One entry of a list in a channel's document."""

    id: int | None = Field(default=None, primary_key=True)
    channel_id: int = Field(foreign_key="channel.id", ondelete="CASCADE")
    position: int
    """Counts from 0 in the order of the list."""


class SourceRow(Source, ChildRow, table=True):  # type: ignore[misc]
    """One input of a channel."""

    __tablename__ = "source"
    __table_args__ = (UniqueConstraint("channel_id", "position"),)

    transport: str | None = Field(default=None, sa_type=String)  # type: ignore[assignment]
    deinterlace: str = Field(sa_type=String)  # type: ignore[assignment]


class RenditionRow(Rendition, ChildRow, table=True):  # type: ignore[misc]
    """One rung of a channel's ladder."""

    __tablename__ = "rendition"
    __table_args__ = (UniqueConstraint("channel_id", "position"),)

    video: dict[str, Any] = Field(sa_type=JSON)  # type: ignore[assignment]
    audio: dict[str, Any] | None = Field(default=None, sa_type=JSON)  # type: ignore[assignment]


class OutputRow(Output, ChildRow, table=True):  # type: ignore[misc]
    """One destination of a channel."""

    __tablename__ = "output"
    __table_args__ = (UniqueConstraint("channel_id", "position"),)

    format: str | None = Field(default=None, sa_type=String)  # type: ignore[assignment]
    playlist: str | None = Field(default=None, sa_type=String)  # type: ignore[assignment]
    encryption: str | None = Field(default=None, sa_type=String)  # type: ignore[assignment]


class JobRow(JobFields, Table, table=True):
    """What is wanted of a channel and what is."""

    __tablename__ = "job"

    channel_id: int = Field(primary_key=True, foreign_key="channel.id", ondelete="CASCADE")
    wanted: Wanted = Field(default=Wanted.STOPPED, sa_type=String)
    status: Status = Field(default=Status.STOPPED, sa_type=String)
    since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    on_air_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    next_retry_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    off_air_since: datetime | None = Field(default=None, sa_type=UtcDateTime)
    alarms: list[dict[str, Any]] = Field(default=[], sa_type=JSON)  # type: ignore[assignment]


class EventRow(EventFields, Table, table=True):
    """One line of the history; without a key to its channel, because it outlives the channel."""

    __tablename__ = "event"
    __table_args__: ClassVar[Any] = {"sqlite_autoincrement": True}

    id: int | None = Field(default=None, primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime, index=True)
    kind: EventKind = Field(sa_type=String)
    severity: Severity = Field(default=Severity.INFO, sa_type=String)
    health: Health | None = Field(default=None, sa_type=String)
    channel_id: int | None = Field(default=None, index=True)


class RevisionRow(Table, table=True):
    """A channel's document as it was from one change to the next; outlives the channel, as events do.

    A deletion is a revision, too: in place of a document it says what was wanted of the channel.
    """

    __tablename__ = "revision"
    __table_args__ = (UniqueConstraint("channel_id", "revision"),)

    id: int | None = Field(default=None, primary_key=True)
    channel_id: int
    revision: int
    at: datetime = Field(sa_type=UtcDateTime)
    actor: str
    spec: dict[str, Any] = Field(sa_type=JSON)


REVISIONS = Table.metadata.tables["revision"]
"""The same as a table: rows cost as much again in bookkeeping."""
