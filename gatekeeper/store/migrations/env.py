"""Alembic's entry: runs the revisions on the connection it is handed, in its transaction.

There is no alembic.ini and no logging set-up here: `gatekeeper.store.database` owns the engine,
begins and commits, so that a migration happens whole or not at all.
"""

from alembic import context

from gatekeeper.store.schema import metadata

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=metadata,
    render_as_batch=True,  # SQLite alters hardly anything in place
)
with context.begin_transaction():
    context.run_migrations()
