"""The lane "Needs you" of the board, and snoozing what is in it."""

import pytest
from django.contrib.auth.models import Permission, User

from dispatch.models import ServiceWindow, Snooze
from dispatch.needs.table import rules
from notifications.kinds import State
from office.board.access import Viewer
from office.board.document import MOST_NEEDS, board_document
from tests.builders import make_job, make_window
from tests.dispatch.needs.needing import DAY, JOBS, NOW, at, needs_you
from tests.notifications.builders import make_message
from tests.office.board import column, done, post, read, refused

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def clock():
    with at(NOW) as traveller:
        yield traveller


def make_all():
    """Make a need of every rule."""
    jobs = {rule: make() for rule, make in JOBS.items()}
    jobs["message-failed"] = make_message(state=State.FAILED, error="Mailbox full.").job
    window = make_window(NOW + DAY)
    ServiceWindow.objects.filter(pk=window.pk).update(taken=3)
    return jobs


def shown(client, **fields):
    needs = column(read(client), "needs")["needs"]
    return [need for need in needs if fields.items() <= need.items()]


def test_lane_is_the_table_of_needs(desk):
    make_all()
    found = needs_you(NOW)
    assert {need.rule for need in found} == {rule.code for rule in rules()}
    document = board_document(NOW.date(), NOW, viewer=Viewer("dana", bool))
    assert column(document, "needs")["more"] == 0
    assert [
        (one["rule"], one["job"], one["sentence"], one["action"])
        for one in column(document, "needs")["needs"]
    ] == [
        (
            need.rule,
            need.job and need.job.pk,
            need.sentence,
            {"act": need.action.act, "label": need.action.label, "url": need.action.url},
        )
        for need in found
    ]


def test_every_need_has_its_card(desk):
    make_all()
    document = read(desk)
    jobs = {need["job"] for need in column(document, "needs")["needs"]} - {None}
    assert len(jobs) == len(JOBS) + 1
    assert jobs <= {int(pk) for pk in document["cards"]}


def test_lane_takes_as_many_queries_for_all_rules(desk, django_assert_max_num_queries):
    make_all()
    with django_assert_max_num_queries(15):
        read(desk)


def test_lane_has_the_longest_waiting_and_counts_the_others(desk):
    for _ in range(MOST_NEEDS + 2):
        JOBS["unanswered"]()
    needs = column(read(desk), "needs")
    assert (len(needs["needs"]), needs["more"]) == (MOST_NEEDS, 2)


def test_need_is_only_for_those_who_may_see_what_it_is_about(client):
    make_all()
    viewer = User.objects.create_user("vera", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(viewer)
    found = {need["rule"] for need in column(read(client), "needs")["needs"]}
    assert found == set(JOBS)


# Snoozing


def test_snooze(desk, clock):
    job = JOBS["no-crew"]()
    answer = done(desk, "snooze", job, rule="no-crew", hours=4, reason="Birch calls back")
    assert (answer["message"], answer["undo"]) == ("Snoozed for 4 hours.", None)
    assert answer["card"]["id"] == job.pk
    assert shown(desk, rule="no-crew") == []
    clock.shift(DAY / 6)
    assert [need["job"] for need in shown(desk, rule="no-crew")] == [job.pk]


def test_snooze_of_a_rule_without_jobs(desk):
    make_all()
    answer = done(desk, "snooze", rule="window-drift", hours=1, reason="known", job=None)
    assert (answer["card"], answer["message"]) == (None, "Snoozed for 1 hour.")
    assert shown(desk, rule="window-drift") == []


def test_same_snooze_counts_once_and_a_longer_one_again(desk):
    job = JOBS["no-crew"]()
    for hours in (1, 1, 4):
        done(desk, "snooze", job, rule="no-crew", hours=hours, reason="later")
    assert Snooze.objects.count() == 2


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"rule": "weather"}, "rule"),
        ({"rule": "no-crew", "hours": 2}, "hours"),
        ({"rule": "no-crew", "hours": 2**31 - 1}, "hours"),
        ({"rule": "no-crew", "reason": ""}, "reason"),
        ({"rule": "window-drift"}, "job"),
    ],
)
def test_snooze_is_refused(desk, fields, field):
    body = {"hours": 4, "reason": "later", **fields}
    assert refused(desk, 422, "snooze", make_job(), **body)["field"] == field
    assert not Snooze.objects.exists()


def test_snooze_without_hours(desk):
    assert post(desk, "snooze", make_job(), rule="no-crew", reason="x").status_code == 400
