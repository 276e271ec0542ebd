"""When the database or a view fails: what was typed comes back, and pages need no database."""

import logging
import re
import sqlite3
from contextlib import closing, contextmanager

import pytest
from django.db import InterfaceError, OperationalError, connection, connections
from django.http import HttpResponse
from django.test import Client, override_settings
from django.urls import path, reverse

from dispatch.form_fields import ServiceField
from dispatch.models import Job
from qdn.failures import server_error
from qdn.urls import urlpatterns as ours
from qdn.waiting import limit_wait
from tests.builders import make_job
from tests.dispatch.conftest import dispatcher, shared_database, together
from tests.tracking.builders import make_link
from tests.tracking.test_views import BOOK, key_in, typed
from tracking.models import TrackingLink

__all__ = ["dispatcher", "shared_database", "together"]
pytestmark = pytest.mark.django_db
TOKEN = "AB.12.secret"


def broken(request, **kwargs):
    raise RuntimeError(f"a bug at {request.path}")


def unsaved_session(request):
    request.session["x"] = 1
    return HttpResponse("ok")


urlpatterns = [
    path("t/broken/<str:token>/", broken),
    path("admin/broken/", broken),
    path("api/broken", broken),
    path("t/session/", unsaved_session),
    *ours,
]
handler500 = server_error


@pytest.fixture
def visitor():
    """A client that gets answers, not exceptions, and shows what needs DEBUG off."""
    return Client(raise_request_exception=False)


@contextmanager
def database_down(error=OperationalError, *, writing=("",), tables=("",)):
    """Fail every query, or those that begin with one of `writing` and name one of `tables`."""

    def fail(execute, sql, params, many, context):
        if sql.startswith(tuple(writing)) and any(table in sql for table in tables):
            raise error(f"server closed the connection: {params}")
        return execute(sql, params, many, context)

    with connection.execute_wrapper(fail):
        yield


@contextmanager
def unreachable_database():
    """Use a database that refuses connections."""
    before = connections["default"]
    lost = connections.create_connection("default")
    lost.settings_dict = before.settings_dict | {"NAME": "/nowhere/db.sqlite3", "PORT": "1"}
    connections["default"] = lost
    try:
        yield
    finally:
        connections["default"] = before


@contextmanager
def locked_database():
    """Hold the lock that bookings need, as another process would; this one waits 0.2 s."""
    limit_wait(connection=connection, seconds=0.2)
    if connection.vendor == "sqlite":
        with closing(sqlite3.connect(connection.settings_dict["NAME"])) as other:
            other.execute("BEGIN IMMEDIATE")
            yield
        return
    other = connections.create_connection("default")
    other.set_autocommit(False)
    with other.cursor() as cursor:
        cursor.execute("LOCK TABLE dispatch_counter")
    yield
    other.close()


def names_in(text):
    inputs = r'<input type="(?!radio)\w+" name="(\w+)"[^>]*value="([^"]*)"'
    return dict(re.findall(inputs, text))


def test_locked_database_gives_the_form_back_and_books_once(shared_database, client):
    form = typed(details="a couch & a lamp", access_notes="Gate 4411")
    with locked_database():
        answer = client.post(BOOK, form)
        reading = client.get(BOOK)
    text = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert answer["Cache-Control"] == "private, no-cache"
    assert "nothing was booked" in text
    assert re.search(r'id="notice".*href="tel:\+1', text)
    for part in ("a couch &amp; a lamp", "Gate 4411", 'value="Mark Halvorsen"'):
        assert part in text
    assert re.search(r'value="junk"\s+selected[^>]*>Junk removal<', text)
    assert "problems-title" not in text
    assert Job.objects.count() == 0
    assert reading.status_code == 200
    # What the browser sends from that page.
    again = {**form, **names_in(text)}
    assert again["form_key"] == form["form_key"]
    first, second = client.post(BOOK, again), client.post(BOOK, again)
    assert (first.status_code, first["Location"]) == (303, second["Location"])
    assert Job.objects.count() == 1


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
@pytest.mark.parametrize("debug", [True, False])
def test_lost_database_gives_the_form_back(client, settings, error, debug):
    settings.DEBUG = debug
    form = typed(phone="907 555-0142")
    ServiceField.names.clear()
    with database_down(error):
        answer = client.post(BOOK, form)
    text = answer.content.decode()
    assert answer.status_code == 503
    assert 'value="907 555-0142"' in text
    assert re.search(r'value="junk"\s+selected', text)
    assert key_in(answer) == form["form_key"]
    assert client.post(BOOK, {**form, **names_in(text)}).status_code == 303


def test_no_connection_to_the_database(client, dispatcher):
    client.force_login(dispatcher)
    form = typed()
    with unreachable_database():
        answer = client.post(BOOK, form)
        pages = [client.get(path) for path in ("/t/x/", "/admin/", "/api/board", BOOK)]
    assert [page.status_code for page in (answer, *pages)] == [503] * 5
    assert 'value="Mark Halvorsen"' in answer.content.decode()
    assert client.post(BOOK, form).status_code == 303


@pytest.mark.parametrize("table", ["dispatch_job", "dispatch_jobevent", "tracking_trackinglink"])
def test_failure_in_the_middle_books_nothing(client, table):
    """A full disk; the link is part of it, or the page would deny a booking that exists."""
    form = typed()
    with database_down(writing=["INSERT"], tables=[f'"{table}"']):
        assert client.post(BOOK, form).status_code == 503
    assert (Job.objects.count(), TrackingLink.objects.count()) == (0, 0)
    assert client.post(BOOK, form).status_code == 303
    assert Job.objects.count() == 1


@pytest.mark.parametrize("missing", ["", "not-a-key"])
def test_form_without_a_key_gets_one_without_the_database(client, missing):
    form = typed(form_key=missing)
    with database_down():
        answer = client.post(BOOK, form)
    assert answer.status_code == 503
    again = client.post(BOOK, {**form, "form_key": key_in(answer)})
    assert again.status_code == 303


def test_wrong_answers_are_shown_without_the_database(client):
    form = typed(phone="12", service="", website="https://spam.example")
    with database_down():
        text = client.post(BOOK, form).content.decode()
    assert 'href="#id_phone"' in text
    assert 'href="#id_service"' in text
    assert "spam.example" not in text


def test_service_that_does_not_exist_is_not_markup(client):
    form = typed(service="<script>")
    with database_down():
        text = client.post(BOOK, form).content.decode()
    assert 'value="&lt;script&gt;"' in text
    assert "<script>" not in text


def test_bug_gives_the_form_back_too(visitor, settings):
    form = typed(details="a couch & a lamp")
    with database_down(RuntimeError, writing=["INSERT"]):
        answer = visitor.post(BOOK, form)
    assert answer.status_code == 500
    assert "a couch &amp; a lamp" in answer.content.decode()
    assert Job.objects.count() == 0
    assert visitor.post(BOOK, form).status_code == 303


@pytest.mark.parametrize("path", ["/t/AB.12.secret/", "/book/request/", "/t/AB.12.secret"])
def test_customers_get_a_page_without_the_database(client, path):
    make_link(token=TOKEN)
    with database_down():
        answer = client.get(path)
    text = answer.content.decode()
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "Stuck behind a plow" in text
    assert 'href="tel:' in text
    assert_bare(answer)


@pytest.mark.parametrize("method", ["get", "post"])
def test_office_gets_a_page_without_the_database(client, dispatcher, method):
    client.force_login(dispatcher)
    job = make_job()
    page = reverse("admin:dispatch_job_change", args=[job.pk])
    with database_down():
        answer = getattr(client, method)(page)
    assert (answer.status_code, answer["Retry-After"]) == (503, "30")
    assert "What you sent was not saved" in answer.content.decode()
    assert_bare(answer)


def test_board_gets_json_without_the_database(client, dispatcher):
    client.force_login(dispatcher)
    with database_down():
        answer = client.get("/api/board")
    assert answer.status_code == 503
    assert answer.json() == {"error": "This did not work. Try again."}


@override_settings(ROOT_URLCONF="tests.test_failures")
@pytest.mark.parametrize(
    ("path", "shown"),
    [(f"/t/broken/{TOKEN}/", "We hit a rut"), ("/admin/broken/", "may not have been saved")],
)
def test_bug_gives_a_page_in_the_look_of_the_site(visitor, path, shown):
    answer = visitor.get(path)
    assert answer.status_code == 500
    assert shown in answer.content.decode()
    assert "Retry-After" not in answer
    assert_bare(answer)


@override_settings(ROOT_URLCONF="tests.test_failures")
def test_failure_outside_of_a_view_is_an_outage_too(visitor):
    """Sessions are saved after the view."""
    with database_down(writing=["INSERT", "UPDATE"]):
        answer = visitor.get("/t/session/")
    assert answer.status_code == 503
    assert "Stuck behind a plow" in answer.content.decode()


def test_log_of_an_outage_is_one_line_without_the_token(client, caplog):
    make_link(token=TOKEN)
    with caplog.at_level(logging.INFO, logger="qdn.failures"), database_down():
        client.get(f"/t/{TOKEN}/")
    (line,) = [record for record in caplog.records if record.name == "qdn.failures"]
    assert line.exc_info is None
    assert TOKEN not in line.getMessage()


def assert_bare(answer):
    """The page shows no token and no cause, is not kept, and needs no other file."""
    text = answer.content.decode()
    for secret in (TOKEN, "closed the connection", "Traceback", "RuntimeError"):
        assert secret not in text
    assert answer["Cache-Control"] == "no-store"
    assert "default-src 'none'" in answer["Content-Security-Policy"]
    assert not re.search(r'<(link|script|img)[^>]*(href|src)="/', text)
