"""Alarms and source changes in the job, alarms and log tails in the history, limits of a channel."""

from contextlib import AbstractContextManager

import sqlalchemy as sa
from alembic import op
from alembic.operations import BatchOperations

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Adds columns only."""
    with op.batch_alter_table("job") as job:
        job.add_column(sa.Column("next_source", sa.Integer()))
        job.add_column(sa.Column("pinned", sa.Boolean(), nullable=False, server_default=sa.false()))
        job.add_column(sa.Column("off_air_since", sa.DateTime()))
        job.add_column(sa.Column("gap_s", sa.Float()))
        job.add_column(sa.Column("alarms", sa.JSON(), nullable=False, server_default="[]"))
    with _event() as event:
        event.add_column(sa.Column("health", sa.String()))
        event.add_column(sa.Column("log", sa.String(), nullable=False, server_default=""))
    # Their defaults served the rows that were there; from now on the models give them.
    with op.batch_alter_table("job") as job:
        job.alter_column("pinned", server_default=None)
        job.alter_column("alarms", server_default=None)
    with _event() as event:
        event.alter_column("log", server_default=None)
    with op.batch_alter_table("channel") as channel:
        channel.add_column(sa.Column("nice", sa.Integer()))
        channel.add_column(sa.Column("cpus", sa.String()))
        channel.add_column(sa.Column("memory", sa.Integer()))


def _event() -> AbstractContextManager[BatchOperations]:
    """The table of the history; the lasting ids of a table are lost where it is rebuilt without a word of them."""
    return op.batch_alter_table("event", table_kwargs={"sqlite_autoincrement": True})
