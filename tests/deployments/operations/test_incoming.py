"""Archives in the bucket's `incoming/` are pushed; refused ones are put out of the way."""

import io
import zipfile

import pytest

from deployments import tasks
from deployments.models import Operation
from deployments.operations import uploads
from deployments.operations.incoming import PREFIX
from tests.deployments.desks import run_tasks
from tests.deployments.sites import PAGES

pytestmark = pytest.mark.django_db


def archive(mark="A"):
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as output:
        for path in PAGES:
            output.writestr(path, f"<!doctype html><title>{mark}</title>{path}")
    return content.getvalue()


@pytest.fixture
def drop(backend):
    """Return a function that writes an object, as any client of the bucket does."""

    def drop(name, content=None):
        body = archive() if content is None else content
        rules = {"content_type": "application/zip", "cache_control": ""}
        backend.objects.put(f"{PREFIX}{name}", body, **rules)

    return drop


@pytest.fixture
def stored(backend):
    return lambda prefix=PREFIX: [one.key for one in backend.objects.list(prefix)]


def test_archive_is_pushed_and_removed(backend, staging, drop, stored):
    drop("staging/site.zip")
    assert tasks.receive_incoming() == {"pushed": 1, "refused": 0}
    assert stored() == []
    assert len(stored(uploads.PREFIX)) == 1
    run_tasks()
    release = staging.live.release
    assert (release.message, release.created_by) == ("site.zip", "incoming")
    assert stored(uploads.PREFIX) == []
    assert tasks.receive_incoming() == {"pushed": 0, "refused": 0}


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("production/site.zip", None, "production is protected"),
        ("nowhere/site.zip", None, "No environment is called"),
        ("staging/site.zip", b"text", "Expected a ZIP archive"),
        ("staging/empty.zip", b"", "found 0"),
    ],
)
def test_refused_archive_is_put_out_of_the_way(backend, drop, stored, caplog, name, content, code):
    drop(name, content)
    assert tasks.receive_incoming() == {"pushed": 0, "refused": 1}
    assert stored() == [f"{PREFIX}refused/{name}"]
    assert code in caplog.text
    assert tasks.receive_incoming() == {"pushed": 0, "refused": 0}
    assert (Operation.objects.count(), stored(uploads.PREFIX)) == (0, [])


def test_too_large_and_frozen(backend, staging, drop, settings):
    drop("staging/a.zip")
    settings.API_UPLOAD_BYTES = 10
    assert tasks.receive_incoming()["refused"] == 1
    settings.API_UPLOAD_BYTES = 10**6
    staging.freezes.create(reason="Holiday", actor="olga")
    drop("staging/b.zip")
    assert tasks.receive_incoming()["refused"] == 1
    assert not Operation.objects.exists()


def test_other_objects_are_left(backend, drop, stored):
    for name in (
        "site.zip",
        "staging/notes.txt",
        "staging/a/site.zip",
        "staging/site.zip.part",
    ):
        drop(name)
    before = stored()
    assert tasks.receive_incoming() == {"pushed": 0, "refused": 0}
    assert stored() == before


def test_viewers_reach_none(backend, operator, drop):
    operator.push("A")
    operator.promote()
    drop("staging/site.zip")
    for host in ("localhost", "staging.localhost"):
        assert backend.viewer.fetch(host, f"/{PREFIX}staging/site.zip").status == 404
