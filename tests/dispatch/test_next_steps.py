"""Which steps a job's page offers, several in one tap, and one step back."""

import pytest
import time_machine
from django.contrib.auth.models import Permission
from django.utils import timezone

from dispatch.changing import change_details, move_job
from dispatch.models import Job
from dispatch.next_steps import next_steps
from dispatch.statuses import Status
from dispatch.stepping import STEP_BACK_FOR
from tests.builders import make_crew, make_job, make_planned_job
from tests.dispatch.job_page import errors_of, page_of, posted, press, texts

pytestmark = pytest.mark.django_db
S = Status


def steps(job):
    return next_steps(Job.objects.get(pk=job.pk), timezone.now())


def test_ready_job_is_offered_the_way_in_one_tap():
    found = steps(make_planned_job(status=S.SCHEDULED))
    assert found.highlighted == S.EN_ROUTE
    assert found.forward == (S.READY_FOR_PICKUP,)


@pytest.mark.parametrize(
    "lacks", [{"crew": None}, {"window_start": None, "window_end": None}, {"on_hold": True}]
)
def test_job_that_lacks_something_is_highlighted_its_next_step(lacks):
    if "on_hold" in lacks:
        lacks = {**lacks, "hold_reason": "unpaid"}
    found = steps(make_planned_job(status=S.SCHEDULED, **lacks))
    assert found.highlighted == S.READY_FOR_PICKUP
    assert found.forward == (S.EN_ROUTE,)


def test_dumpster_that_is_to_be_placed_is_not_offered_the_way_back():
    found = steps(make_planned_job(status=S.SCHEDULED, service="dumpster"))
    assert found.highlighted == S.ON_SITE
    assert S.EN_ROUTE not in found.forward


def test_dumpster_on_site_is_offered_the_pickup_in_one_tap():
    found = steps(make_planned_job(status=S.ON_SITE, service="dumpster"))
    assert found.highlighted == S.EN_ROUTE


@pytest.mark.parametrize("status", [S.REQUESTED, S.COMPLETED, S.CANCELLED, S.IN_PROGRESS])
def test_other_jobs_have_no_shortcut(status):
    found = steps(make_planned_job(status=status))
    assert S.EN_ROUTE not in (found.highlighted, *found.forward)


def test_job_under_way_can_be_rescheduled():
    assert steps(make_planned_job(status=S.EN_ROUTE)).back == (S.SCHEDULED,)


def test_one_tap_takes_both_steps(desk):
    job = make_planned_job(status=S.SCHEDULED)
    response = press(desk, job, "en_route")
    assert texts(response) == [f"Moved to “Crew on the way”: {job.label}."]
    assert [event.status for event in job.events.order_by("pk")][1:] == [
        S.READY_FOR_PICKUP,
        S.EN_ROUTE,
    ]


def test_what_is_typed_counts_for_both_steps(desk):
    job, crew = make_planned_job(status=S.SCHEDULED, crew=None), make_crew()
    press(desk, job, "en_route", crew=crew.pk)
    job.refresh_from_db()
    assert (job.status, job.crew) == (S.EN_ROUTE, crew)


def test_refused_second_step_takes_the_first_and_the_edit_back(desk):
    job = make_planned_job(status=S.SCHEDULED, crew=None)
    response = press(desk, job, "en_route", details="a piano")
    assert errors_of(response)["crew"][0].code == "no-crew"
    assert "a piano" in response.content.decode()
    job.refresh_from_db()
    assert (job.status, job.revision, job.details) == (S.SCHEDULED, 1, "")


def test_forced_way_records_what_was_missing(desk):
    job = make_job(status=S.SCHEDULED)
    data = posted(job, force_to="en_route", move_reason="The owner said so")
    desk.post(page_of(job), data)
    job.refresh_from_db()
    assert job.status == S.EN_ROUTE
    assert "no crew" in job.events.latest("pk").changes["overridden"][1]


def moved_job():
    job = make_planned_job(status=S.READY_FOR_PICKUP)
    return move_job(job=job, to=S.EN_ROUTE, actor="anna")


def back(desk, job, reason="Pressed too early", **typed):
    return desk.post(page_of(job), posted(job, step_back="on", back_reason=reason, **typed))


def test_step_is_taken_back_with_a_reason(desk):
    job = moved_job()
    html = desk.get(page_of(job)).content.decode()
    assert "Step back to Ready for pickup" in html
    response = back(desk, job)
    assert texts(response) == [f"{job.label} is back at “Ready for pickup”."]
    job.refresh_from_db()
    assert job.status == S.READY_FOR_PICKUP
    assert job.events.latest("pk").reason == "Pressed too early"
    assert "step taken back" in desk.get(page_of(job)).content.decode()


def test_step_back_saves_what_was_typed(desk):
    job = moved_job()
    back(desk, job, details="a piano")
    assert Job.objects.values_list("status", "details").get() == (S.READY_FOR_PICKUP, "a piano")


def test_step_back_without_a_reason_is_refused_and_keeps_the_input(desk):
    job = moved_job()
    response = back(desk, job, reason=" ", details="a piano")
    assert set(errors_of(response)) == {"back_reason"}
    assert "a piano" in response.content.decode()
    assert Job.objects.get(pk=job.pk).status == S.EN_ROUTE


def test_step_back_is_offered_and_possible_for_a_while(desk):
    job = moved_job()
    with time_machine.travel(timezone.now() + STEP_BACK_FOR):
        assert "Step back" not in desk.get(page_of(job)).content.decode()
        assert errors_of(back(desk, job))["__all__"][0].code == "not-undone"
    assert Job.objects.get(pk=job.pk).status == S.EN_ROUTE


def test_step_back_of_a_page_whose_job_has_moved_on_is_refused(desk):
    job = moved_job()
    old = posted(job, step_back="on", back_reason="Oops")
    move_job(job=job, to=S.IN_PROGRESS, actor="anna")
    assert errors_of(desk.post(page_of(job), old))["__all__"][0].code == "job-changed"
    assert Job.objects.get(pk=job.pk).status == S.IN_PROGRESS


@pytest.mark.parametrize(
    ("query", "to"),
    [
        ("", "/admin/dispatch/job/"),
        ("?next=/dashboard/%3Fday%3D2026-11-21", "/dashboard/?day=2026-11-21"),
        ("?_changelist_filters=needs%3Dcrew%26p%3D2", "/admin/dispatch/job/?needs=crew&p=2"),
        ("?next=https://evil.example/", "/admin/dispatch/job/"),
        ("?next=//evil.example/", "/admin/dispatch/job/"),
        ("?next=javascript:alert(1)", "/admin/dispatch/job/"),
    ],
)
def test_save_returns_to_where_one_came_from(desk, query, to):
    job = make_job()
    page = desk.get(page_of(job) + query).content.decode()
    assert f'href="{to.replace("&", "&amp;")}"' in page
    assert desk.post(page_of(job) + query, posted(job, details="a piano")).url == to


def test_move_stays_on_the_page_and_remembers_where_one_came_from(desk):
    job = make_planned_job()
    address = page_of(job) + "?next=/dashboard/"
    assert desk.post(address, posted(job, move_to="scheduled")).url == address


def test_page_starts_with_who_and_where(desk):
    job = make_planned_job(status=S.SCHEDULED, former_id="A-77")
    html = desk.get(page_of(job)).content.decode()
    phone = job.customer.e164
    for part in (
        f'href="tel:{phone[:2]}-{phone[2:5]}-{phone[5:8]}-{phone[8:]}"',
        f'href="sms:{phone}"',
        f'href="/admin/dispatch/customer/{job.customer_id}/change/"',
        "query=1423+Soderblom+Avenue%2C+Fairbanks%2C+99709",
        "Formerly A-77",
        '<span class="job-price">$600 all-in</span>',
    ):
        assert html.index(part) < html.index('id="id_details"'), part


def test_viewer_sees_the_panel_and_the_plan_but_no_buttons(client, django_user_model):
    viewer = django_user_model.objects.create_user("v", is_staff=True)
    viewer.user_permissions.add(Permission.objects.get(codename="view_job"))
    client.force_login(viewer)
    job = make_planned_job(status=S.SCHEDULED)
    html = client.get(page_of(job)).content.decode()
    assert f"Call {job.customer.phone}" in html
    assert 'name="move_to"' not in html
    assert 'name="crew"' not in html
    assert html.count(job.crew.name) > 1  # above, and in the plan


def test_others_names_are_shown_after_a_merge_of_a_move(desk):
    job = make_planned_job(status=S.SCHEDULED)
    old = posted(job, crew=make_crew().pk)
    move_job(job=Job.objects.get(pk=job.pk), to=S.READY_FOR_PICKUP, actor="olga")
    change_details(job=Job.objects.get(pk=job.pk), changes={"unit": "4"}, actor="dana")
    response = desk.post(page_of(job), old)
    assert "Also changed by olga: status; dana: unit." in texts(response)


def test_bulk_refusals_are_one_message_with_a_list(desk):
    jobs = [make_job() for _ in range(30)] + [make_planned_job()]
    data = {"action": "move_to_scheduled", "_selected_action": [job.pk for job in jobs]}
    refused, moved = sorted(texts(desk.post("/admin/dispatch/job/", data)))
    assert "30 of 31 jobs were not moved." in refused
    assert refused.count("<li>") == 30
    assert jobs[3].label in refused
    assert jobs[-1].label in moved


def test_one_bulk_refusal_is_a_plain_message(desk):
    job = make_job()
    data = {"action": "move_to_scheduled", "_selected_action": [job.pk]}
    (refused,) = texts(desk.post("/admin/dispatch/job/", data))
    assert refused.startswith(f"{job.label} has no arrival window.")


def test_bulk_refusals_are_escaped(desk):
    jobs = [make_planned_job(on_hold=True, hold_reason="<b>unpaid</b>") for _ in range(2)]
    data = {"action": "move_to_scheduled", "_selected_action": [job.pk for job in jobs]}
    (refused,) = texts(desk.post("/admin/dispatch/job/", data))
    assert "&lt;b&gt;unpaid" in refused
