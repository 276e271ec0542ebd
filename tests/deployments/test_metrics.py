"""Metrics: spans, totals and charts, and the page with and without them."""

from datetime import UTC, datetime, timedelta

import pytest
from django.contrib.auth.models import Permission
from django.core.management import CommandError, call_command
from django.urls import reverse

from deployments.admin import metrics_page
from deployments.metrics import (
    MOST_HOURS,
    POINTS,
    bars,
    choose_span,
    read_report,
    show,
    show_peak,
)
from deployments.models import Environment, Strategy
from edge.errors import BackendUnavailable

NOW = datetime(2026, 11, 20, 14, 7, 30, tzinfo=UTC)


class Counted:
    """Metrics that answer from a table: (subject, metric) to values by period."""

    def __init__(self, values):
        self.values = values
        self.calls = 0

    def read(self, measures, *, start, end, period):
        self.calls += 1
        slots = round((end - start) / timedelta(seconds=period))
        found = [self.values.get((item.subject, item.metric), {}) for item in measures]
        return [[one.get(slot) for slot in range(slots)] for one in found]


@pytest.fixture
def counted(backend, replaced, production, monkeypatch):
    """Return a function that makes a back end with these metrics."""
    production.distributions.create(remote_id="E1")

    def use(values):
        measuring = replaced(metrics=Counted(values))
        monkeypatch.setattr(metrics_page, "get_backend", lambda: measuring)
        return measuring

    return use


def page(client, environment, **query):
    address = reverse("admin:deployments_environment_metrics", args=[environment.pk])
    return client.get(address, query)


def report_of(backend, hours=3):
    return read_report(backend, Environment.objects.all(), hours=hours, now=NOW)


@pytest.mark.parametrize("hours", [1, 3, 24, 168, 720, MOST_HOURS])
def test_span_covers_the_hours_in_few_whole_periods(hours):
    span = choose_span(hours, NOW)
    slots = (span.end - span.start) / timedelta(seconds=span.period)
    assert slots == int(slots)
    assert slots <= POINTS
    assert span.end - timedelta(seconds=span.period) <= NOW < span.end
    assert span.end - span.start >= timedelta(hours=hours)


def test_percentages_are_averaged_by_their_counts(counted):
    backend = counted({
        ("E1", "requests"): {0: 1.0, 1: 99.0},
        ("E1", "5xx_rate"): {0: 100.0, 1: 0.0},
    })  # fmt: skip
    (row,) = [row for row in report_of(backend).as_json() if row["id"] == "E1"]
    assert row["totals"] == {
        "requests": 100,
        "bytes_downloaded": None,
        "4xx_rate": None,
        "5xx_rate": 1,
    }
    assert row["series"]["requests"][:3] == [1, 99, None]


def test_all_metrics_are_read_in_one_call(counted):
    backend = counted({})
    assert len(report_of(backend).subjects) == 3  # a distribution, and a function each
    assert backend.metrics.calls == 1


def test_environment_by_copy_has_no_function(counted, production):
    production.strategy = Strategy.COPY
    subjects = read_report(counted({}), [production], hours=3, now=NOW).subjects
    assert [subject.kind for subject in subjects] == ["distribution"]


def test_peak_has_value_and_time(counted):
    backend = counted({("E1", "requests"): {2: 5.0, 4: 7.0, 6: 7.0}})
    report = report_of(backend)
    requests = report.subjects[1].figure("requests")
    moment = report.span.start + timedelta(seconds=4 * report.span.period)
    assert show_peak(requests, report.span) == (
        f"highest 7 in 2 minutes from {moment:%d %b %H:%M} UTC"
    )


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (None, "count", "no data"),
        (1204.0, "count", "1,204"),
        (0.5234, "percent", "0.52%"),
        (999.0, "bytes", "999 B"),
        (3_400_000.0, "bytes", "3.4 MB"),
        (5e15, "bytes", "5000.0 TB"),
    ],
)
def test_values_are_written_for_people(value, unit, text):
    assert show(value, unit) == text


def test_highest_bar_fills_the_chart_and_gaps_stay_empty():
    path = bars([None, 1.0, 2.0, 0.0])
    assert path.count("M") == 2
    assert "v-56.0" in path
    assert bars([None, 0.0]) == ""


def test_page_shows_charts_with_their_figures_in_words(admin_client, counted, production):
    counted({("E1", "requests"): {0: 1200.0, 3: 4.0}, ("E1", "bytes_downloaded"): {0: 2e6}})
    answer = page(admin_client, production, hours=3)
    text = answer.content.decode()
    assert answer.status_code == 200
    assert "Distribution E1" in text
    assert "Edge function qdn-viewer-request-production" in text
    assert "1,204" in text
    assert "2.0 MB" in text
    assert "highest 1,200" in text
    assert text.count("<svg viewBox") == 9


def test_pages_of_environments_link_to_the_metrics(admin_client, production):
    address = reverse("admin:deployments_environment_metrics", args=[production.pk])
    for name, args in (("changelist", []), ("change", [production.pk])):
        found = admin_client.get(reverse(f"admin:deployments_environment_{name}", args=args))
        assert address in found.content.decode()


def test_page_with_the_local_back_end_says_where_metrics_come_from(admin_client, production):
    answer = page(admin_client, production)
    assert answer.status_code == 200
    assert "EDGE_BACKEND=aws" in answer.content.decode()


def test_copy_without_a_distribution_has_no_metrics(admin_client, counted, production):
    counted({})
    production.distributions.all().delete()
    Environment.objects.filter(pk=production.pk).update(strategy=Strategy.COPY)
    assert "No distribution is known" in page(admin_client, production).content.decode()


def test_page_shows_an_outage(admin_client, counted, production, monkeypatch):
    backend = counted({})

    def refuse(*args, **kwargs):
        raise BackendUnavailable("CloudWatch said no.", "Give it the permission.")

    monkeypatch.setattr(backend.metrics, "read", refuse)
    answer = page(admin_client, production)
    assert answer.status_code == 502
    assert "CloudWatch said no. Give it the permission." in answer.content.decode()


@pytest.mark.parametrize("hours", ["0", "-1", "x", "9999999"])
def test_page_shows_a_day_for_other_hours(admin_client, production, hours):
    assert page(admin_client, production, hours=hours).context["hours"] == 24


def test_page_of_an_unknown_environment_is_404(admin_client, db):
    address = reverse("admin:deployments_environment_metrics", args=[999])
    assert admin_client.get(address).status_code == 404


@pytest.mark.parametrize(("allowed", "status"), [(True, 200), (False, 403)])
def test_page_needs_the_permission_to_view_environments(
    client, django_user_model, production, allowed, status
):
    user = django_user_model.objects.create_user("olga", password="x", is_staff=True)
    if allowed:
        user.user_permissions.add(Permission.objects.get(codename="view_environment"))
    client.force_login(user)
    assert page(client, production).status_code == status


def test_page_asks_strangers_to_sign_in(client, production):
    assert page(client, production).status_code == 302


@pytest.mark.parametrize("hours", ["0", "2161", "day"])
def test_command_accepts_hours_that_cloudwatch_keeps(hours):
    with pytest.raises(CommandError, match="expected 1 to 2160 hours"):
        call_command("metrics", "--hours", hours)
