"""Rows that several processes use at the same time."""

import threading

import pytest
from django.db import OperationalError, connection, transaction

from edge.backends.local.rows import RowDistribution, RowKeyValueStore
from edge.backends.local.snapshot import read_snapshot
from edge.errors import BackendUnavailable, StaleEtag
from edge.models import EdgeState, Invalidation
from edge.protocols import Snapshot


@pytest.mark.django_db(transaction=True)
def test_one_of_many_writers_wins():
    store = RowKeyValueStore()
    etag, outcomes, gate = store.etag(), [], threading.Barrier(6)

    def write(number):
        gate.wait()
        while True:
            try:
                store.update(puts={"key": str(number)}, if_match=etag)
                outcomes.append(number)
            except StaleEtag:
                outcomes.append(None)
            except OperationalError:  # SQLite in memory does not wait for a lock
                continue
            break
        connection.close()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    winners = [number for number in outcomes if number is not None]
    assert len(outcomes) == 6
    assert store.items() == {"key": str(*winners)}


@pytest.mark.django_db
def test_invalidations_are_numbered_in_order():
    for number in range(3):
        RowDistribution().invalidate("main", [f"/{number}"], reference=f"d{number}")
    RowDistribution().invalidate("main", ["/1"], reference="d1")
    assert list(Invalidation.objects.values_list("number", flat=True)) == [1, 2, 3]


@pytest.mark.django_db
def test_unchanged_state_costs_one_query(django_assert_num_queries):
    RowKeyValueStore().update(puts={"a": "1"}, if_match="empty")
    known = read_snapshot(Snapshot())
    with django_assert_num_queries(1):
        assert read_snapshot(known) is known


@pytest.mark.django_db
def test_snapshot_has_the_paths_dropped_since_the_last():
    first = read_snapshot(Snapshot())
    RowDistribution().invalidate("main", ["/b", "/a*"], reference="d1")
    second = read_snapshot(first)
    assert list(second.dropped) == ["/a*", "/b"]
    RowKeyValueStore().update(puts={"a": "1"}, if_match="empty")
    assert read_snapshot(second).dropped == []


@pytest.mark.django_db
def test_new_process_drops_nothing():
    RowDistribution().invalidate("main", ["/a"], reference="d1")
    assert read_snapshot(Snapshot()).dropped == []


@pytest.mark.django_db
def test_missing_table_is_an_error_with_a_hint():
    with connection.cursor() as cursor:
        cursor.execute(f"ALTER TABLE {EdgeState._meta.db_table} RENAME TO gone")
        # A savepoint: PostgreSQL ends a transaction in which a statement failed.
        with pytest.raises(BackendUnavailable, match="migrate"), transaction.atomic():
            read_snapshot(Snapshot())
        cursor.execute(f"ALTER TABLE gone RENAME TO {EdgeState._meta.db_table}")
