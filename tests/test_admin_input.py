"""Values that no page of the admin sends get 400 from every page, on every database."""

import re

import pytest
from django.contrib import admin
from django.contrib.auth.models import User
from django.db import connection
from django.urls import reverse

from dispatch.models import Job, JobEvent, Price
from dispatch.statuses import Status
from tests.builders import make_crew, make_job, make_price
from tests.dispatch.conftest import desk, dispatcher
from tests.dispatch.job_page import page_of, posted

__all__ = ["desk", "dispatcher"]
pytestmark = pytest.mark.django_db
admin.autodiscover()
LISTS = [
    f"/admin/{model._meta.app_label}/{model._meta.model_name}/" for model in admin.site._registry
]
JOBS = "/admin/dispatch/job/"
HUGE = "9" * 4_400


@pytest.fixture
def office(client):
    """A client logged in as a user who may do everything."""
    client.force_login(User.objects.create(username="pat", is_staff=True, is_superuser=True))
    return client


@pytest.mark.parametrize("path", LISTS)
def test_nul_is_refused(office, path):
    for name in ("q", "o", "p", "e", "_facets", "_to_field", "x", "id__exact"):
        assert office.get(path, {name: "a\x00b"}).status_code == 400
        assert office.get(path, {f"a\x00{name}": "1"}).status_code == 400
    for page in ("change", "history", "delete"):
        assert office.get(f"{path}a%00b/{page}/").status_code == 400


def test_nul_in_a_form_is_refused(office):
    make_job()
    for data in ({"action": "\x00"}, {"\x00": "x"}, {"_selected_action": ["1", "\x00"]}):
        assert office.post(JOBS, data).status_code == 400


def test_refusal_says_what_to_do(office):
    answer = office.get(JOBS, {"status__exact": "\x00"})
    text = answer.content.decode()
    assert "Nothing was changed" in text
    assert f'href="{JOBS}"' in text


@pytest.mark.parametrize("path", LISTS)
@pytest.mark.parametrize("number", [HUGE, str(2**64), "-1"])
def test_numbers_of_any_size_are_answered(office, path, number):
    for name in ("q", "o", "p", "id__in", "environment", "crew"):
        assert office.get(path, {name: number}).status_code < 500
    assert office.get(f"{path}{number}/change/").status_code < 500


@pytest.mark.parametrize("name", ["crew__id__exact", "service__id__exact", "customer"])
def test_filter_by_a_number_no_row_can_have(office, name):
    make_job(crew=make_crew())
    assert office.get(JOBS, {name: str(2**64)}).status_code in (200, 400)


@pytest.mark.parametrize(
    "lookup",
    ["number__range", "number__regex", "contact_name__iregex", "created_at__year__range"],
)
def test_lookups_that_no_link_has_are_refused(office, lookup):
    for value in ("1", "(", "(a+)+$", "1,2,3"):
        assert office.get(JOBS, {lookup: value}).status_code == 400


@pytest.mark.parametrize(
    ("path", "lookup", "value"),
    [
        ("/admin/axes/accessattempt/", "ip_address", "x"),
        ("/admin/deployments/release/", "marked_at__iso_year", "9" * 20),
        ("/admin/deployments/deployment/", "environment", "9" * 20),
    ],
)
def test_value_that_a_filter_cannot_use_is_answered(office, path, lookup, value):
    assert office.get(path, {lookup: value}).status_code in (200, 302, 400)


def test_fault_in_a_list_without_a_filter_stays_a_fault(office):
    def fail(execute, sql, params, many, context):
        if "dispatch_job" in sql:
            raise ValueError("a bug")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail), pytest.raises(ValueError, match="a bug"):
        office.get(JOBS)


def test_lookup_a_database_does_not_have_is_answered(office):
    path = "/admin/deployments/environment/"
    assert office.get(path, {"stack__contains": "%"}).status_code < 500


@pytest.mark.parametrize("path", LISTS)
def test_search_for_many_words_is_answered(office, path):
    assert office.get(path, {"q": "a " * 1_200}).status_code == 400
    assert office.get(path, {"q": "a " * 30}).status_code in (200, 302)


def test_very_long_text_to_look_for_is_refused(office):
    for name in ("q", "contact_name__contains", "details__icontains"):
        assert office.get(JOBS, {name: "a" * 60_000}).status_code == 400


@pytest.mark.parametrize("path", LISTS)
def test_action_on_rows_that_cannot_exist(office, path):
    for chosen in ("x", str(2**64), HUGE, "Z" * 64):
        data = {"action": "delete_selected", "_selected_action": [chosen], "index": HUGE}
        assert office.post(path, data).status_code < 500


def test_action_on_a_row_that_does_not_exist(office):
    data = {"action": "move_to_scheduled", "_selected_action": ["123456"]}
    assert office.post(JOBS, data).status_code == 302


def test_empty_field_to_look_up_is_refused(office):
    page = reverse("admin:auth_user_change", args=[User.objects.get().pk])
    assert office.post(page, {"_to_field": ""}).status_code == 400
    assert office.get(f"{page}?_to_field=").status_code == 400


@pytest.mark.parametrize("revision", [HUGE, "²", "٣", "-1", "", "1.0", str(2**63)])
def test_move_with_a_revision_that_cannot_be(desk, revision):
    job = make_job()
    data = posted(job, seen_revision=revision, move_to="scheduled")
    assert desk.post(page_of(job), data).status_code == 200
    job.refresh_from_db()
    assert job.status == Status.REQUESTED


@pytest.mark.parametrize("prefix", ["prices", "events"])
@pytest.mark.parametrize(
    ("total", "initial"), [("1", "0"), ("999999999", "0"), ("x", "x"), ("-1", "5"), (HUGE, HUGE)]
)
def test_posted_rows_of_a_history_are_ignored(desk, prefix, total, initial):
    job = make_job()
    make_price(job)
    data = posted(job, details="two couches") | {
        f"{prefix}-TOTAL_FORMS": total,
        f"{prefix}-INITIAL_FORMS": initial,
        f"{prefix}-0-id": "1",
        f"{prefix}-0-cents": "5",
        f"{prefix}-0-kind": "all_in",
        f"{prefix}-0-DELETE": "on",
    }
    answer = desk.post(reverse("admin:dispatch_job_change", args=[job.pk]), data)
    assert answer.status_code == 302
    job.refresh_from_db()
    assert job.details == "two couches"
    assert (Price.objects.count(), JobEvent.objects.count()) == (1, 2)


def test_a_page_with_errors_shows_the_true_history(desk):
    job = make_job()
    make_price(job)
    data = posted(job, zip_code="x") | {"prices-TOTAL_FORMS": "999999999"}
    answer = desk.post(reverse("admin:dispatch_job_change", args=[job.pk]), data)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "$600 all-in" in text
    assert 'name="prices-1-' not in text
    # The page a browser sends back has no counts that Django would miss.
    names = set(re.findall(r'name="(prices-[A-Z_]+)"', text))
    assert "prices-TOTAL_FORMS" in names


@pytest.mark.parametrize("total", ["1", "999999999"])
def test_posted_jobs_of_a_customer_are_ignored(desk, total):
    job = make_job()
    page = reverse("admin:dispatch_customer_change", args=[job.customer_id])
    data = {
        "name": "Mark Ames", "phone": "907-555-0142", "email": "",
        "jobs-TOTAL_FORMS": total, "jobs-INITIAL_FORMS": "0",
        "jobs-0-number": "7", "jobs-0-town": "Nenana",
    }  # fmt: skip
    assert desk.post(page, data).status_code == 302
    job.customer.refresh_from_db()
    assert job.customer.name == "Mark Ames"
    assert Job.objects.count() == 1


def test_customers_are_asked_by_their_own_forms(client):
    """A customer's NUL is a mistake in a field, not a page that throws the form away."""
    answer = client.post("/book/request/", {"name": "a\x00b", "details": "two couches"})
    assert answer.status_code == 422
    assert "two couches" in answer.content.decode()
