"""The probe: one hidden job, that nothing shows and that leaves nothing."""

from datetime import timedelta
from uuid import uuid4

import pytest
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from dispatch.changing import job_by_number
from dispatch.errors import JobUnknown, ProbeExists
from dispatch.models import Customer, Job, JobEvent, ServiceType
from dispatch.numbers import last_number
from dispatch.probes import (
    LEFT_AFTER,
    NAME,
    PROBE_NUMBER,
    left_probes,
    make_probe,
    move_probe,
    remove_probe,
)
from dispatch.windows.recount import drift
from notifications.models import Message
from office.board.access import Viewer
from office.board.document import board_document
from tests.builders import make_job
from tests.notifications.test_events import request
from tracking.comparing import compare_documents
from tracking.links import ensure_open_links
from tracking.models import TrackingLink

pytestmark = pytest.mark.django_db


@pytest.fixture
def probe():
    job = make_probe()
    move_probe(job)
    return job


def test_probe_is_changed_as_every_job_is():
    job = make_probe()
    assert (job.status, job.revision) == ("requested", 1)
    move_probe(job)
    found = Job.with_probes.get(pk=job.pk)
    assert (found.status, found.revision, found.is_probe) == ("cancelled", 2, True)
    assert [event.kind for event in JobEvent.objects.filter(job=job)] == ["created", "status"]


def test_nothing_is_left_of_it(probe):
    make_job()
    TrackingLink.objects.get(job=probe).delete()  # the check's, as its document is
    remove_probe(probe)
    assert not Job.with_probes.filter(is_probe=True).exists()
    assert not JobEvent.objects.filter(revision=2).exists()
    assert not Customer.objects.filter(name=NAME).exists()
    assert Job.objects.count() == Customer.objects.count() == JobEvent.objects.count() == 1


def test_customers_job_is_not_removed():
    job = make_job()
    with pytest.raises(ValueError, match="customer's job"):
        remove_probe(job)
    assert Job.objects.get() == job


def test_second_one_is_refused_and_writes_nothing(probe):
    with pytest.raises(ProbeExists, match="in progress"):
        make_probe()
    assert Customer.objects.count() == 1


def test_one_of_many_at_once_is_made(together):
    found = together(make_probe)
    assert sorted(type(one).__name__ for one in found) == ["Job"] + ["ProbeExists"] * 5
    assert Customer.objects.count() == 1


def test_service_that_customers_can_book_is_preferred():
    first = ServiceType.objects.order_by("pk").first()
    ServiceType.objects.filter(pk=first.pk).update(active=False)
    assert make_probe().service.active


def test_installation_without_a_service_is_refused():
    ServiceType.objects.all().delete()
    with pytest.raises(Exception, match="There is no service"):
        make_probe()


def test_only_an_old_one_was_left(probe):
    now = timezone.now()
    assert not left_probes(now).exists()
    assert left_probes(now + LEFT_AFTER + timedelta(seconds=5)).get() == probe


# Nothing shows it


def test_no_set_of_jobs_has_it(probe):
    assert not Job.objects.exists()
    assert not Job.objects.search(str(PROBE_NUMBER)).exists()
    assert not Job.objects.search("Test Street").exists()
    assert not probe.customer.jobs.exists()
    assert not probe.service.jobs.exists()
    with pytest.raises(JobUnknown):
        job_by_number(f"QDN-{PROBE_NUMBER}")


def test_board_has_it_not(probe):
    day, now = timezone.localdate(), timezone.now()
    assert "Test Street" not in str(board_document(day, now, viewer=Viewer("dana", bool)))


def test_it_gets_no_number_and_takes_none(probe):
    before = last_number()
    assert before < PROBE_NUMBER
    assert make_job().number < 1_000_000


def test_it_gets_no_message(probe):
    assert not Message.objects.exists()


def test_it_gets_no_link_unasked(probe):
    assert ensure_open_links(actor="system") == 0


def test_windows_agree(probe):
    assert drift(timezone.now()) == []


def test_booking_does_not_find_its_customer(probe):
    from dispatch.booking import book  # noqa: PLC0415

    assert book(request=request(), form_key=uuid4()).job.customer != probe.customer


@pytest.mark.parametrize("page", ["dispatch_job", "dispatch_customer"])
def test_admin_lists_and_finds_it_not(probe, client, page):
    client.force_login(User.objects.create_superuser("root"))
    address = reverse(f"admin:{page}_changelist")
    for query in ({}, {"q": "Tracking"}, {"q": str(PROBE_NUMBER)}):
        answer = client.get(address, query)
        assert answer.status_code == 200
        assert answer.context["cl"].result_count == 0


def test_admin_search_finds_it_not(probe, client):
    client.force_login(User.objects.create_superuser("root"))
    answer = client.get("/admin/search/", {"s": "Tracking check"})
    assert "/dispatch/" not in answer.content.decode()


@pytest.mark.parametrize("page", ["dispatch_job_change", "dispatch_customer_change"])
def test_admin_has_no_page_for_it(probe, client, page):
    client.force_login(User.objects.create_superuser("root"))
    pk = probe.pk if "job" in page else probe.customer_id
    answer = client.get(reverse(f"admin:{page}", args=[pk]))
    assert answer.status_code == 302  # to the index: it does not exist
    assert "Tracking check" not in answer.content.decode()


def test_comparison_names_it_not(probe):
    from tests.tracking.builders import MemoryStore  # noqa: PLC0415

    TrackingLink.objects.filter(job=probe).update(published_revision=2, due_revision=2)
    assert compare_documents(MemoryStore()).missing.named == []
