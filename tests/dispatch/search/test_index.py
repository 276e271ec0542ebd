"""The indexes, through what is done to tables behind Django's back."""

import pytest
from django.core.management import CommandError, call_command
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from dispatch.models import Customer, Job, Word
from dispatch.search import index
from dispatch.search.index import SEARCHED, index_name, keep_indexes, make_indexes
from tests.builders import make_customer, make_job

BEFORE, AFTER = ("dispatch", "0006_the_day"), ("dispatch", "0007_search")


@pytest.fixture
def sqlite(db):
    if connection.vendor != "sqlite":
        pytest.skip("only SQLite's index is a table of its own")


def check_index():
    """Let SQLite compare each index with the rows; PostgreSQL keeps its own."""
    if connection.vendor == "sqlite":
        for table in SEARCHED:
            name = index_name(table)
            with connection.cursor() as cursor:
                cursor.execute(f"INSERT INTO {name}({name}, rank) VALUES ('integrity-check', 1)")


def test_index_follows_rows(db):
    job = make_job(number=7)
    Job.objects.filter(pk=job.pk).update(number=8)
    Job.objects.filter(pk=job.pk).update(search_text=" other ")
    check_index()
    assert [found.number for found in Job.objects.search("other")] == [8]
    customer = make_customer()
    customer.delete()
    check_index()


def test_broken_index_is_noticed_by_the_check(sqlite):
    """Otherwise check_index would prove nothing."""
    make_job()
    with connection.cursor() as cursor:
        cursor.execute("DROP TRIGGER dispatch_job_search_changed")
    Job.objects.update(search_text=" other ")
    with pytest.raises(DatabaseError):
        check_index()


@pytest.mark.django_db(transaction=True)
def test_flushed_database_has_an_empty_index():
    make_job()
    call_command("flush", interactive=False, verbosity=0)
    check_index()
    make_job(number=5)
    assert Job.objects.search("dana").get().number == 5


@pytest.mark.django_db(transaction=True)
def test_migrating_back_and_forth_fills_the_texts():
    make_job(number=1042, access_notes="gate 8265", address_line="7 Chena Road")
    executor = MigrationExecutor(connection)
    leaves = [node for node in executor.loader.graph.leaf_nodes() if node[0] == "dispatch"]
    executor.migrate([BEFORE])
    tables = connection.introspection.table_names()
    assert not any("_search" in name for name in tables if name.startswith("dispatch_"))
    MigrationExecutor(connection).migrate([AFTER])
    check_index()
    MigrationExecutor(connection).migrate(leaves)
    keep_indexes(using="default")
    assert Job.objects.search("chena 1042").exists()
    assert not Job.objects.search("8265").exists()
    assert Customer.objects.get().search_text.startswith(" dana rivers 1")
    assert {"chena", "dana", "rivers"} <= {str(word) for word in Word.objects.all()}


@pytest.mark.django_db(transaction=True)
def test_table_that_a_migration_copied_is_indexed_again(request):
    """SQLite changes columns by a new table, whose triggers are gone."""
    if connection.vendor != "sqlite":
        pytest.skip("PostgreSQL changes tables in place")
    make_job(number=1)
    with connection.schema_editor() as editor:
        editor._remake_table(Job)
    Job.objects.update(search_text=" meanwhile ")
    call_command("migrate", verbosity=0)
    check_index()
    assert Job.objects.search("meanwhile").exists()
    make_job(number=2)
    assert Job.objects.search("dana").get().number == 2


def test_indexes_are_made_only_where_they_lack(db, django_assert_num_queries):
    with django_assert_num_queries(1 if connection.vendor == "sqlite" else 0):
        keep_indexes(using="default")


def test_extension_that_cannot_be_made_is_explained(monkeypatch):
    class Refusing:
        vendor, settings_dict = "postgresql", {"NAME": "jobs"}

        def cursor(self):
            return self

        def __enter__(self):
            return self

        def __exit__(self, *error):
            pass

        def execute(self, sql):
            if sql.startswith("CREATE EXTENSION"):
                raise DatabaseError("permission denied\nto create extension")

        def fetchone(self):
            return None

    with pytest.raises(CommandError) as refusal:
        make_indexes(Refusing())
    assert "permission denied to create extension" in str(refusal.value)
    assert 'psql jobs -c "CREATE EXTENSION pg_trgm"' in str(refusal.value)


def test_old_sqlite_is_explained(sqlite, monkeypatch):
    monkeypatch.setattr(index, "FIRST_SQLITE", (99, 0))
    with pytest.raises(CommandError, match="needs SQLite"):
        make_indexes(connection)
