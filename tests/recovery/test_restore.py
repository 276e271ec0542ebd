"""Every row, object and file comes back from a backup, or nothing changes."""

import json
import shutil
from contextlib import contextmanager
from functools import partial
from itertools import product
from pathlib import Path

import pytest
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from django.db.migrations.recorder import MigrationRecorder

from deployments.models import Release
from dispatch.models import Counter, Job, JobEvent
from dispatch.search.finding import search_jobs
from edge.errors import BackendUnavailable
from qdn.backup.archive import find_archive
from qdn.backup.backup import back_up
from qdn.backup.restore import restore
from qdn.backup.targets import open_target
from tests.dispatch.search.test_index import check_index
from tests.recovery.business import PHOTO, book_one, drift, files, last_job, open_business, rows
from tracking.links import ensure_link
from tracking.models import TrackingLink
from tracking.numbers import MARGIN
from tracking.publishing import publish

MANIFESTS = ["", "{}", "[]", '{"v": 2}', '{"v": 1}']


@pytest.fixture
def saved(operator, place):
    """A business and its backup."""
    open_business(operator)
    back_up(place, operator.backend.objects, say=print)
    return operator


def is_never_asked(question):
    raise AssertionError(question)


def manifest_of(place):
    (path,) = Path(place).glob("backups/*/manifest.json")
    return path


def rewritten(place, path, change):
    """Change the lines of a part, with a digest that fits."""
    archive = find_archive(open_target(place))
    manifest = archive.read_manifest()
    lines = [change(line) for line in archive.lines(path, manifest.parts[path])]
    manifest.parts[path] = archive.write(path, lines)
    archive.finish(manifest)


def test_every_row_is_equal_in_a_new_database(saved, place, new_database, run):
    before, number = rows(), last_job()
    filled = [name for name, found in before.items() if found]
    assert {"dispatch_job", "tracking_trackinglink", "django_q_ormq", "auth_user"} <= set(filled)
    new_database()
    done = run("restore", place)
    assert rows() == before
    assert (done["rows"], done["last_number"]) == (sum(map(len, before.values())), number)
    assert done["next"] == ["manage.py publish_tracking --all", "manage.py verify"]
    # New rows follow the restored ones.
    assert book_one("After").number == number + 1


def test_restored_jobs_are_found(saved, place, new_database, run):
    """The rows are written by plain SQL, and the index of the search is not among them."""
    new_database()
    run("restore", place)
    assert search_jobs("umit").jobs.get().contact_name == "Ümit"
    assert search_jobs("umti").corrected == {"umti": ("umit",)}
    # Replaced, the rows of before are in no index either.
    late = book_one("Later")
    run("restore", place, replace=True, yes=True)
    assert not search_jobs("later").jobs.exists()
    assert not search_jobs(str(late.number)).jobs.exists()
    check_index()
    assert search_jobs(str(book_one("After").number)).jobs.get().contact_name == "After"


def test_rows_are_replaced_only_if_asked_and_confirmed(saved, place, run, refused):
    before = rows()
    book_one("Later")
    Job.objects.update(town="Ester")
    changed = rows()
    code, message = refused("restore", place)
    assert (code, "--replace" in message) == (1, True)
    code, message = refused("restore", place, replace=True)
    assert (code, "--yes" in message) == (1, True)
    assert run("restore", place, replace=True, dry_run=True)["rows"]
    assert rows() == changed
    run("restore", place, replace=True, yes=True)
    assert rows() == before


def test_new_installation_counts_as_empty(saved, place):
    before = rows()
    call_command("flush", interactive=False, verbosity=0)  # leaves what `migrate` writes
    assert rows() != before
    restore(place, saved.backend.objects, confirm=is_never_asked, say=print)
    assert rows() == before


@pytest.fixture
def migrated_back(saved):
    """A business whose database lacks the last migration of deployments."""
    MigrationExecutor(connection).migrate([("deployments", "0006_maintenance_reason")])
    yield
    call_command("migrate", verbosity=0)


def test_older_backup_gets_the_schema_it_was_made_with(saved, migrated_back, place, new_database):
    """The code is newer than the backup: `migrate` finishes, as it would have there."""
    back_up(place, saved.backend.objects, say=print)
    applied = set(MigrationRecorder(connection).applied_migrations())
    new_database()
    done = restore(place, saved.backend.objects, confirm=is_never_asked, say=print)
    assert done.next[0] == "manage.py migrate"
    assert set(MigrationRecorder(connection).applied_migrations()) == applied
    call_command("migrate", verbosity=0)
    assert Release.objects.count() == 2
    assert last_job() == done.last_number


def test_backup_of_newer_code_is_refused(saved, place, refused):
    path = manifest_of(place)
    fields = json.loads(path.read_text())
    fields["migrations"].append(["dispatch", "0999_from_next_year"])
    path.write_text(json.dumps(fields))
    code, message = refused("restore", place, replace=True, yes=True)
    assert (code, "dispatch.0999_from_next_year" in message) == (1, True)


def cut(path):
    path.write_bytes(path.read_bytes()[:-9])


def swap_a_byte(path):
    body = bytearray(path.read_bytes())
    body[-1] ^= 1
    path.write_bytes(body)


@contextmanager
def damaged(path, damage):
    before = path.read_bytes()
    damage(path)
    yield
    path.write_bytes(before)


def test_damaged_backup_changes_nothing(saved, place, refused):
    book_one("Later")
    shutil.rmtree(saved.backend.objects.root)
    default_storage.delete(PHOTO)
    before, folder = rows(), manifest_of(place).parent
    contents = list(Path(place).glob("objects/*/*"))
    cases = [
        *product([folder / "tables/dispatch_job.jsonl.gz"], [cut, swap_a_byte, Path.unlink]),
        *product([folder / "store.jsonl.gz", folder / "media.jsonl.gz"], [swap_a_byte]),
        *product(contents[:2], [cut, Path.unlink]),
        *((folder / "manifest.json", partial(Path.write_text, data=text)) for text in MANIFESTS),
    ]
    for path, damage in cases:
        with damaged(path, damage):
            code, message = refused("restore", place, replace=True, yes=True)
        assert (code, "damaged" in message) == (1, True), (path, damage, message)
        assert rows() == before
        assert not saved.backend.objects.root.exists()
        assert not default_storage.exists(PHOTO)


def test_place_without_a_backup_is_refused(backend, place, refused):
    code, message = refused("restore", place)
    assert (code, "no finished backup" in message) == (1, True)
    Path(place).mkdir()
    assert refused("restore", place, backup="20261121-000000-aaaa")[0] == 1


def test_rows_that_do_not_fit_leave_the_database_as_it_was(saved, place, refused):
    """A job that refers to no customer: the constraints are checked at the end."""
    link_of_nothing = TrackingLink._meta.get_field("job").column
    position = [one.column for one in TrackingLink._meta.local_concrete_fields].index(
        link_of_nothing
    )

    def change(line):
        line[position] = 999_999
        return line

    rewritten(place, "tables/tracking_trackinglink", change)
    book_one("Later")
    before = rows()
    code, message = refused("restore", place, replace=True, yes=True)
    assert (code, "as it was" in message) == (1, True)
    assert rows() == before


def test_another_backup_can_be_named(saved, place, run):
    first = rows()
    name = find_archive(open_target(place)).name
    book_one("Later")
    second = run("backup", place)["backup"]
    assert run("restore", place, replace=True, yes=True)["backup"] == second != name
    run("restore", place, backup=name, replace=True, yes=True)
    assert rows() == first


def test_numbers_given_out_after_the_backup_are_not_given_out_again(saved, place, run):
    number = book_one("Later").number
    ensure_link(job=book_one("Later still"), actor="dana")
    publish(objects=saved.backend.objects)
    run("restore", place, replace=True, yes=True)
    assert Counter.objects.get(name="job").value == number + 1 + MARGIN
    assert book_one("After").number > number + 1
    assert drift() == {"documents-orphaned"}


def test_documents_newer_than_the_backup_are_named_and_rewritten(saved, place, run):
    objects = saved.backend.objects
    link = TrackingLink.objects.active().first()
    Job.objects.filter(pk=link.job_id).update(town="Ester", revision=50)
    JobEvent.objects.create(
        job=link.job, kind="details", status="requested", revision=50, actor="x"
    )
    TrackingLink.objects.filter(pk=link.pk).update(due_revision=50)
    publish(objects=objects)
    run("restore", place, replace=True, yes=True)
    assert publish(objects=objects)["written"] == 0
    assert b"Ester" in objects.get(link.key).body
    assert drift() == {"documents-stale"}
    run("publish_tracking", all=True)
    assert b"Ester" not in objects.get(link.key).body


def test_lost_store_comes_back_byte_for_byte_with_one_command(saved, place, run, settings):
    store = saved.backend.objects.root
    before, tables = files(store), rows()
    shutil.rmtree(store)
    default_storage.delete(PHOTO)
    planned = run("restore", place, store=True, dry_run=True)
    assert not store.exists()
    done = run("restore", place, store=True)
    assert {**done, "dry_run": True, "seconds": planned["seconds"]} == planned
    del before["registry/last-backup.json~"]  # the next backup writes it
    assert files(store) == before
    assert (settings.MEDIA_ROOT / PHOTO).read_bytes() == b"\xff\xd8 a photo"
    for table in ("dispatch_job", "deployments_release", "auth_user"):
        assert rows()[table] == tables[table]
    assert drift() == set()


def test_damaged_files_of_a_release_are_replaced_and_newer_objects_kept(saved, place, run):
    objects = saved.backend.objects
    page = next(one.key for one in objects.list("releases/") if one.key.endswith("index.html"))
    before = objects.get(page)
    for key in (page, "errors/404.html"):
        objects.put(key, b"other", content_type="text/html", cache_control="no-store")
    run("restore", place, store=True)
    assert objects.get(page) == before
    assert objects.get("errors/404.html").body == b"other"


def test_removed_release_does_not_come_back(saved, place, run):
    gone, *kept = Release.objects.order_by("pk")
    Release.objects.filter(pk=gone.pk).update(removed_at=gone.created_at)
    shutil.rmtree(saved.backend.objects.root)
    run("restore", place, store=True)
    stored = [one.key for one in saved.backend.objects.list("releases/")]
    assert not any(key.startswith(gone.key("")) for key in stored)
    assert any(key.startswith(kept[0].key("")) for key in stored)


def test_outage_after_the_rows_names_the_command_that_finishes(saved, place, monkeypatch, refused):
    objects = saved.backend.objects
    shutil.rmtree(objects.root)

    def fail(*args, **kwargs):
        raise BackendUnavailable("The store is full.", "Make room.")

    monkeypatch.setattr(type(objects), "put_all", fail)
    before = rows()
    book_one("Later")
    code, message = refused("restore", place, replace=True, yes=True)
    name = find_archive(open_target(place)).name
    assert (code, f"restore {place} --backup {name} --store" in message) == (4, True)
    assert rows() == before
