"""After a loss, commands say what is missing and which command repairs it."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command

from deployments.models import Environment
from dispatch.models import Counter, Job, JobEvent
from edge.backends import get_backend
from tests.builders import make_job
from tests.deployments.losing import lose_history, rows
from tests.tracking.builders import make_link
from tracking.links import hash_token
from tracking.models import TrackingLink
from tracking.publishing import publish

pytestmark = pytest.mark.django_db
ORPHAN = f"jobs/{hash_token('of nobody')}.json"


@pytest.fixture
def backend(db):
    """The back end without a second connection: these tests need none."""
    return get_backend()


@pytest.fixture
def published(operator):
    """Releases, and three published documents."""
    operator.push("A")
    operator.promote()
    links = [make_link() for _ in range(3)]
    publish(objects=operator.backend.objects)
    return links


def orphan(objects):
    objects.put(ORPHAN, b"{}", content_type="application/json", cache_control="no-store")


def verified():
    """Return the output of `verify`, as text and as JSON."""
    texts = []
    for as_json in (False, True):
        out = StringIO()
        with pytest.raises(CommandError) as failed:
            call_command("verify", json=as_json, stdout=out)
        texts.append(out.getvalue())
    return texts[0] + str(failed.value), json.loads(texts[1])


def documents(objects):
    return {one.key for one in objects.list("jobs/")}


def test_verify_names_jobs_and_the_commands_that_repair(published, operator):
    objects = operator.backend.objects
    missing, stale, _ = published
    objects.delete([missing.key])
    objects.put(stale.key, b"{}", content_type="application/json", cache_control="no-store")
    orphan(objects)
    text, (*environments, found) = verified()
    assert [row["drift"] for row in environments] == [[], []]
    assert found["environment"] is None
    assert [(one["code"], one["command"]) for one in found["drift"]] == [
        ("documents-missing", "manage.py publish_tracking --all"),
        ("documents-stale", "manage.py publish_tracking --all"),
        ("documents-orphaned", "manage.py prune --documents --yes"),
    ]
    assert missing.job.label in found["drift"][0]["message"]
    assert stale.job.label in found["drift"][1]["message"]
    assert "3 discrepancies in 2 environments and the tracking documents." in text
    for link in published:
        assert link.token not in text
        assert link.token_sha256 not in text


def test_commands_that_verify_names_repair_everything(published, operator, run):
    objects = operator.backend.objects
    objects.delete([published[0].key])
    orphan(objects)
    _, rows = verified()
    for one in rows[-1]["drift"]:
        call_command(*one["command"].split()[1:], stdout=StringIO())
    assert [row["drift"] for row in run("verify")] == [[], []]


def test_verify_of_an_environment_is_about_the_environment(published, operator, run):
    operator.backend.objects.delete([published[0].key])
    (row,) = run("verify", environment="production")
    assert (row["environment"], row["drift"]) == ("production", [])


def test_prune_shows_orphans_then_removes_them(published, operator, run):
    objects = operator.backend.objects
    orphan(objects)
    before = documents(objects)
    counts = {"documents": 4, "orphaned": 1, "removed": 1}
    assert run("prune")["tracking"] == counts
    assert documents(objects) == before
    assert run("prune", yes=True)["tracking"] == counts
    assert documents(objects) == before - {ORPHAN}


def lose_the_database():
    for model in (TrackingLink, JobEvent, Job):
        found = model.objects.all()
        found._raw_delete(found.db)
    Counter.objects.update(value=1000)
    lose_history()


def test_database_lost_without_a_backup(published, operator, run, refused):
    objects, before = operator.backend.objects, rows()
    lost = make_job()  # given out after the last publication
    lose_the_database()
    # By mistake or not: with an empty database, nothing is removed unasked.
    assert refused("prune", yes=True)[0] == 1
    done = run("rebuild_history")
    assert rows() == before
    assert done["orphaned"] == len(documents(objects)) == 3
    assert done["last_number"] > lost.number
    assert make_job().number > lost.number
    assert run("prune", yes=True)["tracking"] == {"documents": 3, "orphaned": 3, "removed": 0}
    assert len(documents(objects)) == 3
    assert run("prune", documents=True, yes=True)["tracking"]["removed"] == 3
    assert documents(objects) == set()
    assert Environment.objects.get(name="production").live


def test_rebuilding_says_what_to_run_next(published):
    lose_the_database()
    out = StringIO()
    call_command("rebuild_history", stdout=out)
    assert out.getvalue().endswith("To remove them: manage.py prune --documents --yes\n")


def test_dry_run_of_rebuilding_leaves_the_counter(published, run):
    lose_the_database()
    assert run("rebuild_history", dry_run=True)["last_number"] > 2000
    assert Counter.objects.get(name="job").value == 1000


def test_everything_is_published_again(published, operator, run):
    objects = operator.backend.objects
    before = documents(objects)
    objects.delete(before)
    assert run("publish_tracking")["written"] == 0
    assert run("publish_tracking", all=True, dry_run=True)["written"] == 3
    assert run("publish_tracking", all=True)["written"] == 3
    assert documents(objects) == before
