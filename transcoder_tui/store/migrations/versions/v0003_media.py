"""Choice of streams, more kinds of sources and outputs, overlays."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Adds columns only."""
    with op.batch_alter_table("channel", table_kwargs={"sqlite_autoincrement": True}) as channel:
        channel.add_column(sa.Column("overlay", sa.JSON()))
    with op.batch_alter_table("source") as source:
        for name in ("sender", "transport", "playlist", "program", "audio", "subtitles", "data"):
            source.add_column(sa.Column(name, sa.String()))
        for name in ("listen", "tls_verify"):
            source.add_column(sa.Column(name, sa.Boolean()))
        source.add_column(sa.Column("video", sa.Integer()))
        source.add_column(sa.Column("deinterlace", sa.String(), nullable=False, server_default="auto"))
    # The default served the rows that were there; from now on the model gives it.
    with op.batch_alter_table("source") as source:
        source.alter_column("deinterlace", server_default=None)
    with op.batch_alter_table("output") as output:
        for name in ("service_name", "service_provider", "format", "playlist", "encryption"):
            output.add_column(sa.Column(name, sa.String()))
        for name in ("service_id", "transport_stream_id", "network_id", "pmt_pid", "video_pid", "audio_pid"):
            output.add_column(sa.Column(name, sa.Integer()))
        for name in ("delete", "low_latency"):
            output.add_column(sa.Column(name, sa.Boolean()))
        for name in ("key_rotation", "split", "keep_for"):
            output.add_column(sa.Column(name, sa.Float()))
        output.add_column(sa.Column("keep_size", sa.Integer()))
