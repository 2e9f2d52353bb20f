"""What Alembic runs; ``store/migrate.py`` hands it the open connection."""

from alembic import context

from transcoder_tui.store.tables import Table

context.configure(
    connection=context.config.attributes["connection"], target_metadata=Table.metadata, render_as_batch=True
)
with context.begin_transaction():
    context.run_migrations()
