"""What Alembic runs: the migrations, on the connection (and in the transaction) that `migrate` hands over."""

from alembic import context

from models.records import AuditRecord

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=AuditRecord.metadata,
    transactional_ddl=True,
)
context.run_migrations()
