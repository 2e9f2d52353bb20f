"""Channels with their children, jobs, events and revisions."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Creates the first schema."""
    op.create_table(
        "channel",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("group", sa.String()),
        sa.Column("priority", sa.Integer(), nullable=False),
        sa.Column("autostart", sa.Boolean(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.DateTime(), nullable=False),
        sa.Column("updated_at", sa.DateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_channel")),
        sa.UniqueConstraint("name_key", name=op.f("uq_channel_name_key")),
        sqlite_autoincrement=True,
    )
    _create_child(
        "source",
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("interface", sa.String(64)),
    )
    _create_child(
        "rendition",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("video", sa.JSON(), nullable=False),
        sa.Column("audio", sa.JSON()),
    )
    _create_child(
        "output",
        sa.Column("url", sa.String(), nullable=False),
        sa.Column("rendition", sa.String()),
        sa.Column("interface", sa.String(64)),
        sa.Column("ttl", sa.Integer()),
        sa.Column("muxrate", sa.Integer()),
        sa.Column("segment", sa.Float()),
        sa.Column("window", sa.Integer()),
    )
    op.create_table(
        "job",
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("wanted", sa.String(), nullable=False),
        sa.Column("generation", sa.Integer(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("since", sa.DateTime()),
        sa.Column("run_id", sa.String()),
        sa.Column("pid", sa.Integer()),
        sa.Column("start_ticks", sa.Integer()),
        sa.Column("boot_id", sa.String()),
        sa.Column("on_air_since", sa.DateTime()),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("next_retry_at", sa.DateTime()),
        sa.Column("restarts", sa.Integer(), nullable=False),
        sa.Column("exit_code", sa.Integer()),
        sa.Column("error", sa.String(), nullable=False),
        sa.Column("remedy", sa.String(), nullable=False),
        sa.Column("active_source", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("channel_id", name=op.f("pk_job")),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channel.id"], name=op.f("fk_job_channel_id_channel"), ondelete="CASCADE"
        ),
    )
    op.create_table(
        "event",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("severity", sa.String(), nullable=False),
        sa.Column("channel_id", sa.Integer()),
        sa.Column("channel", sa.String(), nullable=False),
        sa.Column("message", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_event")),
        sqlite_autoincrement=True,
    )
    op.create_index(op.f("ix_event_at"), "event", ["at"])
    op.create_index(op.f("ix_event_channel_id"), "event", ["channel_id"])
    op.create_table(
        "revision",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("spec", sa.JSON(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_revision")),
        sa.UniqueConstraint("channel_id", "revision", name=op.f("uq_revision_channel_id_revision")),
    )


def _create_child(table: str, *columns: sa.Column[object]) -> None:
    op.create_table(
        table,
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("channel_id", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        *columns,
        sa.PrimaryKeyConstraint("id", name=op.f(f"pk_{table}")),
        sa.UniqueConstraint("channel_id", "position", name=op.f(f"uq_{table}_channel_id_position")),
        sa.ForeignKeyConstraint(
            ["channel_id"], ["channel.id"], name=op.f(f"fk_{table}_channel_id_channel"), ondelete="CASCADE"
        ),
    )
