"""Lists, counts and sets agree, and take a bounded number of queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from dispatch.errors import ValueRefused
from dispatch.needs.listing import count_by_rule, jobs_of, jobs_of_any
from dispatch.needs.table import job_rules, rules
from tests.builders import make_window
from tests.dispatch.job_page import LIST
from tests.dispatch.needs.needing import HOUR, JOBS, NOW, at, found_by_rule, needs_you

pytestmark = pytest.mark.django_db
# Indexes that hold open jobs only.
OF_OPEN_JOBS = ("open_job_by_window", "open_job_by_crew", "held_job", "job_without_crew")


def make_all(ahead=1):
    """Make a job for each rule, and a window some hours ahead whose count is wrong."""
    jobs = {make() for make in JOBS.values()}
    drifted = make_window(NOW + ahead * HOUR)
    type(drifted).objects.filter(pk=drifted.pk).update(taken=5)
    return jobs


def queries(function):
    with CaptureQueriesContext(connection) as captured:
        function(NOW)
    return len(captured)


def test_nothing_needs_the_office_at_first():
    assert needs_you(NOW) == []
    assert count_by_rule(NOW) == dict.fromkeys((rule.code for rule in job_rules()), 0)
    assert not jobs_of_any(NOW).exists()


def test_lists_counts_and_sets_agree():
    jobs = make_all()
    needs, counts = needs_you(NOW), count_by_rule(NOW)
    for rule in job_rules():
        listed = {need.job for need in needs if need.rule == rule.code}
        assert listed == set(jobs_of(rule.code, NOW)), rule.code
        assert counts[rule.code] == len(listed), rule.code
    assert set(jobs_of_any(NOW)) == jobs


def test_needs_come_in_the_order_of_the_table():
    make_all()
    order = [rule.code for rule in rules()]
    places = [order.index(need.rule) for need in needs_you(NOW)]
    assert places == sorted(places)


def test_what_waits_longest_comes_first():
    jobs = [JOBS["late"]() for _ in range(3)]
    for hours, job in enumerate(jobs):
        type(job).objects.filter(pk=job.pk).update(
            window_start=job.window_start - hours * HOUR, window_end=job.window_end - hours * HOUR
        )
    [found] = found_by_rule(NOW, most=2)
    assert [need.job for need in found.needs] == [jobs[2], jobs[1]]
    assert found.count == 3


def test_long_set_keeps_no_other_out():
    jobs = [JOBS["late"]() for _ in range(9)]
    waiting = JOBS["unanswered"]()
    late, unanswered = found_by_rule(NOW, most=1)
    assert (late.needs[0].job in jobs, late.count) == (True, 9)
    assert ([need.job for need in unanswered.needs], unanswered.count) == ([waiting], 1)


def test_queries_are_bounded():
    make_all()
    few = queries(needs_you)
    make_all(ahead=2)
    assert queries(needs_you) == few <= 6


def test_counts_take_two_queries():
    make_all()
    assert queries(count_by_rule) == 2


@pytest.mark.skipif(connection.vendor != "sqlite", reason="PostgreSQL reads small tables whole")
@pytest.mark.parametrize("rule", [rule.code for rule in job_rules()])
def test_set_does_not_read_the_archive(rule):
    plan = jobs_of(rule, NOW).order_by().explain()
    read = [line for line in plan.splitlines() if "SCAN" in line]
    assert [line for line in read if not line.endswith(OF_OPEN_JOBS)] == []


def test_list_of_jobs_shows_what_a_rule_finds(desk):
    make_all()
    with at(NOW):
        page = desk.get(LIST, {"needs": "long-hold"})
    [job] = page.context["cl"].result_list
    assert job in jobs_of("long-hold", NOW)
    assert "Long on hold (1)" in page.content.decode()


def test_filter_offers_only_rules_that_find_something(desk):
    JOBS["late"]()
    with at(NOW):
        html = desk.get(LIST).content.decode()
    assert "Late (1)" in html
    assert "Long on hold" not in html


@pytest.mark.parametrize("code", ["nap", ""])
def test_filter_refuses_an_unknown_rule(desk, code):
    answer = desk.get(LIST, {"needs": code})
    assert (answer.status_code, answer.get("Location")) == (302, f"{LIST}?e=1")


def test_unknown_rule_is_refused():
    with pytest.raises(ValueRefused, match="There is no rule 'nap'"):
        jobs_of("nap", NOW)
