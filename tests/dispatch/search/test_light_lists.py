"""Lists of jobs and customers: light to send, and counted only as far as they are shown."""

from datetime import timedelta

import pytest
from django.contrib.messages import get_messages
from django.urls import reverse
from django.utils import timezone

from dispatch.admin import light_lists
from dispatch.models import Job
from dispatch.statuses import Status
from tests.builders import make_crew, make_customer, make_job, make_price

pytestmark = pytest.mark.django_db
JOBS = reverse("admin:dispatch_job_changelist")
MOST_BYTES = 150_000


def full_jobs(count):
    """Make jobs with something in every column."""
    now, hour = timezone.now(), timedelta(hours=1)
    crews = [make_crew(name=f"Birch and Tamarack {number}") for number in range(8)]
    statuses = [*Status]
    for number in range(count):
        job = make_job(
            number=100_000 + number, status=statuses[number % len(statuses)],
            contact_name="Maximilian Featherstonehaugh", town="North Pole",
            crew=crews[number % len(crews)], window_start=now - 3 * hour, window_end=now - hour,
            on_hold=True, hold_reason="waits",
        )  # fmt: skip
        make_price(job)


def test_page_of_full_rows_is_light(admin_client):
    full_jobs(51)
    page = admin_client.get(JOBS)
    assert len(page.context["cl"].result_list) == 50
    assert len(page.content) < MOST_BYTES
    assert b"q-cell" in page.content
    assert b"lg:table-cell dark:border-base-800" not in page.content


def test_page_of_customers_is_light(admin_client):
    for number in range(51):
        make_customer(name=f"Maximilian Featherstonehaugh {number}", email="m@example.com")
    page = admin_client.get(reverse("admin:dispatch_customer_changelist"))
    assert len(page.context["cl"].result_list) == 50
    assert len(page.content) < MOST_BYTES


def test_no_more_rows_are_counted_than_are_shown(admin_client, monkeypatch):
    monkeypatch.setattr(light_lists, "MOST", 3)
    for number in range(1, 6):
        make_job(number=number)
    page = admin_client.get(JOBS)
    assert page.context["cl"].result_count == 3
    assert [job.number for job in page.context["cl"].result_list] == [5, 4, 3, 2, 1]
    assert "More than 3 jobs. Filter or search for others." in page.content.decode()


@pytest.mark.parametrize(("count", "text"), [(1, ">1 job<"), (2, ">2 jobs<")])
def test_few_rows_are_counted(admin_client, count, text):
    for number in range(count):
        make_job(number=number + 1)
    assert text in admin_client.get(JOBS).content.decode()


@pytest.mark.parametrize(("most", "refused"), [(1, True), (2, False)])
def test_action_reaches_only_rows_that_are_shown(admin_client, monkeypatch, most, refused):
    monkeypatch.setattr(light_lists, "MOST", most)
    jobs = [make_job(), make_job()]
    data = {
        "action": "cancel_jobs", "select_across": "1", "_selected_action": [jobs[0].pk],
        "confirmed": "yes", "side": "firm", "reason": "closed",
    }  # fmt: skip
    answer = admin_client.post(JOBS, data)
    said = " ".join(str(message) for message in get_messages(answer.wsgi_request))
    assert ("Select at most" in said) is refused
    assert Job.objects.filter(status=Status.REQUESTED).count() == (2 if refused else 0)
