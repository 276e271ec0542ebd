"""The address of the beacon: what it counts, and all that it does not."""

import json
from datetime import timedelta
from types import SimpleNamespace

import pytest
from django.db import DatabaseError

from deployments.models import Environment, PageTiming
from deployments.timings import counting, known
from deployments.timings.limit import PER_MINUTE, Limit
from deployments.timings.reading import MOST_BYTES, read_view

ADDRESS = "/api/v1/timings/"
TOKEN = "9f8Zq1vN0uXy3LkPz7aBcd"


def test_report_is_counted_by_metric(report, counted, two, production):
    answer = report(ttfb=0, fcp=500.5, cls=50, inp=24, document=130, error="script")
    assert (answer.status_code, answer.content) == (204, b"")
    assert answer["Cache-Control"].endswith("no-store, must-revalidate, private")
    assert not answer.cookies
    assert counted() == {
        ("track", "view", 0): 1,
        ("track", "ttfb", 0): 1,
        ("track", "fcp", 66): 1,
        ("track", "lcp", 73): 1,
        ("track", "cls", 42): 1,
        ("track", "inp", 34): 1,
        ("track", "document", 52): 1,
        ("track", "script_error", 0): 1,
    }
    row = PageTiming.objects.first()
    assert (row.environment, row.release) == (production, two[0])
    assert (row.hour.minute, row.hour.second) == (0, 0)


def test_same_buckets_are_counted_in_the_same_rows(report, counted):
    for _ in range(3):
        report()
    assert counted() == {("track", "view", 0): 3, ("track", "lcp", 73): 3}


def test_canary_and_a_release_just_replaced_are_counted(report, counted, operator, two):
    operator.canary(5)
    report(release=two[1].name)
    operator.promote()
    known.forget()
    report(release=two[0].name)
    assert counted()["track", "view", 0] == 1
    assert PageTiming.objects.values("release").distinct().count() == 2


@pytest.mark.parametrize("value", [
    "NaN", "Infinity", "-Infinity", "1e999", "-1", "600001", "true", "null", '"5"', "[5]", "{}",
])  # fmt: skip
def test_numbers_out_of_range_are_refused(report, counted, two, value):
    body = f'{{"surface": "track", "release": "{two[0].name}", "lcp": {value}}}'
    assert report(body).status_code == 204
    assert counted() == {}


@pytest.mark.parametrize("body", [
    "", "null", "[]", "7", '"text"', "{", "[" * MOST_BYTES, '{"a":' * 80, b"\xff\xfe", b"\x00",
])  # fmt: skip
def test_what_is_not_a_report_is_answered_alike(report, counted, body):
    assert report(body).status_code == 204
    assert counted() == {}


@pytest.mark.parametrize(
    "changes",
    [
        {"surface": "nowhere"},
        {"surface": f"/track/{TOKEN}"},
        {"surface": ["track"]},
        {"release": "20260101-000000-ffffffff"},
        {"release": TOKEN},
        {"release": None},
        {"release": {}},
        {"error": TOKEN},
        {"error": ["script"]},
        {"path": f"/track/{TOKEN}"},
        {"lcp": TOKEN},
        {TOKEN: 5},
        {"padding": "x" * MOST_BYTES},
    ],
)
def test_unknown_texts_are_refused(report, counted, changes):
    assert report(**changes).status_code == 204
    assert counted() == {}


def test_nothing_but_known_texts_is_stored(report, two):
    report(error="document")
    stored = json.dumps(list(PageTiming.objects.values("surface", "metric")))
    assert TOKEN not in stored
    texts = {row.get_metric_display() for row in PageTiming.objects.all()}
    assert texts == {"Views", "Largest paint (LCP)", "Document errors"}


@pytest.mark.parametrize(
    "origin", ["", "null", "https://evil.example", "http://localhost.evil.example", "localhost"]
)
def test_other_sites_report_nothing(report, counted, origin):
    assert report(origin=origin).status_code == 204
    assert counted() == {}


def test_release_that_was_only_pushed_is_refused(report, counted, operator):
    report(release=operator.release("C").name)
    assert counted() == {}


def test_release_of_another_environment_is_refused(report, counted, two):
    report(release=two[1].name)
    assert counted() == {}


def test_report_that_is_too_long_is_not_read(client, two, counted, monkeypatch):
    monkeypatch.setattr("deployments.timings.views.read_view", pytest.fail)
    headers = {"Host": "localhost", "Origin": "http://localhost"}
    answer = client.post(ADDRESS, " " * 5000, content_type="text/plain", headers=headers)
    assert answer.status_code == 204


def test_get_reports_nothing(client, db):
    assert client.get(ADDRESS).status_code == 405


def test_address_that_reports_too_often_is_no_longer_counted(report, counted, monkeypatch):
    monkeypatch.setattr("deployments.timings.views.time", SimpleNamespace(monotonic=lambda: 60.0))
    for _ in range(PER_MINUTE + 5):
        assert report().status_code == 204
    assert counted()["track", "view", 0] == PER_MINUTE


def test_limit_starts_again_after_a_minute():
    limit = Limit()
    assert all(limit.admits("192.0.2.1", 59) for _ in range(PER_MINUTE))
    assert not limit.admits("192.0.2.1", 59.9)
    assert limit.admits("192.0.2.1", 60)


def test_outage_loses_reports_and_fails_no_request(report, counted, two, monkeypatch, caplog):
    report()

    def refuse(*args):
        raise DatabaseError("database is locked")

    with monkeypatch.context() as patched:
        patched.setattr(counting, "_add", refuse)
        assert report().status_code == 204
        patched.setattr(known, "_look_up", refuse)
        known.forget()
        assert report().status_code == 204
    assert "lost: database is locked" in caplog.text
    assert two[0].name not in caplog.text
    assert counted()["track", "view", 0] == 1


def test_releases_are_looked_up_once_in_a_while(report, django_assert_num_queries):
    report()
    with django_assert_num_queries(1):
        report()


def test_reports_are_kept_in_memory_for_seconds(report, counted, settings, monkeypatch):
    started = []

    def start(timer):
        started.append(timer)

    monkeypatch.setattr("threading.Timer.start", start)
    settings.TIMINGS_WRITE_SECONDS = 5
    for _ in range(3):
        report()
    assert (len(started), counted()) == (1, {})
    counting.write()
    assert counted()["track", "view", 0] == 3
    counting.write()
    assert counted()["track", "view", 0] == 3


def test_many_rows_take_several_statements(add_views, two, counted, monkeypatch):
    monkeypatch.setattr(counting, "MOST_ROWS", 3)
    environment = Environment.objects.get(name="production").pk
    for number in range(8):
        counting._counts[
            counting.hour_of(two[0].created_at), environment, two[0].pk, "track", "lcp", number
        ] += 2
    counting.write()
    assert len(counted()) == 8


def test_old_hours_are_forgotten(report, database_clock, counted):
    report()
    assert counting.forget_old() == 0
    database_clock.shift(timedelta(days=91))
    assert counting.forget_old() == 2
    assert counted() == {}


def test_longest_report_of_the_beacon_is_short_enough(settings):
    numbers = {"ttfb": 600000, "fcp": 600000, "lcp": 600000, "cls": 600000, "inp": 600000}
    texts = {"surface": "dashboard", "release": "20261122-063011-0123abcd", "error": "document"}
    body = json.dumps({**texts, **numbers, "document": 600000}).encode()
    assert len(body) < MOST_BYTES / 2
    assert read_view(body).surface == "dashboard"
