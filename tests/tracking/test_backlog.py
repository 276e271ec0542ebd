"""What is behind: read from an index that holds nothing else, and shown with its age."""

from datetime import timedelta

import pytest
import time_machine
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from dispatch.changing import change_details
from tests.tracking.builders import MemoryStore, make_link
from tracking import publishing
from tracking.backlog import Backlog, read_backlog
from tracking.claims import claim_links
from tracking.links import revoke_link
from tracking.models import TrackingLink
from tracking.publishing import publish_behind

pytestmark = pytest.mark.django_db
LINKS = TrackingLink.objects
READS = {
    "page": lambda: LINKS.behind().filter(pk__gt=7).values_list("pk", flat=True)[:1_000],
    "newest": lambda: LINKS.behind().order_by("-pk").values_list("pk", flat=True)[:1],
    "all": lambda: LINKS.behind().values_list("pk", flat=True),
    "deletions": lambda: LINKS.behind().filter(revoked_at__isnull=False).values_list("pk"),
}


@pytest.fixture
def many_links():
    """Links of which few are behind: a planner reads a small table without any index."""
    link = make_link(published_revision=1)
    rows = [
        TrackingLink(job=link.job, token="", token_sha256=f"{number:064x}", published_revision=1)
        for number in range(3_000)
    ]
    for row in rows:
        row.revoked_at, row.revoke_reason, row.published_revision = timezone.now(), "lost", None
    LINKS.bulk_create(rows)
    make_link()
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE tracking_trackinglink")


@pytest.mark.parametrize("read", READS)
def test_what_is_behind_is_read_from_its_index(many_links, read):
    assert "link_behind" in READS[read]().explain()


def test_nothing_is_behind():
    make_link(published_revision=1)
    assert read_backlog() == Backlog(0, 0)
    assert str(read_backlog()) == "all are current"


def test_lag_is_that_of_the_first_change(database_clock):
    first, _ = make_link(), make_link()
    LINKS.filter(pk=first.pk).mark_due(2)
    database_clock.shift(timedelta(seconds=30))
    LINKS.filter(pk=first.pk).mark_due(3)
    found = read_backlog()
    assert found.behind == 2
    assert 30 <= found.seconds < 60
    assert str(found).startswith("2 are behind, the first for 3")


def test_lag_of_a_current_document_begins_with_its_change(database_clock):
    link = make_link()
    LINKS.filter(pk=link.pk).mark_due(1)
    publish_behind(objects=MemoryStore())
    database_clock.shift(timedelta(hours=1))
    LINKS.filter(pk=link.pk).mark_due(2)
    assert read_backlog().seconds < 60
    publish_behind(objects=MemoryStore())
    LINKS.filter(pk=link.pk).update(published_revision=2)
    database_clock.shift(timedelta(hours=1))
    LINKS.filter(pk=link.pk).mark_unknown()
    assert read_backlog().seconds < 60


def test_lag_of_a_revoked_link_begins_with_its_revocation():
    link = make_link(due_since=timezone.now() - timedelta(days=1))
    publish_behind(objects=MemoryStore())
    revoke_link(link=link, actor="pat", reason="lost")
    found = read_backlog()
    assert found.behind == 1
    assert found.seconds < 60


def test_claim_does_not_hide_what_is_behind():
    claim_links([make_link().pk])
    assert read_backlog().behind == 1


def test_list_of_jobs_says_how_far_publishing_is_behind(desk):
    make_link(published_revision=1)
    address = reverse("admin:dispatch_job_changelist")
    assert "Tracking pages: all are current." in desk.get(address).text
    make_link()
    assert "Tracking pages: 1 is behind, the first for 0 s." in desk.get(address).text


@pytest.mark.parametrize("booked_after", [True, False])
def test_changes_of_today_do_not_wait_for_an_import(monkeypatch, booked_after):
    """The first documents of a run have them, and others get their turn too."""
    monkeypatch.setattr(publishing, "PAGE", 10)
    monkeypatch.setattr(publishing, "NEWEST", 4)
    # The others begin with any; a page from near the end has fewer.
    monkeypatch.setattr(publishing.random, "randrange", lambda first, last: first)
    with time_machine.travel(timezone.now() - timedelta(hours=2), tick=False):
        imported = [make_link(due_since=timezone.now()) for _ in range(40)]
    changed, revoked = imported[3], imported[30]
    LINKS.filter(pk=revoked.pk).update(published_revision=1)
    revoke_link(link=revoked, actor="dana", reason="lost")
    change_details(job=changed.job, changes={"unit": "4"}, actor="dana")
    booked = make_link(due_since=timezone.now()) if booked_after else changed
    done = publish_behind(objects=MemoryStore(), seconds=0)
    assert done["left"] == LINKS.behind().count() > 0
    behind = set(LINKS.behind().values_list("pk", flat=True))
    assert not {changed.pk, revoked.pk, booked.pk} & behind
    assert done["written"] + done["deleted"] == 8
    publish_behind(objects=MemoryStore())
    assert not LINKS.behind().exists()
