"""Links and access notes are for users who may change jobs, not for those who only look."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse

from dispatch.changing import change_details
from dispatch.statuses import Status
from tests.builders import make_job
from tests.tracking.builders import make_link

pytestmark = pytest.mark.django_db
LIST = "/admin/dispatch/job/"
SECRETS = ("4411", "AB.12.secret")


@pytest.fixture
def job():
    job = make_job(status=Status.EN_ROUTE, access_notes="Gate 4411")
    change_details(job=job, changes={"access_notes": "Gate 4411 or 4411#"}, actor="dana")
    make_link(job=job, token="AB.12.secret")
    return job


@pytest.fixture
def client_who_may(django_user_model):
    def client_who_may(*codenames):
        user = django_user_model.objects.create_user("kim", is_staff=True)
        user.user_permissions.add(*Permission.objects.filter(codename__in=codenames))
        client = Client()
        client.force_login(user)
        return client

    return client_who_may


def pages_of(job):
    page = reverse("admin:dispatch_job_change", args=[job.pk])
    customer = reverse("admin:dispatch_customer_change", args=[job.customer_id])
    history = reverse("admin:dispatch_job_history", args=[job.pk])
    lists = [LIST, f"{LIST}?q=4411", f"{LIST}?q=AB.12.secret", "/admin/", "/admin/search/?s=4411"]
    return [page, customer, history, *lists, "/api/board"]


def test_users_who_only_look_see_neither_link_nor_notes(client_who_may, job):
    client = client_who_may("view_job", "view_customer", "view_jobevent", "view_price")
    for path in pages_of(job):
        answer = client.get(path)
        text = answer.content.decode()
        assert answer.status_code == 200, path
        # A search page repeats what was searched for.
        found = [secret for secret in SECRETS if secret in text and secret not in path]
        assert found == [], path
    page = client.get(pages_of(job)[0]).content.decode()
    assert job.address_line in page
    assert "Tracking page" not in page
    assert "Access notes" not in page


def test_users_who_may_change_jobs_see_both(client_who_may, job):
    client = client_who_may("view_job", "change_job")
    text = client.get(pages_of(job)[0]).content.decode()
    assert [secret for secret in SECRETS if secret in text] == list(SECRETS)


def test_user_who_may_add_jobs_can_enter_notes(client_who_may):
    client = client_who_may("view_job", "add_job")
    assert 'name="access_notes"' in client.get(f"{LIST}add/").content.decode()


@pytest.mark.parametrize("query", ["4411", "gate", "AB.12.secret"])
def test_search_does_not_look_into_them(desk, job, query):
    assert list(desk.get(LIST, {"q": query}).context["cl"].result_list) == []


@pytest.mark.parametrize(
    "lookup",
    ["access_notes", "access_notes__startswith", "access_notes__contains", "form_key",
     "form_key__gte", "tracking_links__token__startswith", "tracking_links__token"],
)  # fmt: skip
def test_filters_do_not_confirm_them(client_who_may, job, lookup):
    client = client_who_may("view_job")
    assert client.get(LIST, {lookup: "Gate"}).status_code == 400


@pytest.mark.parametrize("base", ["crew", "customer", "servicetype"])
def test_filters_of_other_lists_do_not_confirm_them(admin_client, job, base):
    for lookup in ("jobs__access_notes__startswith", "jobs__tracking_links__token"):
        answer = admin_client.get(f"/admin/dispatch/{base}/", {lookup: "Gate"})
        assert answer.status_code == 400
