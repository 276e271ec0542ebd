"""The schema of a database: which migrations are applied, and the tables that they make."""

from collections.abc import Iterable

from django.core.management.color import no_style
from django.db.backends.base.base import BaseDatabaseWrapper
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder
from django.db.models import Model

from deployments.errors import Refused
from dispatch.search.index import keep_indexes
from qdn.backup.columns import Table

Node = tuple[str, str]  # app and name of a migration
# Tables with rows although nothing was entered: `migrate` writes them, and so does a task cluster.
NOT_CONTENT = frozenset(
    {
        "auth_group",
        "auth_group_permissions",
        "auth_permission",
        "deployments_environment",
        "dispatch_counter",
        "dispatch_pricerule",
        "dispatch_servedzip",
        "dispatch_servicetype",
        "dispatch_windowtemplate",
        "django_content_type",
        "django_migrations",
        "django_q_ormq",
        "django_q_schedule",
        "django_q_task",
        "edge_edgestate",
        "qdn_heartbeat",
        "qdn_missingrun",
        "tracking_trackingcheck",
    }
)


def applied_migrations(connection: BaseDatabaseWrapper) -> list[Node]:
    """Return the applied migrations of the installed apps, sorted.

    Raises Refused (`database-newer`) if this code lacks one of them.
    """
    loader = MigrationLoader(connection)
    applied = {node for node in loader.applied_migrations if node[0] in loader.migrated_apps}
    if unknown := sorted(applied - set(loader.disk_migrations)):
        raise Refused(
            "database-newer",
            f"The database has the migration {_named(unknown)}, which this code does not.",
            "Run the command with the code that migrated the database.",
        )
    return sorted(applied & set(loader.graph.nodes))


def check_not_newer(migrations: Iterable[Node]) -> None:
    """Refuse a backup with migrations that this code lacks. Raises Refused (`backup-newer`)."""
    unknown = sorted(set(migrations) - set(MigrationLoader(None).disk_migrations))
    if unknown:
        raise Refused(
            "backup-newer",
            f"The backup has the migration {_named(unknown)}, which this code does not.",
            "Restore it with the code that made it, or a newer one.",
        )


def is_older(migrations: Iterable[Node]) -> bool:
    """Whether this code has migrations beyond these."""
    return bool(set(MigrationLoader(None).graph.nodes) - set(migrations))


def tables_at(connection: BaseDatabaseWrapper, migrations: list[Node]) -> list[Table]:
    """Return the tables that exist once these migrations are applied, by name."""
    state = MigrationLoader(connection).project_state(migrations)
    models: list[type[Model]] = [MigrationRecorder.Migration]
    models += [
        model
        for model in state.apps.get_models(include_auto_created=True)
        if model._meta.managed and not model._meta.proxy
    ]
    return sorted((Table(one, connection) for one in models), key=lambda table: table.name)


def tables_with_content(connection: BaseDatabaseWrapper) -> list[str]:
    """Return the names of tables in which something was entered. Raises Refused."""
    return [
        table.name
        for table in _existing(connection)
        if table.name not in NOT_CONTENT and not table.is_empty()
    ]


def make_empty(connection: BaseDatabaseWrapper, migrations: list[Node]) -> list[Table]:
    """Return the tables of these migrations, made if they differ from today's, without rows.

    Call it in a transaction, with constraint checks disabled. No signal is sent, so nothing is
    added to the tables afterwards.
    """
    existing = _existing(connection)
    if applied_migrations(connection) != migrations:
        with connection.schema_editor() as editor:
            for table in existing:
                quoted = connection.ops.quote_name(table.name)
                editor.execute(editor.sql_delete_table % {"table": quoted})
        executor = MigrationExecutor(connection)
        executor.migrate(_last_of_each_app(executor.loader, set(migrations)))
        keep_indexes(using=connection.alias)
    tables = tables_at(connection, migrations)
    flush = connection.ops.sql_flush(no_style(), [table.name for table in tables])
    connection.ops.execute_sql_flush(flush)
    return tables


def reset_sequences(connection: BaseDatabaseWrapper, tables: list[Table]) -> None:
    """Let new rows follow those that were inserted with their keys."""
    with connection.cursor() as cursor:
        models = [table.model for table in tables]
        for statement in connection.ops.sequence_reset_sql(no_style(), models):
            cursor.execute(statement)


def _existing(connection: BaseDatabaseWrapper) -> list[Table]:
    names = set(connection.introspection.table_names())
    tables = tables_at(connection, applied_migrations(connection))
    return [table for table in tables if table.name in names]


def _last_of_each_app(loader: MigrationLoader, migrations: set[Node]) -> list[Node]:
    """Return the migrations that no other of the same app follows."""
    return sorted(
        node
        for node in migrations
        if not any(
            child.key in migrations and child.key[0] == node[0]
            for child in loader.graph.node_map[node].children
        )
    )


def _named(unknown: list[Node]) -> str:
    more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
    return ".".join(unknown[0]) + more
