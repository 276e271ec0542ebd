"""A backup is whole or does not exist; it is private, and shares contents with earlier ones."""

import shutil
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import CommandError, call_command
from django.utils import timezone

from dispatch.models import Job
from edge.errors import BackendUnavailable
from qdn.backup.backup import back_up
from qdn.backup.record import last_backup_age
from qdn.backup.schema import applied_migrations, tables_at
from qdn.backup.snapshot import snapshot
from tests.recovery.business import book_one, files, rows


@pytest.fixture
def objects(backend):
    """A store with a document of a release, a shared asset and a tracking document."""
    for key in ("releases/R/index.html", "assets/a.css", f"jobs/{'0' * 64}.json"):
        backend.objects.put(key, key.encode(), content_type="text/plain", cache_control="no-store")
    return backend.objects


class Reads:
    """An object store that counts the objects read, and fails if told to."""

    def __init__(self, real):
        self.real, self.keys, self.error = real, [], None

    def get(self, key):
        self.keys.append(key)
        if self.error:
            raise self.error
        return self.real.get(key)

    def __getattr__(self, name):
        return getattr(self.real, name)


def backups(place):
    return sorted(path.parent.name for path in Path(place).glob("backups/*/manifest.json"))


def test_tracking_documents_are_left_out(objects, place, run):
    done = run("backup", place)
    assert (done["objects"], done["new"], done["media"]) == (2, 2, 0)
    assert done["rows"] == sum(map(len, rows().values()))
    assert backups(place) == [done["backup"]]


def test_only_the_owner_can_read_a_backup(objects, place):
    back_up(place, objects, say=print)
    found = [path for path in Path(place).rglob("*") if path.is_file()]
    assert len(found) > 40
    assert {stat.S_IMODE(path.stat().st_mode) for path in found} == {0o600}
    assert stat.S_IMODE(Path(place).stat().st_mode) == 0o700


def test_second_backup_reads_and_stores_only_what_is_new(objects, place):
    default_storage.save("one.jpg", ContentFile(b"one"))
    back_up(place, objects, say=print)
    shared = files(Path(place) / "objects")
    counted = Reads(objects)
    objects.put("assets/b.css", b"new", content_type="text/css", cache_control="no-store")
    default_storage.save("two.jpg", ContentFile(b"two"))
    done = back_up(place, counted, say=print)
    assert (done.objects, done.media, done.new) == (3, 2, 2)
    assert counted.keys == ["assets/b.css"]
    assert shared.items() < files(Path(place) / "objects").items()


def test_contents_damaged_in_the_place_are_stored_again(objects, place):
    back_up(place, objects, say=print)
    before = files(Path(place) / "objects")
    for path in Path(place).glob("objects/*/*"):
        path.write_bytes(b"")
    assert back_up(place, objects, say=print).new == len(before)
    assert files(Path(place) / "objects") == before


@pytest.mark.parametrize("error", [BackendUnavailable("down"), KeyboardInterrupt()])
def test_failed_backup_leaves_the_earlier_ones_and_none_of_its_parts(objects, place, error):
    back_up(place, objects, say=print)
    before = files(Path(place))
    age = last_backup_age(objects)
    failing = Reads(objects)
    failing.error = error
    objects.put("assets/b.css", b"new", content_type="text/css", cache_control="no-store")
    with pytest.raises(type(error)):
        back_up(place, failing, say=print)
    assert files(Path(place)) == before
    assert last_backup_age(objects) >= age


def test_backup_that_was_killed_is_not_found(objects, place, run, refused):
    run("backup", place)
    (Path(place) / "backups" / backups(place)[0] / "manifest.json").unlink()
    assert refused("restore", place, replace=True, yes=True)[0] == 1
    done = run("backup", place)
    assert run("restore", place, replace=True, yes=True)["backup"] == done["backup"]


def test_rows_are_of_one_moment_while_others_write(backend):
    """A job and its events are in different tables, which are read one after another."""
    book_one("Before")
    with snapshot() as reader:
        tables = {table.name: table for table in tables_at(reader, applied_migrations(reader))}
        jobs = list(tables["dispatch_job"].dump())
        book_one("During")  # does not have to wait
        assert len(list(tables["dispatch_jobevent"].dump())) == len(jobs) == 1
    assert Job.objects.count() == 2


def test_dry_run_writes_nothing(objects, place, run):
    done = run("backup", place, dry_run=True)
    assert (done["backup"], done["objects"]) == (None, 2)
    assert done["rows"] == sum(map(len, rows().values()))
    assert not Path(place).exists()
    assert last_backup_age(objects) is None


def test_age_of_the_last_backup(objects, place, time_machine):
    assert last_backup_age(objects) is None
    time_machine.move_to(timezone.now(), tick=False)
    back_up(place, objects, say=print)
    time_machine.shift(timedelta(hours=30))
    assert last_backup_age(objects) == timedelta(hours=30)
    objects.put("registry/last-backup.json", b"{", content_type="", cache_control="")
    assert last_backup_age(objects) is None


def test_place_from_which_files_are_served_is_refused(objects, settings, refused):
    for folder in (settings.EDGE_STORE_DIR, settings.MEDIA_ROOT / "backups"):
        code, message = refused("backup", str(folder))
        assert (code, "served" in message) == (1, True)
        assert not list(Path(folder).glob("backups"))


def test_place_that_cannot_be_written_is_refused(objects, tmp_path, refused):
    (tmp_path / "file").write_text("not a folder")
    code, message = refused("backup", str(tmp_path / "file"))
    assert (code, str(tmp_path / "file") in message) == (1, True)


@pytest.mark.parametrize("text", ["", " ", "s3://", "s3:///x", "gs://bucket", "https://x/y"])
def test_malformed_place_is_a_usage_error(text):
    with pytest.raises(CommandError, match="argument TARGET"):
        call_command("backup", text)


def test_target_folder_can_be_moved(objects, place, tmp_path, run):
    run("backup", place)
    shutil.move(place, tmp_path / "elsewhere")
    assert run("restore", str(tmp_path / "elsewhere"), store=True)["documents"] == 0
