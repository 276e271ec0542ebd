"""Any list of the admin as CSV and XLSX: what it shows, guarded, streamed and recorded."""

import csv
import io
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest
import time_machine
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils.html import format_html
from openpyxl import load_workbook

from dispatch.models import Customer, Job
from dispatch.statuses import Status
from notifications.models import OptOut
from office.exports.columns import NEVER, plain
from office.exports.files import csv_cell, guarded
from tests.builders import make_crew, make_customer, make_job, make_price
from tests.tracking.builders import make_link

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
# Of the same moment in Denver, as a spreadsheet has it: without a zone.
NOON = datetime(2026, 11, 20, 13)  # noqa: DTZ001
FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1", " =1+1", '=cmd|"/c calc"!A1']


@pytest.fixture
def owner(client):
    """A test client of a user who may see everything and export."""
    user = User.objects.create_user("olivia", is_staff=True)
    user.user_permissions.set(Permission.objects.filter(codename__startswith="view_"))
    user.user_permissions.add(Permission.objects.get(codename="export"))
    client.force_login(user)
    return client


def address(model="dispatch.job"):
    return reverse("office:export", args=model.split("."))


def export(client, model="dispatch.job", query=None, kind="csv"):
    return client.post(address(model), {"format": kind}, query_params=query)


def lines(response):
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.reader(io.StringIO(text.removeprefix("\ufeff"), newline="")))


def sheet(response):
    assert response.status_code == 200
    return load_workbook(io.BytesIO(b"".join(response.streaming_content))).active


@time_machine.travel(NOW, tick=False)
def test_jobs_are_exported_as_the_list_shows_them(owner):
    job = make_job(
        status=Status.SCHEDULED,
        crew=make_crew(name="Birch"),
        contact_name="Mark Ames",
        customer=make_customer(phone="+19075550142"),
        window_start=NOW,
        window_end=NOW + timedelta(hours=2),
    )
    make_price(job)
    heading, row = lines(response := export(owner))
    assert 'filename="jobs-2026-11-20.csv"' in response.headers["Content-Disposition"]
    found = dict(zip(heading, row, strict=True))
    assert found["Number"] == job.label
    assert found["Status"] == "Scheduled"
    assert found["Customer"] == "Mark Ames, (907) 555-0142"
    assert found["Window"] == "Fri Nov 20, 1 p.m. to 3 p.m., outside windows"
    assert (found["Crew"], found["Price"], found["Hold"]) == ("Birch", "$600 all-in", "")


def test_filters_search_and_order_apply_and_pages_do_not(owner):
    for number in range(60):
        make_customer(name=f"Ann {number:02}")
    make_customer(name="Ben")
    assert len(lines(export(owner, "dispatch.customer", {"q": "Ann", "p": "2"}))) == 61
    newest = lines(export(owner, "dispatch.customer", {"o": "-0"}))
    assert newest[1][0] == "Ben"


def test_notes_codes_and_tokens_are_not_exported(owner):
    job = make_job(details="Ring twice", access_notes="Gate 1234", status=Status.SCHEDULED)
    link = make_link(job=job)
    for model, model_admin in admin.site._registry.items():
        if model_admin.has_view_permission(_request(owner)):
            text = str(lines(export(owner, model._meta.label_lower)))
            for secret in ("Ring twice", "Gate 1234", link.token, link.token_sha256):
                assert secret not in text, model


def _request(owner):
    return owner.get("/admin/").wsgi_request


def test_private_column_is_left_out_even_if_a_list_shows_it(owner, monkeypatch):
    make_job(access_notes="Gate 1234")
    job_admin = admin.site._registry[Job]
    monkeypatch.setattr(job_admin, "list_display", ["label", *sorted(NEVER & {"access_notes"})])
    assert lines(export(owner)) == [["Number"], [Job.objects.get().label]]


@pytest.mark.parametrize("text", FORMULAS)
def test_text_is_never_a_formula_in_a_csv(owner, text):
    make_customer(name=text)
    row = lines(export(owner, "dispatch.customer"))[1]
    assert row[0] == f"'{text.strip()}" or row[0] == f"'{text}"


@pytest.mark.parametrize("text", FORMULAS)
def test_text_is_never_a_formula_in_a_sheet(owner, text):
    make_customer(name=text)
    cell = sheet(export(owner, "dispatch.customer", kind="xlsx"))["A2"]
    assert cell.data_type == "s"
    assert cell.value.strip() == text.strip()


def test_sheet_has_headings_texts_and_times(owner):
    OptOut.objects.create(phone="+19075550177")
    OptOut.objects.update(at=NOW)
    found = sheet(export(owner, "notifications.optout", kind="xlsx"))
    assert [cell.value for cell in found[1]] == ["Phone", "At"]
    assert [cell.value for cell in found[2]] == ["(907) 555-0177", NOON]
    assert found["A1"].font.bold


def test_markup_becomes_text():
    shown = format_html("<b>{}</b><br>{}", "Ames & Co <x>", "4 p.m.")
    assert plain(shown) == "Ames & Co <x>, 4 p.m."
    assert plain("<b>typed</b>") == "<b>typed</b>"
    assert plain(["Dana", "", "907"]) == "Dana, 907"
    assert plain((Status.SCHEDULED, "Scheduled")) == "Scheduled"
    assert [plain(value) for value in (None, "", True, False, 3)] == [None, None, "yes", "no", 3]


def test_numbers_and_days_stay_what_they_are():
    assert [csv_cell(-5), csv_cell(Decimal("1.50")), csv_cell(None)] == ["-5", "1.50", ""]
    assert csv_cell(date(2026, 11, 1)) == "2026-11-01"
    assert csv_cell(NOON) == "2026-11-20 13:00"
    assert guarded("a=b") == "a=b"


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_queries_do_not_grow_with_the_rows(owner, kind):
    def queries():
        with CaptureQueriesContext(
            connection,
        ) as asked:
            response = export(owner, kind=kind)
            b"".join(response.streaming_content)
        return len(asked)

    make_price(make_job(crew=make_crew()))
    queries()  # content types are cached from here on
    few = queries()
    for _ in range(20):
        make_price(make_job(crew=make_crew()))
    assert queries() == few


def test_export_is_recorded_before_it_leaves(owner):
    make_job(status=Status.SCHEDULED)
    make_job()
    export(owner, query={"status__exact": "scheduled"})
    entry = LogEntry.objects.get()
    assert (entry.user.username, entry.content_type.model) == ("olivia", "job")
    assert entry.change_message == ("Exported 1 row as CSV. Filters: status__exact=scheduled")


def test_export_has_and_records_rows_that_the_list_does_not_count(owner, monkeypatch):
    monkeypatch.setattr("dispatch.admin.light_lists.MOST", 1)
    for _ in range(3):
        make_job()
    lines = b"".join(export(owner).streaming_content).decode().splitlines()
    assert len(lines) == 4
    assert LogEntry.objects.get().change_message == "Exported 3 rows as CSV. Filters: none"


def test_only_users_with_the_permission_export(desk, dispatcher):
    make_customer()
    listed = desk.get(reverse("admin:dispatch_customer_changelist")).content.decode()
    assert address("dispatch.customer") not in listed
    assert export(desk, "dispatch.customer").status_code == 403
    dispatcher.user_permissions.add(Permission.objects.get(codename="export"))
    listed = desk.get(reverse("admin:dispatch_customer_changelist")).content.decode()
    assert address("dispatch.customer") in listed
    assert export(desk, "dispatch.customer").status_code == 200


def test_list_that_may_not_be_seen_is_not_exported(desk, dispatcher):
    dispatcher.user_permissions.add(Permission.objects.get(codename="export"))
    for model in ("auth.user", "deployments.environment", "axes.accessattempt"):
        assert export(desk, model).status_code == 403
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    "model", ["dispatch.price", "dispatch.nothing", "nowhere.job", "sessions.session"]
)
def test_what_has_no_list_is_not_found(owner, model):
    assert export(owner, model).status_code == 404


def test_unknown_format_is_not_found(owner):
    assert export(owner, kind="pdf").status_code == 404


def test_get_exports_nothing(owner):
    assert owner.get(address()).status_code == 405
    assert not LogEntry.objects.exists()


def test_filter_that_cannot_be_applied_exports_nothing(owner):
    answer = export(owner, query={"created_at__gte": "x"})
    assert answer.headers["Location"] == "/admin/dispatch/job/?e=1"
    assert not LogEntry.objects.exists()


def test_sheet_that_is_too_long_is_refused_in_words(owner, monkeypatch):
    monkeypatch.setattr("office.exports.views.MOST_ROWS", 1)
    make_customer()
    make_customer()
    answer = owner.post(address("dispatch.customer"), {"format": "xlsx"}, follow=True)
    assert "A sheet takes 1 rows. Filter the list, or use CSV." in answer.content.decode()
    assert not LogEntry.objects.exists()


def test_list_has_the_buttons_with_its_filters(owner):
    make_customer(name="Ann")
    page = reverse("admin:dispatch_customer_changelist")
    listed = owner.get(page, {"q": "Ann"}).content.decode()
    assert f'formaction="{address("dispatch.customer")}?q=Ann"' in listed
    assert "Export all rows of this list as" in listed
    assert Customer.objects.count() == 1
