"""What each step needs, refused and overridden in the same way wherever a job is moved."""

import ast
from datetime import UTC, datetime, timedelta
from html import unescape
from itertools import chain
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest
import time_machine
from django.core.management import CommandError, call_command

from dispatch import guards
from dispatch.booking import create_job
from dispatch.changing import move_job, supply_and_move
from dispatch.errors import MoveNotAllowed
from dispatch.guards import GuardRefused, Missing, missing
from dispatch.models import Job
from dispatch.statuses import FLOW, Need, Status, is_forward
from dispatch.supplies import Supplies, parse_supplies
from tests.builders import make_crew, make_job, make_price
from tests.dispatch.job_page import act, errors_of, page_of, posted, press, texts

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("clock")]
ROOT = Path(__file__).resolve().parents[2]
NOW = datetime(2026, 11, 20, 20, tzinfo=UTC)  # 13:00 in Denver
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
S = Status
TODAY = {"window_start": NOW + HOUR, "window_end": NOW + 3 * HOUR}
OVER = {"window_start": NOW - 3 * HOUR, "window_end": NOW}
TOMORROW = {"window_start": NOW + DAY, "window_end": NOW + DAY + HOUR}
HOLD = {"on_hold": True, "hold_reason": "Waiting for the key"}
FINAL, ESTIMATE = {"cents": 60_000}, {"cents": 25_000, "kind": "estimate"}
SHELL = {
    "name": "Mark Ames",
    "phone": "907-555-0142",
    "address": "1423 Soderblom Avenue, Fairbanks, 99709",
}


@pytest.fixture
def clock():
    with time_machine.travel(NOW, tick=False) as clock:
        yield clock


class Case(NamedTuple):
    """A step that is refused: from where to where, what the job has, and the codes."""

    here: Status
    to: Status
    codes: list[str]
    window: dict[str, datetime] = TODAY
    price: dict[str, Any] | None = FINAL
    crew: bool = True
    hold: dict[str, Any] = {}
    service: str = "junk"

    def make(self) -> Job:
        crew = make_crew() if self.crew else None
        job = make_job(
            status=self.here, crew=crew, service=self.service, **self.window, **self.hold
        )
        if self.price:
            make_price(job, **self.price)
        return job

    def __str__(self) -> str:
        return f"{self.here} to {self.to}: {', '.join(self.codes)}"


CASES = [
    Case(S.REQUESTED, S.SCHEDULED, ["no-window"], window={}),
    Case(S.REQUESTED, S.SCHEDULED, ["window-over"], window=OVER),
    Case(S.REQUESTED, S.SCHEDULED, ["on-hold"], hold=HOLD),
    Case(S.REQUESTED, S.SCHEDULED, ["on-hold", "no-window"], window={}, hold=HOLD),
    Case(S.SCHEDULED, S.READY_FOR_PICKUP, ["no-window"], window={}),
    Case(S.SCHEDULED, S.READY_FOR_PICKUP, ["no-price"], price=None),
    Case(S.SCHEDULED, S.READY_FOR_PICKUP, ["no-window", "no-price"], window={}, price=None),
    Case(S.SCHEDULED, S.READY_FOR_PICKUP, ["on-hold"], hold=HOLD),
    Case(S.SCHEDULED, S.ON_SITE, ["on-hold"], hold=HOLD, service="dumpster-10"),
    Case(S.ON_SITE, S.READY_FOR_PICKUP, ["no-window"], window={}, service="dumpster-10"),
    Case(S.ON_SITE, S.READY_FOR_PICKUP, ["on-hold"], hold=HOLD, service="dumpster-10"),
    Case(S.READY_FOR_PICKUP, S.EN_ROUTE, ["no-crew"], crew=False),
    Case(S.READY_FOR_PICKUP, S.EN_ROUTE, ["no-window"], window={}),
    Case(S.READY_FOR_PICKUP, S.EN_ROUTE, ["other-day"], window=TOMORROW),
    Case(S.READY_FOR_PICKUP, S.EN_ROUTE, ["on-hold"], hold=HOLD),
    Case(S.READY_FOR_PICKUP, S.IN_PROGRESS, ["on-hold"], hold=HOLD),
    Case(S.READY_FOR_PICKUP, S.SCHEDULED, ["window-over"], window=OVER),
    Case(S.EN_ROUTE, S.IN_PROGRESS, ["on-hold"], hold=HOLD),
    Case(S.IN_PROGRESS, S.COMPLETED, ["no-final-price"], price=None),
    Case(S.IN_PROGRESS, S.COMPLETED, ["no-final-price"], price=ESTIMATE),
    Case(S.IN_PROGRESS, S.COMPLETED, ["on-hold"], hold=HOLD),
]


def by_button(desk, job, to):
    response = press(desk, job, to)
    assert response.status_code == 200
    return unescape(response.content.decode())


def by_list_action(desk, job, to):
    return " ".join(texts(act(desk, f"move_to_{to}", job)))


def by_command(desk, job, to):
    with pytest.raises(CommandError) as refusal:
        call_command("job_status", job.label, to)
    assert refusal.value.returncode == 1
    return str(refusal.value)


def by_dry_run(desk, job, to):
    with pytest.raises(CommandError) as refusal:
        call_command("job_status", job.label, to, dry_run=True)
    return str(refusal.value)


def by_function(desk, job, to):
    with pytest.raises(GuardRefused) as refusal:
        move_job(job=job, to=to, actor="dana")
    return str(refusal.value)


WAYS = [by_button, by_list_action, by_command, by_dry_run, by_function]


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("case", CASES, ids=str)
def test_step_is_refused_and_names_what_is_missing(desk, case, way):
    job = case.make()
    lacks = missing(job=job, to=case.to, now=NOW)
    assert [one.code for one in lacks] == case.codes
    seen = way(desk, job, case.to)
    for one in lacks:
        assert job.label in one.message
        assert str(one) in seen
    kept = Job.objects.get(pk=job.pk)
    assert (kept.status, kept.revision, kept.events.count()) == (case.here, 1, 1)


def test_every_step_and_rule_has_a_case():
    refused = {(case.to, code) for case in CASES for code in case.codes}
    assert set(Need) == set(chain.from_iterable(step.needs for step in FLOW.values()))
    for to, step in FLOW.items():
        assert len({code for status, code in refused if status == to} - {"on-hold"}) >= len(
            step.needs
        )
    held = {(case.here, case.to) for case in CASES if "on-hold" in case.codes}
    forward = {(here, to) for here in FLOW for to in FLOW[here].to if is_forward(here, to)}
    assert held == forward


@pytest.mark.parametrize(
    "case",
    [
        Case(S.REQUESTED, S.SCHEDULED, [], price=None, crew=False),
        Case(S.SCHEDULED, S.READY_FOR_PICKUP, [], price=ESTIMATE, crew=False),
        Case(S.SCHEDULED, S.READY_FOR_PICKUP, [], window=TOMORROW),
        Case(S.SCHEDULED, S.ON_SITE, [], window={}, service="dumpster-10"),
        Case(S.READY_FOR_PICKUP, S.EN_ROUTE, [], window=OVER),  # late, but today
        Case(S.READY_FOR_PICKUP, S.SCHEDULED, [], hold=HOLD),  # back
        Case(S.EN_ROUTE, S.SCHEDULED, [], hold=HOLD),
        Case(S.EN_ROUTE, S.CANCELLED, [], window={}, price=None, crew=False, hold=HOLD),
        Case(S.EN_ROUTE, S.IN_PROGRESS, [], window={}, price=None, crew=False),
        Case(S.IN_PROGRESS, S.COMPLETED, [], window={}, crew=False),
    ],
    ids=str,
)
def test_step_with_what_it_needs(case):
    reason = "snow" if case.to == S.CANCELLED else ""
    job = move_job(job=case.make(), to=case.to, actor="dana", side="firm", reason=reason)
    assert job.status == case.to
    assert "overridden" not in job.events.latest("pk").changes


@pytest.mark.parametrize(
    ("start", "end", "today"),
    [
        ("2026-11-20 00:00", "2026-11-20 01:00", True),
        ("2026-11-20 23:00", "2026-11-21 01:00", True),
        ("2026-11-18 08:00", "2026-11-22 08:00", True),
        ("2026-11-19 22:00", "2026-11-20 00:00", False),  # ends as the day begins
        ("2026-11-21 00:00", "2026-11-21 02:00", False),
    ],
)
def test_day_of_the_window_is_that_of_the_firm(start, end, today):
    window = {
        name: datetime.fromisoformat(text).replace(tzinfo=ZoneInfo("America/Denver"))
        for name, text in (("window_start", start), ("window_end", end))
    }
    job = Case(S.READY_FOR_PICKUP, S.EN_ROUTE, [], window=window).make()
    assert bool(missing(job=job, to=S.EN_ROUTE, now=NOW)) is not today


def test_reason_allows_another_day_but_nothing_else():
    job = Case(S.READY_FOR_PICKUP, S.EN_ROUTE, [], window=TOMORROW, crew=False).make()
    lacks = missing(job=job, to=S.EN_ROUTE, now=NOW, reason="the customer asked")
    assert [one.code for one in lacks] == ["no-crew"]
    assert len(missing(job=job, to=S.EN_ROUTE, now=NOW, reason="  ")) == 2


# Overriding


def test_forced_button_moves_and_records_what_was_missing(desk):
    job = make_job()
    response = desk.post(
        page_of(job), posted(job, force_to="scheduled", move_reason="window by phone")
    )
    assert response.url == page_of(job)
    event = job.events.latest("pk")
    assert (event.status, event.reason, event.actor) == (S.SCHEDULED, "window by phone", "dana")
    assert event.changes == {
        "status": ["requested", "scheduled"],
        "overridden": ["", "no window"],
    }
    assert "went ahead with no window" in desk.get(page_of(job)).content.decode()


def test_refused_button_offers_to_go_ahead_with_a_reason(desk):
    job = make_job()
    html = press(desk, job, "scheduled").content.decode()
    assert 'name="move_reason"' in html
    assert 'name="force_to" value="scheduled"' in html
    assert "Move to Scheduled anyway" in html
    assert 'name="force_to"' not in desk.get(page_of(job)).content.decode()


def test_forced_button_without_a_reason_is_refused(desk):
    job = make_job()
    response = desk.post(page_of(job), posted(job, force_to="scheduled", move_reason=" "))
    assert "give a reason" in response.content.decode()
    assert Job.objects.get(pk=job.pk).revision == 1


def test_forced_command_records_what_was_missing():
    job = Case(S.READY_FOR_PICKUP, S.EN_ROUTE, [], window={}, crew=False).make()
    call_command("job_status", job.label, "en_route", "--force", "--reason=all crews are out")
    event = job.events.latest("pk")
    assert event.changes["overridden"] == ["", "no crew, no window"]
    assert event.reason == "all crews are out"


def test_force_without_a_reason_is_refused():
    job = make_job()
    for reason in ("", "  "):
        with pytest.raises(GuardRefused) as refusal:
            move_job(job=job, to=S.SCHEDULED, actor="dana", force=True, reason=reason)
        assert "give a reason" in refusal.value.hint
    assert Job.objects.get(pk=job.pk).revision == 1


def test_force_does_not_override_the_flow():
    with pytest.raises(MoveNotAllowed) as refusal:
        move_job(job=make_job(), to=S.COMPLETED, actor="dana", force=True, reason="because")
    assert refusal.value.code == "move-not-allowed"


def test_needless_force_is_not_recorded():
    job = Case(S.REQUESTED, S.SCHEDULED, []).make()
    move_job(job=job, to=S.SCHEDULED, actor="dana", force=True, reason="to be sure")
    assert set(job.events.latest("pk").changes) == {"status"}


# Supplying what is missing


def test_button_with_a_window_typed_in_schedules_the_job(desk):
    job = make_job()
    typed = {
        "window_start_0": "2026-11-21",
        "window_start_1": "09:00",
        "window_end_0": "2026-11-21",
        "window_end_1": "11:00",
    }
    assert press(desk, job, "scheduled", **typed).status_code == 302
    job.refresh_from_db()
    assert (job.status, job.window_start) == (S.SCHEDULED, datetime(2026, 11, 21, 16, tzinfo=UTC))
    assert [event.kind for event in job.events.all()] == ["created", "details", "status"]


def test_refused_button_saves_nothing_and_keeps_what_was_typed(desk):
    job = Case(S.SCHEDULED, S.READY_FOR_PICKUP, [], window={}, price=None).make()
    response = press(desk, job, "ready_for_pickup", price_text="600 all-in", details="A piano")
    assert set(errors_of(response)) == {"window_start"}
    html = response.content.decode()
    assert "600 all-in" in html
    assert "A piano" in html
    kept = Job.objects.get(pk=job.pk)
    assert (kept.revision, kept.details, kept.price) == (1, "", None)


def test_refused_button_can_be_pressed_again_with_what_was_missing(desk):
    job = make_job()
    shown = press(desk, job, "scheduled", details="A piano").context["adminform"].form.data.dict()
    window = {"window_start_0": "2026-11-21", "window_start_1": "09:00"}
    window |= {"window_end_0": "2026-11-21", "window_end_1": "11:00"}
    assert desk.post(page_of(job), shown | window).status_code == 302
    kept = Job.objects.get(pk=job.pk)
    assert (kept.status, kept.details) == (S.SCHEDULED, "A piano")


def test_command_supplies_what_is_missing():
    job, crew = make_job(), make_crew(name="Birch")
    supplies = ["--window=2026-11-20 2pm-4pm", "--crew=Birch", "--price=600"]
    call_command("job_status", job.label, "scheduled", *supplies)
    job.refresh_from_db()
    assert (job.status, job.crew, str(job.price)) == (S.SCHEDULED, crew, "$600 all-in")
    assert job.window_start == NOW + HOUR
    for to in ("ready_for_pickup", "en_route", "in_progress", "completed"):
        call_command("job_status", job.label, to)
    call_command("job_status", job.label, "completed")  # nothing to do


@pytest.mark.parametrize(
    "supplies",
    [
        ["--crew=Birch", "--price=600"],
        ["--window=2026-11-19 9-11", "--crew=Birch"],
        ["--window=2026-11-20 2pm-4pm", "--crew=Nobody"],
        ["--window=soon", "--crew=Birch"],
        ["--window=2026-11-20 2pm-4pm", "--price=cheap"],
        ["--window=2026-11-20 2pm-4pm", "--dry-run"],
    ],
    ids=str,
)
def test_refused_command_changes_nothing(supplies):
    job = make_job()
    make_crew(name="Birch")
    if "--dry-run" in supplies:
        call_command("job_status", job.label, "scheduled", *supplies)
    else:
        with pytest.raises(CommandError):
            call_command("job_status", job.label, "scheduled", *supplies)
    kept = Job.objects.get(pk=job.pk)
    assert (kept.revision, kept.window_start, kept.crew, kept.price) == (1, None, None, None)
    assert kept.events.count() == 1


def test_command_enters_supplies_of_a_job_that_is_already_there(capsys):
    job = make_job(status=S.SCHEDULED)
    window = "--window=2026-11-20 2pm-4pm"
    for _ in range(2):
        call_command("job_status", job.label, "scheduled", window)
    job.refresh_from_db()
    assert (job.window_start, job.revision) == (NOW + HOUR, 2)
    assert "Nothing to do" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ({"status": "scheduled"}, "no-window"),
        ({"status": "scheduled", "window": "2026-11-19 9-11"}, "window-over"),
        ({"status": "ready_for_pickup", "window": "2026-11-21 9-11"}, "no-price"),
        ({"status": "en_route", "window": "2026-11-20 9-11"}, "no-crew"),
        ({"status": "en_route", "window": "2026-11-21 9-11", "crew": "Birch"}, "other-day"),
        ({"status": "completed", "price": "400 to 600"}, "no-final-price"),
    ],
    ids=str,
)
def test_creation_in_a_status_needs_what_the_status_needs(given, code):
    make_crew(name="Birch")
    with pytest.raises(GuardRefused) as refusal:
        create_job(**SHELL, **given, actor="dana")
    assert [one.code for one in refusal.value.missing] == [code]
    assert not Job.objects.exists()
    job = create_job(**SHELL, **given, actor="dana", force=True, reason="from the old book")
    if code == "other-day":
        assert job.events.count() == 2  # a reason is enough
    else:
        event = job.events.latest("pk")
        assert event.changes == {"overridden": ["", code.replace("-", " ")]}
        assert event.reason == "from the old book"


def test_create_job_command_takes_supplies():
    make_crew(name="Birch")
    supplies = {"window": "2026-11-20 2pm-4pm", "crew": "Birch", "price": "600"}
    call_command("create_job", **SHELL, **supplies, status="en_route")
    job = Job.objects.get()
    assert (job.status, job.crew.name, job.window_end) == (S.EN_ROUTE, "Birch", NOW + 3 * HOUR)


def test_inactive_crew_is_not_sent():
    make_crew(name="Birch", active=False)
    make_crew(name="Willow")
    with pytest.raises(Exception, match="Use one of: Willow"):
        parse_supplies(crew="Birch")


# One copy


def by_create_job(desk, job, to):
    with pytest.raises(CommandError) as refusal:
        call_command("create_job", **SHELL, status=to)
    return str(refusal.value)


def by_supplying(desk, job, to):
    with pytest.raises(GuardRefused) as refusal:
        supply_and_move(job=job, supplies=Supplies(), to=to, actor="dana")
    return str(refusal.value)


@pytest.mark.parametrize("way", [*WAYS, by_create_job, by_supplying])
def test_every_way_asks_the_one_function(desk, monkeypatch, way):
    nothing = Missing("no-luck", "It has no luck.", "Wait for some.", "details")
    monkeypatch.setattr(guards, "missing", lambda **asked: [nothing])
    job = Case(S.REQUESTED, S.SCHEDULED, []).make()
    assert "It has no luck. Wait for some." in way(desk, job, S.SCHEDULED)
    assert not Job.objects.exclude(revision=1, status=S.REQUESTED).exists()


def test_only_the_guards_read_what_a_step_needs():
    """Any other reader of the column would be a copy of the rules."""
    readers = {
        path.relative_to(ROOT).as_posix()
        for app in ("dispatch", "tracking", "qdn")
        for path in (ROOT / app).rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Attribute) and node.attr == "needs"
    }
    # What needs the office (dispatch.needs) has the name too, and knows nothing of steps.
    assert readers - {"dispatch/needs/reading.py"} == {"dispatch/guards.py"}
