"""Backups of a bucket, kept in another bucket."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from dispatch.models import Job
from edge.backends import get_backend
from tests.aws.stand_in import BUCKET
from tests.dispatch.conftest import shared_database
from tests.tracking.builders import make_link
from tracking.publishing import publish

__all__ = ["shared_database"]
PLACE = "s3://kept-elsewhere/quickdumpnow"


@pytest.fixture
def objects(aws, shared_database, settings, tmp_path):
    settings.MEDIA_ROOT = tmp_path / "media"
    aws.s3.create_bucket(Bucket="kept-elsewhere")
    objects = get_backend().objects
    objects.put(
        "releases/R/index.html",
        b"<!doctype html>",
        content_type="text/html",
        cache_control="public, max-age=0",
        metadata={"release": "R"},
    )
    return objects


def run(*words, **options):
    out = StringIO()
    call_command(*words, json=True, stdout=out, **options)
    return json.loads(out.getvalue())


def test_bucket_comes_back_from_another_bucket(objects, aws):
    link = make_link()
    publish(objects=objects)
    before = [objects.get(key) for key in ("releases/R/index.html", link.key)]
    assert run("backup", PLACE)["objects"] == 2  # and the last number
    assert run("backup", PLACE)["new"] == 0
    kept = aws.s3.list_objects_v2(Bucket="kept-elsewhere")["Contents"]
    assert all(one["Key"].startswith("quickdumpnow/") for one in kept)
    objects.delete([one.key for one in objects.list("")])
    done = run("restore", PLACE, store=True)
    assert (done["objects"], done["documents"]) == (2, 1)
    assert [objects.get(one.info.key) for one in before] == before


def test_rows_come_back_from_a_bucket(objects):
    make_link()
    run("backup", PLACE)
    Job.objects.update(town="Ester")
    run("restore", PLACE, replace=True, yes=True)
    assert Job.objects.get().town == "Fairbanks"


@pytest.mark.parametrize("command", ["backup", "restore"])
def test_missing_bucket_is_one_line(objects, command):
    with pytest.raises(CommandError) as failed:
        run(command, "s3://nowhere/x")
    assert failed.value.returncode == 1
    assert "\n" not in str(failed.value)
    assert "s3://nowhere/x" in str(failed.value)


def test_own_bucket_is_refused(objects):
    with pytest.raises(CommandError, match="with which the backup would be lost"):
        run("backup", f"s3://{BUCKET}/backups")
