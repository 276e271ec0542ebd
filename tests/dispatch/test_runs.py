"""Runs: what is in them, in which order, and who changes them at once."""

from datetime import UTC, date, datetime, time, timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from dispatch.changing import move_job
from dispatch.errors import JobChangedMeanwhile, RunChangedMeanwhile, ValueRefused
from dispatch.models import Crew, Job, Run
from dispatch.once import do_once
from dispatch.runs import assign, bounds, in_order, on_day, reorder, run_of
from dispatch.statuses import Status
from tests.builders import make_crew, make_job

pytestmark = pytest.mark.django_db
S = Status
DAY = timezone.localdate() + timedelta(days=3)
TODAY = timezone.localdate()
BY = {"actor": "dana"}


def at(hour, day=DAY):
    return timezone.make_aware(datetime.combine(day, time(hour)))


def planned(hour, crew=None, day=DAY, **kwargs):
    times = {"window_start": at(hour, day), "window_end": at(hour, day) + timedelta(hours=2)}
    return make_job(**{"status": S.SCHEDULED, "crew": crew, **times, **kwargs})


def run(crew, day=DAY):
    return run_of(crew, day, today=TODAY)


def stored(job):
    return Job.objects.select_related("crew").get(pk=job.pk)


def stored_run(crew):
    return Run.objects.get(crew=crew, day=DAY)


def test_run_follows_the_windows():
    crew = make_crew()
    late, early = planned(14, crew), planned(8, crew)
    planned(8, crew, day=DAY + timedelta(days=1))
    planned(8, make_crew())
    assert run(crew) == [early, late]


def test_order_that_was_set_comes_first_and_others_follow_their_windows():
    jobs = [planned(hour) for hour in (8, 10, 12, 14)]
    first, second, third, fourth = (job.pk for job in jobs)
    assert [one.pk for one in in_order(jobs, [third, 999, first, first])] == [
        second, third, first, fourth,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("status", "shown"),
    [(S.COMPLETED, True), (S.CANCELLED, False), (S.REQUESTED, True), (S.IN_PROGRESS, True)],
)
def test_jobs_of_a_day(status, shown):
    planned(8, status=status)
    assert on_day(DAY, today=TODAY).exists() == shown


def test_today_has_all_that_is_under_way():
    job = planned(8, status=S.EN_ROUTE)
    assert list(on_day(TODAY, today=TODAY)) == [job]
    assert not on_day(DAY - timedelta(days=1), today=TODAY).exists()


@pytest.mark.parametrize(("month", "day", "hours"), [(3, 8, 23), (11, 1, 25), (7, 1, 24)])
def test_day_has_its_hours(month, day, hours):
    start, end = bounds(date(2026, month, day))
    assert end.astimezone(UTC) - start.astimezone(UTC) == timedelta(hours=hours)


def test_assign_places_the_job_in_the_run():
    crew = make_crew()
    first, last, new = planned(8, crew), planned(14, crew), planned(9)
    assign(job=new, crew=crew, day=DAY, before=first.pk, **BY)
    assert run(crew) == [new, first, last]
    assert stored_run(crew).revision == 1
    assert new.events.latest("pk").changes["crew"][1] == crew.name


def test_assign_takes_the_crew_away():
    job = planned(8, make_crew())
    assign(job=job, crew=None, day=DAY, **BY)
    assert stored(job).crew is None
    assert not Run.objects.exists()


def test_assign_of_a_job_of_another_day_leaves_the_run_alone():
    crew, job = make_crew(), make_job()
    assign(job=job, crew=crew, day=DAY, **BY)
    assert (stored(job).crew, run(crew)) == (crew, [])
    assert stored_run(crew).order == []


def test_crew_that_is_not_active_gets_no_new_jobs():
    crew = make_crew(active=False)
    job = planned(8, crew)
    assign(job=job, crew=crew, day=DAY, **BY)
    with pytest.raises(ValueRefused, match="not active"):
        assign(job=planned(9), crew=crew, day=DAY, **BY)


def test_same_assignment_twice_counts_once():
    job, crew, key = planned(8), make_crew(), uuid4()
    for _ in range(2):
        do_once(
            job=job,
            key=key,
            do=lambda: assign(job=stored(job), crew=crew, day=DAY, key=key, **BY),
        )
    assert (stored(job).revision, stored_run(crew).order) == (2, [job.pk])


def test_assign_of_a_job_that_changed_is_refused():
    job, crew = planned(8), make_crew()
    seen = stored(job)
    assign(job=job, crew=make_crew(), day=DAY, actor="olga")
    with pytest.raises(JobChangedMeanwhile, match="by olga"):
        assign(job=seen, crew=crew, day=DAY, **BY)
    assert not Run.objects.filter(crew=crew).exists()


def test_reorder_moves_before_another_or_last():
    crew = make_crew()
    first, second, third = (planned(hour, crew) for hour in (8, 10, 12))
    changed = reorder(job=third, day=DAY, before=first.pk, seen_revision=0, **BY)
    assert run(crew) == [third, first, second]
    reorder(job=first, day=DAY, seen_revision=changed.revision, **BY)
    assert run(crew) == [third, second, first]
    assert first.events.count() == 1


def test_reorder_that_is_sent_again_changes_nothing():
    crew = make_crew()
    first, second = planned(8, crew), planned(10, crew)
    for _ in range(2):
        reorder(job=second, day=DAY, before=first.pk, seen_revision=0, **BY)
    assert stored_run(crew).revision == 1
    reorder(job=second, day=DAY, before=second.pk, seen_revision=0, **BY)
    assert run(crew) == [second, first]


def test_reorder_of_an_order_that_changed_names_who():
    crew = make_crew()
    jobs = [planned(hour, crew) for hour in (8, 10, 12)]
    reorder(job=jobs[2], day=DAY, before=jobs[0].pk, seen_revision=0, actor="olga")
    with pytest.raises(RunChangedMeanwhile, match=f"{crew} was changed by olga"):
        reorder(job=jobs[0], day=DAY, seen_revision=0, **BY)
    assert run(crew) == [jobs[2], jobs[0], jobs[1]]


def test_reorder_before_a_job_that_left_puts_it_last():
    crew = make_crew()
    first, second = planned(8, crew), planned(10, crew)
    gone = planned(12, make_crew())
    reorder(job=first, day=DAY, before=gone.pk, seen_revision=0, **BY)
    assert run(crew) == [second, first]


def test_reorder_of_a_job_without_a_crew_is_refused():
    with pytest.raises(ValueRefused, match="no crew"):
        reorder(job=planned(8), day=DAY, seen_revision=0, **BY)


def test_reorder_of_a_job_that_another_crew_has_names_who():
    job = stored(planned(8, make_crew()))
    assign(job=stored(job), crew=make_crew(), day=DAY, actor="olga")
    with pytest.raises(JobChangedMeanwhile, match="by olga"):
        reorder(job=job, day=DAY, seen_revision=0, **BY)


def test_reorder_on_another_day_is_refused():
    job = planned(8, make_crew())
    with pytest.raises(ValueRefused, match="is not in the run"):
        reorder(job=job, day=DAY + timedelta(days=1), seen_revision=0, **BY)
    assert not Run.objects.exists()


def test_job_that_leaves_a_run_leaves_no_gap():
    crew = make_crew()
    jobs = [planned(hour, crew) for hour in (8, 10, 12)]
    reorder(job=jobs[2], day=DAY, before=jobs[0].pk, seen_revision=0, **BY)
    move_job(job=jobs[0], to=S.CANCELLED, side="firm", reason="snow", **BY)
    assert run(crew) == [jobs[2], jobs[1]]


# At once


@pytest.mark.django_db(transaction=True)
def test_of_two_who_assign_one_job_one_wins(together):
    job, crews = planned(8), [make_crew(), make_crew()]
    actors = ["dana", "olga"]
    read = [stored(job), stored(job)]

    def drag():
        crew, actor, seen = crews.pop(), actors.pop(), read.pop()
        assign(job=seen, crew=crew, day=DAY, actor=actor)
        return actor

    results = together(drag, times=2)
    refused = next(one for one in results if isinstance(one, JobChangedMeanwhile))
    winner = next(one for one in results if isinstance(one, str))
    assert f"by {winner}" in str(refused)
    assert [len(run(crew)) for crew in Crew.objects.all()].count(1) == 1


@pytest.mark.django_db(transaction=True)
def test_of_those_who_order_one_run_one_wins(together):
    crew = make_crew()
    jobs = [planned(hour, crew) for hour in range(8, 14)]
    last, waiting = jobs[-1], jobs[:-2]

    def drag():
        before = waiting.pop()
        reorder(job=stored(last), day=DAY, before=before.pk, seen_revision=0, actor="dana")
        return before

    results = together(drag, times=len(waiting))
    [winner] = [one for one in results if isinstance(one, Job)]
    others = [str(one) for one in results if isinstance(one, RunChangedMeanwhile)]
    assert (len(others), all("by dana" in text for text in others)) == (3, True)
    rest = jobs[:-1]
    place = rest.index(winner)
    assert run(crew) == [*rest[:place], last, *rest[place:]]


@pytest.mark.django_db(transaction=True)
def test_jobs_assigned_at_once_are_all_in_the_run(together):
    crew = make_crew()
    jobs = [planned(hour) for hour in range(8, 14)]
    waiting = list(jobs)
    results = together(
        lambda: assign(job=stored(waiting.pop()), crew=crew, day=DAY, before=None, actor="dana")
    )
    assert set(results) == set(jobs)
    found = stored_run(crew)
    assert sorted(found.order) == sorted(job.pk for job in jobs)
    assert (found.revision, set(run(crew))) == (6, set(jobs))


@pytest.mark.django_db(transaction=True)
def test_one_tap_sent_often_at_once_counts_once(together):
    job, crew, key = planned(8), make_crew(), uuid4()

    def tap():
        return do_once(
            job=job, key=key, do=lambda: assign(job=stored(job), crew=crew, day=DAY, key=key, **BY)
        )

    results = together(tap, times=24)
    assert {getattr(one, "key", one) for one in results} == {key}
    assert stored(job).revision == 2
