"""The admin's front page: what it shows, to whom, and in how many queries."""

from datetime import UTC, datetime, timedelta

import pytest
import time_machine
from django.contrib.auth.models import Group, Permission, User
from django.db import connection
from django.test.utils import CaptureQueriesContext

from deployments.models import Environment, Freeze
from deployments.seeding import OPERATORS
from dispatch.models import Crew, Job, Price, Snooze
from dispatch.statuses import Status
from notifications.kinds import State
from office.front_page.bookings import LATEST, new_bookings
from office.front_page.crews import Load, loads
from office.front_page.today import jobs_of_today, today
from qdn.roles import OWNERS
from tests.builders import make_crew, make_job, make_planned_job, make_price, make_window
from tests.dispatch.needs.needing import HOUR, JOBS, MINUTE, NOW, late, window
from tests.notifications.builders import make_message
from tests.office.reports.example import make_two_weeks, moment

pytestmark = pytest.mark.django_db
PAGE, SNOOZE = "/admin/", "/admin/needs/snooze/"
DAY = timedelta(days=1)


def page_of(client, now=NOW):
    with time_machine.travel(now, tick=False):
        return client.get(PAGE)


def text_of(client, now=NOW):
    return " ".join(page_of(client, now).content.decode().split())


def sign_in(client, name, *permissions, group=""):
    user = User.objects.create_user(name, is_staff=True)
    names = [name.split(".")[1] for name in permissions]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    user.groups.set(Group.objects.filter(name=group))
    client.force_login(user)
    return client


def figures(now=NOW):
    with time_machine.travel(now, tick=False):
        return today(jobs_of_today(now), now)


def make_day():
    """Make a job for each rule, and one of each other thing that the page shows."""
    for make in JOBS.values():
        make()
    for message in (State.FAILED, State.UNKNOWN):
        make_message(state=message)
    late_one = late()
    Snooze.objects.create(
        rule="late", job=late_one, until=NOW + HOUR, reason="Called", actor="dana", at=NOW
    )
    Snooze.objects.update(at=NOW - HOUR)


# Today


def test_figures_of_today():
    crew = make_crew()
    for status in (Status.SCHEDULED, Status.EN_ROUTE, Status.COMPLETED):
        make_planned_job(status=status, crew=crew, **window(NOW))
    make_job(status=Status.SCHEDULED, **window(NOW + HOUR))
    make_planned_job(status=Status.SCHEDULED, **window(NOW + DAY))
    make_planned_job(status=Status.CANCELLED, **window(NOW))
    late_yesterday = make_planned_job(status=Status.SCHEDULED, **window(NOW - DAY))
    shown = figures()
    assert (shown.jobs, shown.done, shown.late, shown.unassigned) == (4, 1, 1, 1)
    assert late_yesterday.is_late(NOW)
    assert [(one.label, one.count) for one in shown.statuses] == [
        ("Scheduled", 2),
        ("Crew on the way", 1),
        ("Completed", 1),
    ]


def test_today_ends_at_midnight_in_the_office():
    midnight = datetime(2026, 11, 21, 7, tzinfo=UTC)  # in Denver
    make_planned_job(status=Status.SCHEDULED, **window(midnight))
    assert figures(midnight - MINUTE).jobs == 0
    assert figures(midnight).jobs == 1


@pytest.mark.parametrize(
    ("prices", "text", "without"),
    [
        ([], "$0", 0),
        ([60_000, 12_550], "$725.50", 0),
        ([60_000, None], "$600", 1),
        ([(40_000, 60_000), 10_000], "$500 to $700", 0),
    ],
)
def test_money_agreed(prices, text, without):
    for price in prices:
        job = make_job(status=Status.SCHEDULED, **window(NOW))
        if isinstance(price, tuple):
            make_price(job, price[0], upper_cents=price[1], kind=Price.Kind.RANGE)
        elif price:
            make_price(job, price)
    money = figures().money
    assert (money.text, money.without) == (text, without)


def test_last_price_counts():
    job = make_planned_job(status=Status.SCHEDULED, **window(NOW))
    make_price(job, 70_000)
    assert figures().money.text == "$700"


# Crews


def test_load_of_each_crew():
    north, south = make_crew(name="North"), make_crew(name="South")
    make_crew(name="Gone", active=False)
    free = make_crew(name="East")
    make_job(status=Status.SCHEDULED, crew=north, load_size="half", **window(NOW))
    make_job(status=Status.COMPLETED, crew=south, load_size="eighth", **window(NOW))
    with time_machine.travel(NOW, tick=False):
        shown = loads(jobs_of_today(NOW)).shown
    assert [(one.name, one.jobs, one.done, one.trucks, one.percent) for one in shown] == [
        ("North", 1, 0, "½ truck", 100),
        ("South", 1, 1, "⅛ truck", 25),
        (free.name, 0, 0, "0 trucks", 0),
    ]


def test_inactive_crew_with_a_job_is_shown():
    crew = make_crew()
    make_planned_job(status=Status.SCHEDULED, crew=crew, **window(NOW))
    Crew.objects.update(active=False)
    with time_machine.travel(NOW, tick=False):
        assert [one.name for one in loads(jobs_of_today(NOW)).shown] == [crew.name]


@pytest.mark.parametrize(
    ("units", "text"), [(0, "0 trucks"), (3, "⅜ truck"), (8, "1 truck"), (20, "2½ trucks")]
)
def test_units_as_trucks(units, text):
    assert Load("North", 1, 0, units, 0).trucks == text


# New bookings


def test_bookings_since_yesterday():
    start = datetime(2026, 11, 19, 7, tzinfo=UTC)  # Thursday in Denver, NOW's yesterday
    for at in (start - MINUTE, start, NOW):
        job = make_job()
        Job.objects.filter(pk=job.pk).update(created_at=at)
    found = new_bookings(NOW)
    assert (found.count, found.is_more) == (2, False)
    assert [one.job for one in found.shown] == [job, Job.objects.get(number=job.number - 1)]


def test_many_bookings_are_more_than_were_looked_at(monkeypatch):
    monkeypatch.setattr("office.front_page.bookings.LATEST", 2)
    assert LATEST > 2
    for _ in range(3):
        make_job()
    found = new_bookings(datetime.now(UTC))
    assert (found.count, found.is_more) == (2, True)


# Needs


def test_needs_are_grouped_by_rule_with_their_action(desk):
    job = JOBS["no-crew"]()
    html = text_of(desk)
    assert "No crew for Sat Nov 21, 7 a.m. to 9 a.m." in html
    assert f'href="/admin/dispatch/job/{job.pk}/change/?next=%2Fadmin%2F#id_crew"' in html
    assert ">Assign a crew</a>" in html


def test_only_the_first_needs_of_a_rule_are_shown(desk):
    for _ in range(5):
        late()
    [group] = page_of(desk).context["parts"]["main"][0].data.groups
    assert (group.count, len(group.needs)) == (5, 3)
    assert 'href="/admin/dispatch/job/?needs=late">All 5</a>' in text_of(desk)


def test_what_fits_the_screen_is_unfolded(desk):
    make_day()
    groups = page_of(desk).context["parts"]["main"][0].data.groups
    assert groups[0].unfolded
    assert not groups[-1].unfolded


def test_nothing_needs_the_office(desk):
    assert "Nothing needs you now." in text_of(desk)


def test_snoozed_needs_are_named(desk):
    make_day()
    assert "until Fri Nov 20, 2 p.m.: Called" in text_of(desk)


@pytest.mark.parametrize(
    ("permission", "sentence"),
    [
        ("notifications.view_message", "may not have arrived"),
        ("dispatch.view_servicewindow", "units are taken"),
    ],
)
def test_rules_have_permissions(client, permission, sentence):
    make_message(state=State.UNKNOWN)
    drifted = make_window(NOW + HOUR)
    type(drifted).objects.filter(pk=drifted.pk).update(taken=5)
    viewer = sign_in(client, "vera", "dispatch.view_job")
    assert sentence not in text_of(viewer)
    assert sentence in text_of(sign_in(client, "vito", "dispatch.view_job", permission))


# Who sees what


def parts_of(client):
    context = page_of(client).context
    return {part.template.split("/")[-1] for place in context["parts"].values() for part in place}


OF_JOBS = {"today.html", "needs.html", "crews.html", "bookings.html"}


def test_dispatcher_sees_the_day(desk):
    assert parts_of(desk) == OF_JOBS
    html = text_of(desk)
    assert "agreed" in html
    assert "Live releases" not in html


def test_operator_sees_releases(client):
    assert parts_of(sign_in(client, "olga", group=OPERATORS)) == {"releases.html"}


def test_superuser_sees_all(admin_client):
    assert parts_of(admin_client) == OF_JOBS | {"releases.html", "week.html"}


def test_owner_sees_the_week(client):
    make_two_weeks()
    sign_in(client, "olive", group=OWNERS)
    html = text_of(client, moment(20, 12))
    assert '<strong>2</strong> <span class="dep-quiet">last week 2' in html
    assert parts_of(client) == OF_JOBS | {"week.html"}


def test_viewer_without_prices_sees_no_money(client):
    make_planned_job(status=Status.SCHEDULED, **window(NOW))
    html = text_of(sign_in(client, "vera", "dispatch.view_job"))
    assert "agreed" not in html
    assert "$600" not in html


def test_viewer_cannot_snooze(client):
    late()
    Snooze.objects.create(
        rule="late", job=late(), until=NOW + HOUR, reason="Called", actor="dana", at=NOW
    )
    html = text_of(sign_in(client, "vera", "dispatch.view_job"))
    assert "Called" in html
    assert SNOOZE not in html


def test_staff_without_permissions_gets_the_list_of_applications(client):
    page = page_of(sign_in(client, "sam"))
    assert page.context["parts"] == {}
    assert "permission to view or edit anything" in page.content.decode()


def test_anonymous_visitor_sees_the_login(client):
    answer = client.get(PAGE)
    assert answer["Location"] == "/admin/login/?next=/admin/"


# Releases


def test_releases_of_each_environment(admin_client):
    [staging] = Environment.objects.filter(name="staging")
    Freeze.objects.create(environment=staging, reason="Holiday", actor="olga")
    html = text_of(admin_client)
    assert f"/admin/deployments/environment/{staging.pk}/change/" in html
    assert "Nothing is live." in html
    assert "Frozen" in html


# Queries


def test_queries_are_bounded(admin_client):
    def queries():
        with CaptureQueriesContext(connection) as captured:
            page_of(admin_client)
        return len(captured)

    make_day()
    few = queries()
    make_day()
    assert queries() == few <= 30


# Snoozing


def post(client, **values):
    data = {"rule": "late", "hours": "4", "reason": "The crew called", **values}
    with time_machine.travel(NOW, tick=False):
        return client.post(SNOOZE, data, follow=True)


def test_snooze_from_the_page(desk):
    job = late()
    html = post(desk, job=job.pk).content.decode()
    row = Snooze.objects.get()
    assert (row.rule, row.job, row.until, row.actor) == ("late", job, NOW + 4 * HOUR, "dana")
    assert f"Snoozed {job.label} for 4 hours." in html
    assert "Not started" not in html


def test_snooze_is_ended(desk):
    job = late()
    for hours in ("1", "4"):
        post(desk, job=job.pk, hours=hours)
    [row, _] = Snooze.objects.all()
    assert f'name="end" value="{row.pk}">Show again</button>' in text_of(desk)
    with time_machine.travel(NOW, tick=False):
        html = desk.post(SNOOZE, {"end": row.pk}, follow=True).content.decode()
    assert f"{job.label} is no longer snoozed." in html
    assert "Not started" in html
    assert "Show again" not in html


@pytest.mark.parametrize("key", ["0", "9" * 30, "x"])
def test_end_of_no_snooze_is_refused(desk, key):
    html = desk.post(SNOOZE, {"end": key}, follow=True).content.decode()
    assert "This snooze does not exist. Reload the page." in html


def test_snooze_of_a_rule_without_jobs(desk):
    assert (
        "Snoozed the rule for 1 hour."
        in post(desk, rule="window-drift", job="", hours="1").content.decode()
    )


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"reason": " "}, "Snoozing needs a reason."),
        ({"reason": "x" * 201}, "at most 200 characters"),
        ({"hours": "5"}, "Choose for how long to snooze."),
        ({"hours": "soon"}, "Choose for how long to snooze."),
        ({"rule": "nap"}, "There is no rule &#x27;nap&#x27;."),
        ({"job": "0"}, "This job does not exist."),
        ({"job": "9" * 30}, "This job does not exist."),
        ({"job": ""}, "is snoozed with a job"),
    ],
)
def test_refused_snooze_says_why(desk, values, message):
    job = late()
    assert message in post(desk, **{"job": job.pk, **values}).content.decode()
    assert not Snooze.objects.exists()


def test_snoozing_needs_the_permission_to_change_jobs(client):
    job = late()
    viewer = sign_in(client, "vera", "dispatch.view_job")
    assert post(viewer, job=job.pk).status_code == 403
    assert not Snooze.objects.exists()
