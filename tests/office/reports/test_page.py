"""The page of reports: charts with a table behind each, tables with a CSV of each."""

import csv
import io
import re
from datetime import date

import pytest
import time_machine
from django.contrib.auth.models import Group, User
from django.urls import reverse

from deployments.metrics import CHART_HEIGHT
from office.reports.charts import charts
from office.reports.figures import read_report
from office.reports.periods import Period
from qdn.roles import OWNERS
from tests.office.reports.example import ask, cancel, make_two_weeks, moment

pytestmark = pytest.mark.django_db
PAGE = "/admin/reports/"
TWO_WEEKS = {"from": "2026-11-09", "to": "2026-11-22"}


@pytest.fixture(autouse=True)
def friday():
    with time_machine.travel(moment(20, 12), tick=False):
        yield


@pytest.fixture
def owner(client):
    user = User.objects.create_user("olivia", is_staff=True)
    user.groups.add(Group.objects.get(name=OWNERS))
    client.force_login(user)
    return client


def file(owner, key, **query):
    response = owner.get(PAGE, {**TWO_WEEKS, "csv": key, **query})
    assert response.status_code == 200
    text = b"".join(response.streaming_content).decode().removeprefix("\ufeff")
    return list(csv.reader(io.StringIO(text, newline="")))


def test_page_shows_totals_and_tables(owner):
    make_two_weeks()
    html = owner.get(PAGE, TWO_WEEKS).content.decode()
    for text in ("$2,610", "75%", "50%", "We could not get in", "Moving away", "Birch"):
        assert text in html
    assert "Mon, Nov 9, 2026 to Sun, Nov 22, 2026" in html


def test_every_chart_has_its_table(owner):
    make_two_weeks()
    html = owner.get(PAGE, TWO_WEEKS).content.decode()
    charts = html.split('<section class="metrics-card"')[1:]
    assert len(charts) == 9
    for chart in charts:
        assert 'aria-hidden="true"' in chart
        rows = re.findall(r'<th scope="row">(.+?)</th><td>(.+?)</td>', chart.split("</section>")[0])
        assert [week for week, _ in rows] == ["Nov 9", "Nov 16"]
    drawn = [chart for chart in charts if "<path" in chart]
    assert len(drawn) == 9


def test_half_of_a_share_is_half_a_bar():
    """50% in each week would else be drawn as two full bars."""
    make_two_weeks()
    shown = {
        chart.key: chart.bars
        for chart in charts(read_report(Period(*map(date.fromisoformat, TWO_WEEKS.values()))))
    }
    heights = [float(height) for height in re.findall(r"v-([\d.]+)", shown["use"])]
    assert heights == [CHART_HEIGHT / 2] * 2


def test_page_without_jobs(owner):
    html = owner.get(PAGE).content.decode()
    assert html.count("None in this time.") == 4
    assert "<path" not in html.split("<main")[1]


def test_link_is_for_those_who_may_see_the_page(owner, desk):
    assert PAGE not in desk.get("/admin/").content.decode()
    assert desk.get(PAGE).status_code == 403
    assert desk.get(PAGE, {"csv": "weeks"}).status_code == 403


def test_owner_finds_the_page(owner):
    assert reverse("office:reports") == PAGE
    assert PAGE in owner.get("/admin/").content.decode()


def test_period_that_cannot_be_is_explained(owner):
    html = owner.get(PAGE, {"from": "yesterday"}).content.decode()
    assert "Expected days like 2026-11-20. Showing the latest weeks." in html


def test_weeks_as_csv(owner):
    make_two_weeks()
    assert file(owner, "weeks") == [
        [
            "Week from",
            "Jobs completed",
            "Revenue agreed (USD)",
            "Changed after agreeing (USD)",
            "On time (percent)",
            "Use of windows (percent)",
            "Failed visits",
            "Cancelled",
            "Requests",
            "Time to answer (median, hours)",
        ],
        ["2026-11-09", "2", "990.0", "50.0", "50.0", "50.0", "0", "0", "2", "1.25"],
        ["2026-11-16", "2", "1620.0", "0.0", "100.0", "50.0", "1", "2", "4", "3.0"],
    ]


@pytest.mark.parametrize(
    ("key", "last"),
    [
        ("crews", ["No crew", "0", "0.0", "0.0", "", "0", "1", "1", ""]),
        ("services", ["Junk removal", "3", "1110.0", "50.0", "66.7", "1", "2", "5", "2.5"]),
        ("cancellations", ["Firm", "No truck", "1"]),
        ("visits", ["We could not get in", "1"]),
    ],
)
def test_other_tables_as_csv(owner, key, last):
    make_two_weeks()
    assert file(owner, key)[-1] == last


def test_unknown_table_is_not_found(owner):
    assert owner.get(PAGE, {"csv": "customers"}).status_code == 404


def test_reason_is_never_a_formula(owner):
    cancel(ask(19, 9), 19, 10, "customer", "=1+1")
    assert ["Customer", "'=1+1", "1"] in file(owner, "cancellations")
