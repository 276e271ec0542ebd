"""Windows in the admin: rules make windows, staff add room, full ones are refused at the field."""

from datetime import UTC, date, datetime, time, timedelta

import pytest
import time_machine
from django.contrib.auth.models import User
from django.urls import reverse
from django.utils import timezone

from dispatch.models import (
    BookingSettings,
    RequestedWindow,
    ServiceWindow,
    WindowException,
    WindowTemplate,
)
from office.board.access import Viewer
from office.board.document import board_document
from tests.builders import make_job, make_window
from tests.dispatch.job_page import errors_of, page_of, posted

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)
LIST = reverse("admin:dispatch_servicewindow_changelist")
ADD_EXCEPTION = reverse("admin:dispatch_windowexception_add")


@pytest.fixture(autouse=True)
def clock():
    with time_machine.travel(NOW, tick=False):
        yield


@pytest.fixture
def owner(client, desk):
    client.force_login(User.objects.create_superuser("olga"))
    return client


@pytest.fixture
def window():
    """Saturday 1 to 3 p.m. in Denver, with room for 4."""
    return make_window(NOW + timedelta(days=1), units=4)


def texts(response):
    return [str(one) for one in response.context["messages"]]


def except_saturday(client, **values):
    times = {"day": "2026-11-21", "start": "13:00", "end": "15:00"}
    form = {**times, "units": "20", "reason": "Third truck", **values}
    return client.post(ADD_EXCEPTION, form, follow=True)


def test_the_list_shows_what_is_taken(desk, window):
    ServiceWindow.objects.update(taken=3)
    make_job(window=window, window_units=3, window_start=window.start, window_end=window.end)
    page = desk.get(LIST).content.decode()
    assert "3 of 4" in page
    assert "Sat Nov 21, 2026" in page
    assert "1 p.m. to 3 p.m." in page


@pytest.mark.parametrize(("day", "shown"), [("", 2), ("?day=tomorrow", 1), ("?day=today", 0)])
def test_the_list_is_filtered_by_day(desk, window, day, shown):
    make_window(NOW + timedelta(days=9))
    make_window(NOW - timedelta(days=9))
    assert desk.get(LIST + day).context["cl"].result_count == shown


def test_closed_windows_that_nobody_holds_are_not_listed(desk):
    make_window(NOW + timedelta(days=1), units=0)
    assert desk.get(LIST).context["cl"].result_count == 0


def test_the_list_shows_drift_and_corrects_it(desk, window):
    ServiceWindow.objects.update(taken=3)
    assert any("says 3 units are taken, but jobs hold 0" in one for one in texts(desk.get(LIST)))
    action = {"action": "correct_counts", "_selected_action": [window.pk]}
    assert texts(desk.post(LIST, action, follow=True)) == ["Windows whose count was wrong: 1."]
    window.refresh_from_db()
    assert window.taken == 0


def test_an_exception_adds_room_with_its_reason(desk, window):
    except_saturday(desk)
    window.refresh_from_db()
    assert (window.units, window.public_units) == (20, 17)
    exception = WindowException.objects.get()
    assert (exception.reason, exception.actor) == ("Third truck", "dana")


def test_an_exception_needs_a_reason(desk, window):
    response = except_saturday(desk, reason="")
    assert "reason" in response.context["adminform"].form.errors
    assert not WindowException.objects.exists()


@pytest.mark.parametrize("times", [{"end": ""}, {"end": "13:00"}, {"end": "09:00"}, {"start": ""}])
def test_times_that_are_no_window_are_refused_at_the_field(desk, times):
    assert "end" in except_saturday(desk, **times).context["adminform"].form.errors


def test_a_closed_window_says_what_its_jobs_keep(desk, window):
    ServiceWindow.objects.update(taken=3)
    said = texts(except_saturday(desk, units="0"))
    assert any("jobs hold 3 units already" in one for one in said)
    window.refresh_from_db()
    assert (window.units, window.public_units) == (3, 0)


def test_change_room_leads_to_the_window_s_exception(desk, window):
    page = desk.get(LIST).content.decode()
    link = page.partition(ADD_EXCEPTION)[2].partition('"')[0].replace("&amp;", "&")
    form = desk.get(ADD_EXCEPTION + link).context["adminform"].form
    assert form.get_initial_for_field(form.fields["day"], "day") == "2026-11-21"
    exception = WindowException.objects.create(
        day=date(2026, 11, 21), start=time(13), end=time(15), units=8, reason="x"
    )
    change = reverse("admin:dispatch_windowexception_change", args=[exception.pk])
    assert desk.get(ADD_EXCEPTION + link).url == change


def test_saving_a_template_makes_windows(owner):
    WindowTemplate.objects.all().delete()
    form = {"weekday": "0", "start": "08:00", "end": "10:00", "units": "16"}
    owner.post(reverse("admin:dispatch_windowtemplate_add"), form)
    assert ServiceWindow.objects.count() == 9
    template = WindowTemplate.objects.get()
    delete = reverse("admin:dispatch_windowtemplate_delete", args=[template.pk])
    owner.post(delete, {"post": "yes"})
    assert not ServiceWindow.objects.filter(units__gt=0).exists()


def test_the_settings_are_one_page(owner):
    page = reverse("admin:dispatch_bookingsettings_change", args=[1])
    assert owner.get(reverse("admin:dispatch_bookingsettings_changelist")).url == page
    form = {"lead_hours": 6, "horizon_days": 5, "reserve_percent": 0, "cutoff_hours": 2}
    for _ in range(2):
        assert owner.post(page, {**form, "answer_hours": 4}).status_code == 302
    assert BookingSettings.objects.count() == 1
    assert BookingSettings.load().horizon_days == 5
    assert ServiceWindow.objects.exists()


def test_a_full_window_is_refused_at_the_field_with_others(desk, window):
    later = make_window(NOW + timedelta(days=2))
    job = make_job(load_size="full")
    times = {"window_start_0": "2026-11-21", "window_start_1": "13:00:00"}
    times |= {"window_end_0": "2026-11-21", "window_end_1": "15:00:00"}
    response = desk.post(page_of(job), posted(job, **times))
    assert errors_of(response)["window_start"][0].code == "window-full"
    assert "Sun Nov 22, 1 p.m. to 3 p.m." in response.content.decode()
    job.refresh_from_db()
    assert job.window_start is None
    assert later.taken == 0


def test_a_window_is_chosen_from_those_the_customer_asked_for(desk, window):
    later = make_window(NOW + timedelta(days=2))
    job = make_job(load_size="half")
    RequestedWindow.objects.create(job=job, window=later, rank=1)
    page = desk.get(reverse("admin:dispatch_job_change", args=[job.pk]))
    choices = [label for _, label in page.context["adminform"].form.fields["free_window"].choices]
    assert choices[1] == "Sun Nov 22, 1 p.m. to 3 p.m. (0 of 16 taken), asked for"
    assert choices[2] == "Sat Nov 21, 1 p.m. to 3 p.m. (0 of 4 taken)"
    desk.post(page_of(job), posted(job, free_window=later.pk))
    job.refresh_from_db()
    assert (job.window, job.window_start, job.window_units) == (later, later.start, 4)


def test_a_time_outside_the_windows_is_marked(desk):
    at = NOW + timedelta(hours=2)
    job = make_job(status="scheduled", window_start=at, window_end=at + timedelta(hours=1))
    assert "outside windows" in desk.get(reverse("admin:dispatch_job_changelist")).content.decode()
    page = desk.get(reverse("admin:dispatch_job_change", args=[job.pk])).content.decode()
    assert "Outside the windows: takes no room." in page
    board = board_document(timezone.localdate(NOW), NOW, viewer=Viewer("dana", bool))
    assert [card["outside_windows"] for card in board["cards"].values()] == [True]
