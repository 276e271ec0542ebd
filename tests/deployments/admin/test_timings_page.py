"""The timings page: figures and charts by surface and release."""

import pytest
from django.urls import reverse

from deployments.models import Environment
from tests.deployments.timings.conftest import add_views  # noqa: F401 - a fixture


def page_of(client, environment, query=""):
    address = reverse("admin:deployments_environment_timings", args=[environment.pk])
    answer = client.get(f"{address}{query}")
    assert answer.status_code == 200
    return answer


@pytest.fixture
def counted(operator, two, production, add_views):  # noqa: F811
    operator.canary(5)
    add_views(two[0], 500, seed=1, errors=5)
    add_views(two[1], 300, seed=2, slower=400)
    return two


def test_page_shows_figures_of_both_releases(admin_client, counted, production):
    page = page_of(admin_client, production)
    (group,) = page.context["groups"]
    assert group.surface == "track"
    canary, live = group.lines
    assert (live.release, live.note, live.views) == (counted[0].name, "live", 500)
    assert (canary.release, canary.note, canary.views) == (counted[1].name, "canary, 5%", 300)
    assert (live.errors, canary.errors) == ("1.0%", "0.0%")
    text = page.content.decode()
    assert "Largest paint (LCP)" in text
    assert "<path d=" in text


@pytest.mark.parametrize(
    "query", ["?hours=24", "?hours=168", "?hours=2160", "?hours=x", "?hours=5"]
)
def test_spans(admin_client, counted, production, query):
    charts = page_of(admin_client, production, query).context["groups"][0].charts
    assert [chart.shown.count(" ms to ") for chart in charts] == [1, 0, 1, 0, 0, 1]


def test_page_without_reports_says_why(admin_client, production, settings):
    assert "No view was reported" in page_of(admin_client, production).content.decode()
    settings.TIMINGS_PERCENT = 0
    assert "TIMINGS_PERCENT is 0" in page_of(admin_client, production).content.decode()


def test_environment_page_says_that_a_canary_may_end(admin_client, counted, production):
    Environment.objects.filter(pk=production.pk).update(canary_margin=20)
    address = reverse("admin:deployments_environment_change", args=[production.pk])
    assert "more than 20% slower" in admin_client.get(address).content.decode()
