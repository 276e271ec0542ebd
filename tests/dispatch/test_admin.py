"""The dispatchers' pages: finding, moving and editing jobs without losing input."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import time_machine
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dispatch.admin.job_forms import JobForm
from dispatch.changing import change_details, move_job, set_price
from dispatch.models import Job
from dispatch.prices import parse_price
from dispatch.statuses import FLOW, Status
from dispatch.stepping import advance, step_back
from dispatch.visits import Failure, fail_visit, report_arrival, report_delay
from tests.builders import make_crew, make_customer, make_job, make_planned_job, make_price
from tests.dispatch.job_page import LIST, act, errors_of, page_of, posted, press, texts

pytestmark = pytest.mark.django_db
ADD = "/admin/dispatch/job/add/"
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
HOUR = timedelta(hours=1)


def found(desk, **query):
    jobs = desk.get(LIST, query).context["cl"].result_list
    return {job.number for job in jobs}


def test_list_shows_the_main_fields(desk):
    job = make_job(
        status=Status.READY_FOR_PICKUP,
        crew=make_crew(name="Birch"),
        contact_name="Mark Ames",
        on_hold=True,
        hold_reason="unpaid",
        window_start=NOW,
        window_end=NOW + 2 * HOUR,
        customer=make_customer(phone="+19075550142"),
    )
    make_price(job)
    html = desk.get(LIST).content.decode()
    for text in (
        job.label,
        "Ready for pickup",
        "Mark Ames",
        "(907) 555-0142",
        "Birch",
        "$600 all-in",
        "On hold",
        "Fri Nov 20",
        "1 p.m. to 3 p.m.",
    ):
        assert text in html


@pytest.mark.parametrize("status", Status)
def test_list_shows_each_status_in_its_colour(desk, status):
    make_job(status=status)
    tone = {"danger": "red", "info": "blue", "success": "green", "warning": "orange"}.get(
        FLOW[status].colour, "primary"
    )
    html = desk.get(LIST).content.decode()
    assert re.search(rf'bg-{tone}-100[^"]*" *>\s*{status.label}\s*</span>', html)


def test_list_takes_the_same_number_of_queries_for_many_jobs(desk):
    def fill(count):
        for _ in range(count):
            make_price(make_job(crew=make_crew(), status=Status.SCHEDULED))

    fill(2)
    desk.get(LIST)
    with CaptureQueriesContext(connection) as few:
        desk.get(LIST)
    fill(10)
    with CaptureQueriesContext(connection) as many:
        desk.get(LIST)
    assert len(many) == len(few)


@pytest.mark.parametrize(
    "text",
    [
        "1042",
        "QDN-1042",
        "qdn-1042",
        "mark",
        "Ames",
        "Ames soderblom",
        "907-555",
        "5550142",
        "(907) 555-0142",
        "907.555.0142",
        "+1 907 555 0142",
        "9075550142",
        "0142",
        "99709",
        "fairbanks",
    ],
)
def test_search_finds(desk, text):
    make_job(number=1042, contact_name="Mark Ames", customer=make_customer(phone="+19075550142"))
    other = make_customer(phone="+12125559876", name="Zoe")
    make_job(number=2000, customer=other, address_line="1 Elm", town="Nome", zip_code="99762")
    assert found(desk, q=text) == {1042}


@pytest.mark.parametrize("text", ["QDN-142", "smith", "mark smith", "555-0143"])
def test_search_finds_nothing(desk, text):
    make_job(number=1042, contact_name="Mark Ames", customer=make_customer(phone="+19075550142"))
    assert found(desk, q=text) == set()


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({"status__exact": "scheduled"}, {1, 2}),
        ({"window": "today"}, {1}),
        ({"window": "tomorrow"}, {2}),
        ({"window": "week"}, {1, 2}),
        ({"window": "none"}, {3}),
        ({"window": "nonsense"}, {1, 2, 3}),
        ({"needs": "no-price"}, {2}),
        ({"needs": "late"}, {1}),
        ({"needs": "any"}, {1, 2}),
        ({"on_hold__exact": "1"}, {2}),
    ],
)
def test_filters(desk, query, expected):
    scheduled: dict[str, Any] = {"status": Status.SCHEDULED}
    early: dict[str, Any] = {"window_start": NOW - 3 * HOUR, "window_end": NOW - HOUR}
    next_day: dict[str, Any] = {"window_start": NOW + 24 * HOUR, "window_end": NOW + 26 * HOUR}
    make_price(make_job(number=1, crew=make_crew(), **scheduled, **early))
    make_job(number=2, on_hold=True, hold_reason="rain", **scheduled, **next_day)
    make_job(number=3)
    with time_machine.travel(NOW, tick=False):
        assert found(desk, **query) == expected


def test_action_reports_every_job(desk):
    moved, refused = make_planned_job(), make_job(status=Status.COMPLETED)
    response = act(desk, "move_to_scheduled", moved, refused)
    assert Job.objects.get(pk=moved.pk).status == Status.SCHEDULED
    assert moved.events.latest("pk").actor == "dana"
    assert any(moved.label in text and "Scheduled" in text for text in texts(response))
    assert any(refused.label in text and "cannot go" in text for text in texts(response))


def test_cancel_action_asks_for_confirmation(desk):
    job, other = make_job(), make_job()
    response = act(desk, "cancel_jobs", job, other)
    assert response.status_code == 200
    assert job.label in response.content.decode()
    assert Job.objects.get(pk=job.pk).status == Status.REQUESTED


def test_cancel_action_cancels_with_side_and_reason(desk):
    job, other = make_job(), make_job()
    act(desk, "cancel_jobs", job, other, confirmed="yes", side="firm", reason="snow")
    assert set(Job.objects.values_list("status", "cancel_side")) == {("cancelled", "firm")}
    assert job.events.latest("pk").reason == "snow"


def test_cancel_action_without_a_reason_asks_again(desk):
    job = make_job()
    response = act(desk, "cancel_jobs", job, confirmed="yes", side="firm", reason="")
    assert response.context["form"].has_error("reason", "required")
    assert Job.objects.get(pk=job.pk).status == Status.REQUESTED


def test_page_offers_exactly_the_allowed_steps(desk):
    job = make_job(status=Status.READY_FOR_PICKUP)
    html = desk.get(page_of(job)).content.decode()
    offered = set(re.findall(r'name="move_to"\s+value="(\w+)"', html))
    assert offered == {"en_route", "in_progress", "scheduled"}
    assert "cancel_jobs" in html


def test_page_of_a_closed_job_offers_no_step(desk):
    html = desk.get(page_of(make_job(status=Status.COMPLETED))).content.decode()
    assert 'name="move_to"' not in html
    assert "cancel_jobs" not in html


def test_button_saves_what_was_typed_and_moves_the_job(desk):
    job, crew = make_planned_job(), make_crew(name="Birch")
    response = press(desk, job, "scheduled", crew=crew.pk, reason="called")
    assert response.url == page_of(job)
    assert texts(response) == [f"Moved to “Scheduled”: {job.label}."]
    job.refresh_from_db()
    assert (job.status, job.crew, job.revision) == (Status.SCHEDULED, crew, 3)
    assert job.events.latest("pk").actor == "dana"
    assert job.events.latest("pk").reason == "called"


def test_button_with_a_field_that_is_refused_moves_nothing(desk):
    job = make_planned_job()
    response = press(desk, job, "scheduled", contact_email="nobody")
    assert set(errors_of(response)) == {"contact_email"}
    assert Job.objects.get(pk=job.pk).revision == 1


def test_button_of_a_page_with_an_older_status_is_refused(desk):
    job = make_planned_job(status=Status.SCHEDULED)
    old = posted(job, move_to="en_route")
    move_job(job=job, to=Status.READY_FOR_PICKUP, actor="anna")
    response = desk.post(page_of(job), old)
    assert Job.objects.get(pk=job.pk).status == Status.READY_FOR_PICKUP
    assert errors_of(response)["__all__"][0].code == "job-changed"
    assert "anna" in response.content.decode()


def test_button_moves_a_job_whose_details_others_changed(desk):
    job = make_planned_job(status=Status.SCHEDULED)
    old = posted(job, move_to="ready_for_pickup")
    change_details(job=job, changes={"details": "a piano"}, actor="anna")
    response = desk.post(page_of(job), old)
    assert "Also changed by anna: what and where." in texts(response)
    job.refresh_from_db()
    assert (job.status, job.details) == (Status.READY_FOR_PICKUP, "a piano")


@pytest.mark.parametrize("to", ["lost", "completed"])
def test_button_that_the_page_does_not_have_changes_nothing(desk, to):
    job = make_planned_job()
    assert press(desk, job, to, details="a piano").status_code == 200
    assert Job.objects.get(pk=job.pk).revision == 1


def test_enter_saves_and_does_not_move(desk):
    """Enter in a field presses the first button of the form, wherever it is on the page."""
    html = desk.get(page_of(make_job())).content.decode()
    buttons = re.findall(r'<button[^>]*form="job_form"[^>]*>', html)
    assert 'name="_save"' in buttons[0]


@pytest.mark.parametrize("may_view", [False, True])
def test_user_without_permission_cannot_move(client, may_view):
    user = User.objects.create_user("guest", is_staff=True)
    if may_view:
        user.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(user)
    job = make_planned_job()
    assert press(client, job, "scheduled").status_code == 403
    assert Job.objects.get(pk=job.pk).revision == 1


def test_edit_is_recorded_in_history(desk):
    job, crew = make_job(), make_crew(name="Birch")
    window = {
        "window_start_0": "2026-11-20",
        "window_start_1": "13:00",
        "window_end_0": "2026-11-20",
        "window_end_1": "15:00",
    }
    response = desk.post(page_of(job), posted(job, crew=crew.pk, reason="called", **window))
    assert response.status_code == 302, errors_of(response)
    job.refresh_from_db()
    assert (job.crew, job.window_start, job.revision) == (crew, NOW, 2)
    event = job.events.latest("pk")
    assert (event.actor, event.reason) == ("dana", "called")
    assert set(event.changes) == {"crew", "window_start", "window_end"}


def test_save_without_a_change_writes_no_event(desk):
    job = make_job()
    make_price(job)
    assert desk.post(page_of(job), posted(job)).status_code == 302
    assert job.events.count() == 1


def test_browsers_line_ends_are_not_a_change(desk):
    job = make_job(details="a sofa\na piano")
    assert desk.post(page_of(job), posted(job, details="a sofa\r\na piano")).status_code == 302
    assert job.events.count() == 1


def test_edit_of_an_old_revision_is_refused_and_keeps_the_input(desk):
    job = make_job()
    old = posted(job, details="a piano", contact_name="Mark A.")
    change_details(job=Job.objects.get(pk=job.pk), changes={"details": "a sofa"}, actor="anna")
    response = desk.post(page_of(job), old)
    assert response.status_code == 200
    assert errors_of(response)["__all__"][0].code == "job-changed"
    assert "anna" in str(errors_of(response)["details"][0])
    html = response.content.decode()
    assert "a piano" in html
    assert "Mark A." in html
    assert Job.objects.get(pk=job.pk).details == "a sofa"


def test_second_save_wins(desk):
    job = make_job()
    old = posted(job, details="a piano")
    change_details(job=Job.objects.get(pk=job.pk), changes={"details": "a sofa"}, actor="anna")
    form = desk.post(page_of(job), old).context["adminform"].form
    again = old | {"seen_revision": form["seen_revision"].value()}
    assert desk.post(page_of(job), again).status_code == 302
    assert Job.objects.get(pk=job.pk).details == "a piano"


THEIRS: dict[str, Any] = {
    "crew": None,
    "window_start": NOW,
    "window_end": NOW + HOUR,
    "on_hold": True,
    "hold_reason": "gate locked",
    "unit": "B",
}


def test_edits_that_do_not_touch_are_merged(desk):
    job = make_job()
    make_price(job)
    theirs = {**THEIRS, "crew": make_crew()}
    old = posted(job, details="a piano")
    other = change_details(job=Job.objects.get(pk=job.pk), changes=theirs, actor="anna")
    set_price(job=other, price=parse_price("700"), actor="olga", reason="more of it")
    response = desk.post(page_of(job), old)
    assert response.status_code == 302, errors_of(response)
    note = next(text for text in texts(response) if text.startswith("Also changed"))
    anna, olga = note.removeprefix("Also changed by ").split("; ")
    assert set(anna.removeprefix("anna: ").split(", ")) == {
        *("crew", "window starts", "window ends", "on hold", "hold reason", "unit")
    }
    assert olga == "olga: price."
    saved = Job.objects.get(pk=job.pk)
    assert saved.details == "a piano"
    assert {name: getattr(saved, name) for name in theirs} == theirs
    assert str(saved.price) == "$700 all-in"
    assert set(saved.events.latest("pk").changes) == {"details"}


def test_same_edit_by_two_people_is_no_conflict(desk):
    job, crew = make_job(), make_crew()
    old = posted(job, crew=crew.pk, details="a piano")
    change_details(job=Job.objects.get(pk=job.pk), changes={"crew": crew}, actor="anna")
    assert desk.post(page_of(job), old).status_code == 302
    saved = Job.objects.get(pk=job.pk)
    assert (saved.crew, saved.details) == (crew, "a piano")


@pytest.mark.parametrize(
    ("mine", "theirs"),
    [
        ({"details": "a piano"}, {"details": "a sofa"}),
        ({"unit": "C"}, {"town": "Nome", "zip_code": "99762"}),
        ({"window_start_1": "8am"}, {"window_end": NOW + 3 * HOUR}),
        ({"load_size": "half"}, {"rental_days": 3}),
        ({"access_notes": "gate 12"}, {"access_notes": "gate 34"}),
    ],
)
def test_edits_that_touch_are_a_conflict(desk, mine, theirs):
    job = make_job(window_start=NOW, window_end=NOW + HOUR)
    old = posted(job, **mine)
    change_details(job=Job.objects.get(pk=job.pk), changes=theirs, actor="anna")
    response = desk.post(page_of(job), old)
    assert errors_of(response)["__all__"][0].code == "job-changed"
    assert set(errors_of(response)) == {"__all__", *theirs}
    assert Job.objects.get(pk=job.pk).revision == 2


def test_edit_that_is_invalid_is_no_less_an_edit(desk):
    job = make_job()
    old = posted(job, zip_code="x", rental_days="many")
    change_details(job=Job.objects.get(pk=job.pk), changes={"zip_code": "99712"}, actor="anna")
    assert errors_of(desk.post(page_of(job), old))["__all__"][0].code == "job-changed"


def test_second_save_keeps_the_input_over_others_changes(desk):
    job, mine, theirs = make_job(), make_crew(), make_crew()
    old = posted(job, crew=mine.pk)
    change_details(job=Job.objects.get(pk=job.pk), changes={"crew": theirs}, actor="anna")
    shown = desk.post(page_of(job), old).context["adminform"].form.data.dict()
    desk.post(page_of(job), shown)
    assert Job.objects.get(pk=job.pk).crew == mine


def test_change_between_check_and_write_is_refused(desk, monkeypatch):
    job = make_job()
    clean, rivals = JobForm.clean, iter(["anna"])

    def clean_then_lose(form):
        result = clean(form)
        for rival in rivals:
            move_job(job=Job.objects.get(pk=job.pk), to=Status.SCHEDULED, actor=rival)
        return result

    monkeypatch.setattr(JobForm, "clean", clean_then_lose)
    response = desk.post(page_of(job), posted(job, details="a piano"))
    # In its own request the rival's change would persist. Here it rolls back with ours, so the
    # second attempt succeeds. Either way, nothing is half written.
    assert response.status_code in (200, 302)
    assert Job.objects.get(pk=job.pk).revision == job.events.count()


def test_price_is_set(desk):
    job = make_job()
    desk.post(page_of(job), posted(job, price_text="600 all-in"))
    assert str(Job.objects.get(pk=job.pk).price) == "$600 all-in"


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"price_text": "700"}, "reason"),
        ({"price_text": ""}, "price_text"),
        ({"price_text": "cheap"}, "price_text"),
        ({"on_hold": "on"}, "hold_reason"),
        ({"hold_reason": "unpaid"}, "hold_reason"),
        ({"window_start_0": "2026-11-20", "window_start_1": "13:00"}, "window_end"),
        ({"contact_email": "nobody"}, "contact_email"),
        ({"address_line": ""}, "address_line"),
        ({"service": "999"}, "service"),
    ],
)
def test_refused_edit_changes_nothing(desk, changes, field):
    job = make_job()
    make_price(job)
    response = desk.post(page_of(job), posted(job, **changes))
    assert set(errors_of(response)) == {field}
    assert Job.objects.get(pk=job.pk).revision == 1
    assert job.prices.count() == 1


def test_timeline_has_visits_and_steps_back(desk):
    job = make_planned_job(status=Status.SCHEDULED)
    advance(job=job, to=Status.EN_ROUTE, actor="dana")
    step_back(job=job, actor="dana", reason="wrong job")
    move_job(job=job, to=Status.EN_ROUTE, actor="dana")
    report_delay(job=job, minutes=30, actor="Birch")
    report_arrival(job=job, actor="Birch")
    fail_visit(job=job, why=Failure.NO_ACCESS, actor="Birch")
    page = desk.get(page_of(job)).content.decode()
    for line in (
        "step taken back",
        "failed visit: none → no_access",
        "late by, in minutes: 0 → 30",
    ):
        assert line in page
    assert "steps:" not in page


def test_timeline_cannot_be_edited(desk):
    job = make_job()
    response = desk.get(page_of(job))
    for formset in response.context["inline_admin_formsets"]:
        assert not formset.has_add_permission
        assert not formset.has_change_permission
        assert not formset.has_delete_permission


def test_jobs_are_never_deleted(desk, admin_user):
    job = make_job()
    desk.force_login(admin_user)
    assert desk.post(f"{LIST}{job.pk}/delete/", {"post": "yes"}).status_code == 403
    assert "delete_selected" not in desk.get(LIST).content.decode()


def new_job(desk, **changes):
    form = desk.get(ADD).context["adminform"].form
    data = {
        "phone": "907-555-0142",
        "contact_name": "Mark Ames",
        "language": "en",
        "service": form.fields["service"].queryset.get(code="junk").pk,
        "address_line": "1423 Soderblom Avenue",
        "town": "Fairbanks",
        "zip_code": "99709",
        "price_text": "600 all-in",
        "key": str(form["key"].value()),
        **changes,
    }
    return desk.post(ADD, data), data


TIMES = {
    "window_start_0": "2026-11-20",
    "window_start_1": "1pm",
    "window_end_0": "",  # the day of the start
    "window_end_1": "3:00 PM",
}


@time_machine.travel(NOW - HOUR)
def test_add_books_and_schedules_a_job(desk):
    crew = make_crew()
    response, _ = new_job(desk, crew=crew.pk, **TIMES)
    job = Job.objects.get()
    assert response.url == page_of(job)
    assert (job.number, job.status, job.window_start) == (1001, Status.SCHEDULED, NOW)
    assert (job.window_end, job.crew) == (NOW + 2 * HOUR, crew)
    assert str(job.price) == "$600 all-in"
    assert {event.actor for event in job.events.all()} == {"dana"}


def test_add_without_a_window_books_a_request(desk):
    crew = make_crew()
    new_job(desk, crew=crew.pk)
    assert Job.objects.values_list("status", "crew").get() == (Status.REQUESTED, crew.pk)


@time_machine.travel(NOW + 24 * HOUR)
def test_add_with_a_window_that_is_over_books_nothing_and_keeps_the_input(desk):
    response, _ = new_job(desk, **TIMES)
    assert errors_of(response)["window_start"][0].code == "window-over"
    html = response.content.decode()
    assert 'value="1423 Soderblom Avenue"' in html
    assert 'value="3:00 PM"' in html
    assert not Job.objects.exists()


def test_saving_twice_books_one_job(desk):
    _, data = new_job(desk)
    assert desk.post(ADD, data).status_code == 302
    assert Job.objects.count() == 1


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"phone": ""}, "phone"),
        ({"phone": "12"}, "phone"),
        ({"zip_code": "9970"}, "zip_code"),
        ({"price_text": "cheap"}, "price_text"),
        ({"contact_name": ""}, "contact_name"),
        ({"window_start_0": "2026-11-20", "window_start_1": "13:00"}, "window_end"),
    ],
)
def test_refused_booking_books_nothing(desk, changes, field):
    response, _ = new_job(desk, **changes)
    assert set(errors_of(response)) == {field}
    assert not Job.objects.exists()


@pytest.mark.parametrize(
    "path",
    [
        "/admin/",
        "/admin/dispatch/customer/",
        "/admin/dispatch/customer/?q=907-555",
        "/admin/dispatch/crew/",
        "/admin/dispatch/crew/add/",
        "/admin/dispatch/servicetype/",
    ],
)
def test_dispatchers_pages_open(desk, path):
    make_job()
    assert desk.get(path).status_code == 200


def test_customer_page_lists_the_jobs(desk):
    job = make_job()
    html = desk.get(f"/admin/dispatch/customer/{job.customer_id}/change/").content.decode()
    assert str(job.number) in html


def test_customer_is_found_by_phone(desk):
    make_customer(phone="+19075550142")
    make_customer(phone="+12125559876")
    response = desk.get("/admin/dispatch/customer/", {"q": "907-555"})
    assert len(response.context["cl"].result_list) == 1


@pytest.mark.parametrize("path", ["/admin/auth/user/", "/admin/django_q/schedule/"])
def test_dispatchers_cannot_open(desk, path):
    assert desk.get(path).status_code == 403


@pytest.mark.parametrize(
    "path", ["/admin/auth/user/", "/admin/auth/user/add/", "/admin/auth/group/"]
)
def test_account_pages_open(client, admin_user, path):
    client.force_login(admin_user)
    assert client.get(path).status_code == 200
