"""Each rule at its boundary, and what takes a job out of it."""

import pytest

from dispatch.changing import change_details, move_job, set_price
from dispatch.models import Photo
from dispatch.needs.listing import jobs_of
from dispatch.needs.table import job_rules, rule_by_code
from dispatch.prices import parse_price
from dispatch.statuses import Status
from tests.builders import make_crew, make_job, make_planned_job, make_price, make_window
from tests.dispatch.needs import needing
from tests.dispatch.needs.needing import (
    BY_AN_EVENT,
    DAY,
    HOUR,
    JOBS,
    MINUTE,
    NOW,
    at,
    event,
    make_photo,
    needs_you,
    window,
)

pytestmark = pytest.mark.django_db


def found(rule, now=NOW):
    return set(jobs_of(rule, now))


def sentences(rule, now=NOW):
    return [need.sentence for need in needs_you(now) if need.rule == rule]


def test_every_rule_of_dispatch_has_a_job_here():
    ours = {rule.code for rule in job_rules()} - {"message-failed"}
    assert set(JOBS) == ours


@pytest.mark.parametrize("rule", JOBS)
def test_job_needs_the_office_from_a_moment_on(rule):
    job = JOBS[rule]()
    assert found(rule) == {job}
    if rule not in BY_AN_EVENT:
        before = NOW - DAY if rule == "overdue" else NOW - MINUTE
        assert found(rule, before) == set()


@pytest.mark.parametrize("rule", JOBS)
def test_need_says_since_when(rule):
    JOBS[rule]()
    since = [need.since for need in needs_you(NOW) if need.rule == rule]
    assert since == [
        NOW - {"overdue": DAY, "unanswered": 2 * HOUR, "long-hold": 2 * DAY}.get(rule, 0 * HOUR)
    ]


@pytest.mark.parametrize("rule", sorted(set(JOBS) - {"no-photo-after"}))
def test_closed_job_needs_nothing(rule):
    job = JOBS[rule]()
    with at(NOW):
        side = {"side": "customer", "reason": "Moved away"}
        move_job(job=job, to=Status.CANCELLED, actor="dana", **side)
    assert found(rule) == set()


@pytest.mark.parametrize(
    ("rule", "sentence"),
    [
        ("late", "Not started, and the window was Fri Nov 20, 11 a.m. to 1 p.m."),
        (
            "ready-and-over",
            "Ready for pickup, but the window was Fri Nov 20, 11 a.m. to 1 p.m.",
        ),
        (
            "failed-visit",
            "The visit on Fri Nov 20, 1 p.m. failed: We could not get in (The gate is locked).",
        ),
        ("no-crew", "No crew for Sat Nov 21, 7 a.m. to 9 a.m."),
        ("unanswered", "Requested Fri Nov 20, 11 a.m., not answered yet."),
        ("no-price", "No price for Sat Nov 21, 1 p.m. to 3 p.m."),
        (
            "price-question",
            "Price changed from $600 all-in to $700 all-in: the customer has not answered.",
        ),
        ("pickup-asked", "Asked on Fri Nov 20, 1 p.m. for a pickup: as soon as possible."),
        ("overdue", "Dumpster out for 1 day; 1 day agreed."),
        ("long-hold", "On hold since Wed Nov 18, 1 p.m.: Waiting for a permit."),
        ("no-photo-after", "Completed Fri Nov 20, 1 p.m. without a photo of the result."),
    ],
)
def test_sentence(rule, sentence):
    JOBS[rule]()
    assert sentences(rule) == [sentence]


def test_late_and_ready_share_no_job():
    late, ready = needing.late(), needing.ready_and_over()
    assert found("late") == {late}
    assert found("ready-and-over") == {ready}


def test_job_under_way_is_not_late():
    make_planned_job(status=Status.IN_PROGRESS, **window(NOW - 3 * HOUR))
    assert found("late") == set()


def test_request_on_hold_is_answered():
    job = needing.unanswered()
    changes = {"on_hold": True, "hold_reason": "Customer sends photos"}
    change_details(job=job, changes=changes, actor="dana")
    assert found("unanswered") == set()


def test_crew_is_needed_until_the_window_ends():
    job = needing.no_crew()
    assert found("no-crew", job.window_end - MINUTE) == {job}
    assert found("no-crew", job.window_end) == set()


def test_job_with_a_crew_needs_none():
    job = needing.no_crew()
    change_details(job=job, changes={"crew": make_crew()}, actor="dana")
    assert found("no-crew") == set()


def test_job_with_a_price_needs_none():
    make_price(needing.no_price())
    assert found("no-price") == set()


def test_job_without_a_window_needs_neither_crew_nor_price():
    make_job(status=Status.SCHEDULED)
    assert found("no-crew") | found("no-price") == set()


def test_failed_visit_ends_with_a_new_window():
    job = needing.failed_visit()
    start = NOW + DAY
    change_details(
        job=job, changes={"window_start": start, "window_end": start + HOUR}, actor="dana"
    )
    assert found("failed-visit") == set()


def test_failed_visit_ends_with_another_try():
    job = needing.failed_visit()
    with at(NOW):
        move_job(job=job, to=Status.READY_FOR_PICKUP, actor="dana")
    assert found("failed-visit") == set()


def test_failed_visit_stays_after_another_change():
    job = needing.failed_visit()
    change_details(job=job, changes={"details": "Ask for the code"}, actor="dana")
    assert found("failed-visit") == {job}


def test_last_of_two_holds_counts():
    job = needing.long_hold()
    for on_hold, reason in ((False, ""), (True, "Waiting again")):
        with at(NOW - HOUR):
            changes = {"on_hold": on_hold, "hold_reason": reason}
            change_details(job=job, changes=changes, actor="dana")
    assert found("long-hold") == set()


def test_hold_from_the_booking_counts_from_then():
    with at(NOW - 2 * DAY):
        job = make_job(on_hold=True, hold_reason="Unpaid")
    assert found("long-hold") == {job}
    assert found("long-hold", NOW - MINUTE) == set()


@pytest.mark.parametrize(
    ("answer", "said"), [("no", "the customer declined"), ("call", "the customer wants a call")]
)
def test_price_question_stays_without_a_yes(answer, said):
    job = needing.price_question()
    event(job, NOW, price_answer=["", answer])
    assert found("price-question") == {job}
    assert sentences("price-question")[0].endswith(f"{said}.")


def test_price_question_ends_with_a_yes():
    job = needing.price_question()
    event(job, NOW, price_answer=["", "yes"])
    assert found("price-question") == set()


def test_price_question_opens_again_with_another_price():
    job = needing.price_question()
    event(job, NOW, price_answer=["", "yes"])
    set_price(job=job, price=parse_price("800 all-in"), actor="dana", reason="Heavier still")
    assert sentences("price-question") == [
        "Price changed from $700 all-in to $800 all-in: the customer has not answered."
    ]


def test_dumpster_with_a_window_for_its_pickup_is_not_overdue():
    job = needing.overdue()
    change_details(job=job, changes=window(NOW + DAY), actor="dana")
    assert found("overdue") == set()


def test_photo_is_asked_for_three_days():
    job = needing.no_photo_after()
    assert found("no-photo-after", NOW + 3 * DAY - MINUTE) == {job}
    assert found("no-photo-after", NOW + 3 * DAY) == set()


def test_photo_after_the_work_settles_it():
    make_photo(needing.no_photo_after(), Photo.Stage.AFTER)
    assert found("no-photo-after") == set()


def test_crew_without_the_page_is_not_asked_for_photos():
    job = needing.no_photo_after()
    Photo.objects.filter(job=job).delete()
    assert found("no-photo-after") == set()


def test_tap_of_the_crew_is_reason_enough_for_a_photo():
    job = make_planned_job(status=Status.IN_PROGRESS, **window(NOW - HOUR))
    with at(NOW):
        move_job(job=job, to=Status.COMPLETED, actor="crew", tapped_at=NOW - MINUTE)
    assert found("no-photo-after") == {job}


def test_window_drift_is_about_no_job():
    drifted = make_window(NOW + HOUR)
    type(drifted).objects.filter(pk=drifted.pk).update(taken=5)
    [need] = needs_you(NOW)
    assert (need.rule, need.job) == ("window-drift", None)
    assert need.sentence == "Fri Nov 20, 2 p.m. to 4 p.m. says 5 units are taken, but jobs hold 0."
    assert need.action.url == "/admin/dispatch/servicewindow/"
    assert not jobs_of("window-drift", NOW).exists()


@pytest.mark.parametrize("rule", JOBS)
def test_action_leads_to_the_job(rule):
    job = JOBS[rule]()
    [action] = [need.action for need in needs_you(NOW) if need.rule == rule]
    assert action.url.split("#")[0] == f"/admin/dispatch/job/{job.pk}/change/"
    assert (action.act, action.label) == (rule_by_code(rule).act, rule_by_code(rule).label)
