import threading
from hashlib import sha256

import pytest
from django.db import IntegrityError, transaction
from django_q.models import OrmQ

from dispatch.changing import move_job
from dispatch.models import Job
from dispatch.statuses import Status
from tests.builders import make_job, make_planned_job
from tests.tracking.builders import make_link
from tracking import receivers
from tracking.errors import LinkNotActive, ReasonMissing
from tracking.links import (
    create_tracked_job,
    ensure_link,
    ensure_open_links,
    find_link,
    revoke_link,
    rotate,
    token_in,
    tracking_url,
)
from tracking.models import TrackingLink, TrackingLinkQuerySet

pytestmark = pytest.mark.django_db


def test_new_link_opens_its_job(settings, django_capture_on_commit_callbacks):
    settings.SITE_URL = "https://example.com"
    job = make_job()
    with django_capture_on_commit_callbacks(execute=True):
        link = ensure_link(job=job, actor="pat")
    assert find_link(link.token) == link
    assert len(link.token) == 22
    assert link.token_sha256 == sha256(link.token.encode()).hexdigest()
    assert tracking_url(link) == f"https://example.com/track/{link.token}"
    assert OrmQ.objects.count() == 1


def test_job_keeps_its_link():
    job = make_job()
    assert ensure_link(job=job, actor="pat") == ensure_link(job=job, actor="kim")


def test_new_job_has_a_link_in_its_own_transaction(django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        job, link = create_tracked_job(
            actor="pat", name="Ann", phone="907-555-0155", address="1 A Road, Fairbanks, 99709"
        )
    assert TrackingLink.objects.get() == link
    assert (link.job, link.created_by, link.due_revision) == (job, "pat", job.revision)
    assert link.due_since
    assert OrmQ.objects.count() == 1


def test_new_job_without_a_link_is_not_kept(monkeypatch):
    def refuse(**kwargs):
        raise IntegrityError

    monkeypatch.setattr(receivers, "first_link", refuse)
    with pytest.raises(IntegrityError), transaction.atomic():
        create_tracked_job(
            actor="pat", name="Ann", phone="907-555-0155", address="1 A Road, Fairbanks, 99709"
        )
    assert not Job.objects.exists()


def test_change_makes_the_link_due():
    job = make_planned_job()
    link = make_link(job=job, published_revision=job.revision)
    move_job(job=job, to=Status.SCHEDULED, actor="pat")
    link.refresh_from_db()
    assert link.due_revision == job.revision == 2
    assert TrackingLink.objects.behind().get() == link


def test_link_of_an_older_job_has_the_revision_of_now():
    job = make_job()
    Job.objects.filter(pk=job.pk).update(revision=7)
    assert ensure_link(job=job, actor="pat").due_revision == 7


def test_link_misses_no_change_that_is_under_way(together):
    """The change finds no link to mark, and commits after the link was made."""
    job, changing, made = make_planned_job(), threading.Event(), threading.Event()
    turns = iter(["change", "link"])

    def run():
        if next(turns) == "link":
            changing.wait(20)
            ensure_link(job=job, actor="pat")
            made.set()
            return
        with transaction.atomic():
            move_job(job=Job.objects.get(pk=job.pk), to=Status.SCHEDULED, actor="pat")
            changing.set()
            made.wait(0.5)  # without the lock it would be made now

    assert together(run, 2) == [None, None]
    assert TrackingLink.objects.get().due_revision == 2


def test_concurrent_requests_get_one_link(monkeypatch):
    job = make_job()
    other = make_link(job=job)
    # The second request queried before the first one wrote.
    monkeypatch.setattr(TrackingLinkQuerySet, "first", lambda links: None)
    assert ensure_link(job=job, actor="pat") == other


def test_rotation_deactivates_the_old_link():
    old = ensure_link(job=make_job(), actor="pat")
    new = rotate(link=old, actor="pat", reason="sent to a wrong phone")
    assert find_link(old.token) is None
    assert find_link(new.token) == new
    assert new.job == old.job


def test_revoked_link_records_who_and_why():
    link = make_link()
    revoke_link(link=link, actor="pat", reason=" asked for it ")
    link.refresh_from_db()
    assert (link.revoked_by, link.revoke_reason) == ("pat", "asked for it")
    assert not link.is_active


def test_only_open_jobs_get_links():
    make_job()
    make_job(status=Status.COMPLETED)
    make_link(revoked=True)
    assert ensure_open_links(actor="system") == 1
    assert ensure_open_links(actor="system") == 0


def test_special_characters_are_quoted_in_the_url():
    link = make_link(token="A.b/c d.12")
    assert tracking_url(link).endswith("/track/A.b%2Fc%20d.12")


@pytest.mark.parametrize("token", ["", "unknown", "x" * 129, "\x00", "%"])
def test_unknown_token_finds_nothing(token):
    assert find_link(token) is None


def test_revoked_token_finds_nothing():
    assert find_link(make_link(token="gone", revoked=True).token) is None


def test_revoking_needs_a_reason():
    link = make_link()
    with pytest.raises(ReasonMissing):
        revoke_link(link=link, actor="pat", reason=" ")
    assert find_link(link.token) == link


def test_revoking_twice_is_refused():
    link = make_link(revoked=True)
    with pytest.raises(LinkNotActive) as refused:
        revoke_link(link=link, actor="pat", reason="again")
    assert link.token not in str(refused.value)


def test_database_refuses_two_active_links_of_a_job():
    link = make_link()
    with pytest.raises(IntegrityError), transaction.atomic():
        make_link(job=link.job)


def test_text_of_a_link_has_no_token():
    link = make_link(token="do-not-show-me")
    for text in [str(link), repr(link), f"{TrackingLink.objects.all()}"]:
        assert "do-not-show-me" not in text


@pytest.mark.parametrize(
    ("pasted", "token"),
    [
        ("https://example.com/track/AB.12", "AB.12"),
        (" https://example.com/track/AB.12/ ", "AB.12"),
        ("example.com/track/AB.12", "AB.12"),
        ("https://example.com/t/a%20b/", "a b"),
        ("https://example.com/track-staging/x", "x"),
        ("https://example.com/track.html?token=AB.12", "AB.12"),
        ("https://example.com/track/?t=AB.12", "AB.12"),
        ("AB.12", "AB.12"),
        ("", ""),
        ("https://example.com/", ""),
        ("https://example.com/track/a%2Fb", ""),
        ("..", ""),
        ("https://[example.com/track/AB.12", ""),
        ("http://a\u2100b/track/AB.12", ""),
        ("https://x.com/t/?link=https%3A%2F%2Fx.com%2Ftrack.html%3Ftoken%3DAB.12", "AB.12"),
        ("https://example.com/t/?link=" + "?link=" * 2_000 + "AB.12", ""),
    ],
)
def test_token_in_pasted_text(pasted, token):
    assert token_in(pasted) == token
