"""Where databases differ: keeping other writers out of a table until the transaction ends."""

from django.db import connection, models


def lock_writes(model: type[models.Model]) -> None:
    """Until the surrounding transaction ends, nobody else writes to the model's table.

    PostgreSQL hands out ids before commits, so a reader of "all up to id n" must wait for the
    writers under way. SQLite's IMMEDIATE transactions already let one writer in at a time.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("lock_writes holds only within a transaction.")
    if connection.vendor == "postgresql":
        table = connection.ops.quote_name(model._meta.db_table)
        with connection.cursor() as cursor:
            cursor.execute(f"LOCK TABLE {table} IN SHARE ROW EXCLUSIVE MODE")
