"""Two weeks at a small firm, short enough to count by hand. Times are Denver's.

Week of November 9:
  A  Birch, junk        asked Mon 8:00, answered 10:00; window Tue 9-11, begun 9:30, done 10:30;
                        $600, then $650
  B  Birch, junk        asked Mon 8:00, answered 8:30; window Tue 13-15, begun 15:20, done 16:00;
                        $340
Week of November 16:
  C  Tamarack, cleanout asked Mon 8:00, answered 9:00; window Tue 9-11, arrived 10:50, begun 11:10,
                        done 14:00; $600 to $1,800, then $1,500
  D  Birch, junk        asked Mon 8:00, answered 11:00; Tue 9-11 a failed visit at 9:40, begun 9:20;
                        window Wed 13-15, begun 13:10, done 14:00; $120
  E  no crew, junk      asked Mon 9:00, cancelled by the customer Wed 10:00, before an answer
  F  Tamarack, junk     asked Mon 9:00, answered 12:00, cancelled by the firm Wed 12:00
  G  no crew, junk      asked Tue 9:00, waits

Windows: Tue November 10 has 16 units, 8 taken; Tue November 17 has 16, 12 taken, and Wed 8, none.
"""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import time_machine

from dispatch.changing import change_details, move_job, set_price
from dispatch.models import Crew, Job
from dispatch.prices import parse_price
from dispatch.statuses import Status
from dispatch.visits import Failure, fail_visit, report_arrival
from tests.builders import make_crew, make_job, make_window

DENVER = ZoneInfo("America/Denver")


def moment(day, hour, minute=0, month=11):
    return datetime(2026, month, day, hour, minute, tzinfo=DENVER)


def at(day, hour, minute=0):
    """Travel to a time of November."""
    return time_machine.travel(moment(day, hour, minute), tick=False)


def ask(day, hour, *, service="junk", price=""):
    with at(day, hour):
        job = make_job(service=service)
        if price:
            set_price(job=job, price=parse_price(price), actor="dana")
        return Job.objects.get(pk=job.pk)


def plan(job, crew, day, hour, *, answered):
    """Give the job a crew and a window of two hours."""
    start = moment(day, hour)
    with at(*answered):
        window = {"window_start": start, "window_end": start + timedelta(hours=2)}
        change_details(job=job, changes={"crew": crew, **window}, actor="dana")
        if job.status == Status.REQUESTED:
            move_job(job=job, to=Status.SCHEDULED, actor="dana")


def start(job, day, hour, minute, *, arrived=None):
    with at(day, hour, minute) if arrived is None else at(*arrived):
        if job.status == Status.SCHEDULED:
            move_job(job=job, to=Status.READY_FOR_PICKUP, actor="crew")
        move_job(job=job, to=Status.EN_ROUTE, actor="crew")
        if arrived is not None:
            report_arrival(job=job, actor="crew")
    with at(day, hour, minute):
        move_job(job=job, to=Status.IN_PROGRESS, actor="crew")


def finish(job, day, hour, minute=0, *, price=""):
    with at(day, hour, minute):
        if price:
            set_price(job=job, price=parse_price(price), actor="crew", reason="More than said")
        move_job(job=job, to=Status.COMPLETED, actor="crew")


def cancel(job, day, hour, side, reason):
    with at(day, hour):
        move_job(job=job, to=Status.CANCELLED, actor="dana", side=side, reason=reason)


def make_two_weeks():
    """Make the example. Returns the jobs by letter."""
    birch, tamarack = make_crew(name="Birch"), make_crew(name="Tamarack")
    jobs = {**_first_week(birch), **_second_week(birch, tamarack)}
    make_window(moment(10, 9), units=16, taken=8)
    make_window(moment(17, 9), units=16, taken=12)
    make_window(moment(18, 9), units=8)
    return jobs


def _first_week(birch: Crew):
    a = ask(9, 8, price="600 all-in")
    plan(a, birch, 10, 9, answered=(9, 10))
    start(a, 10, 9, 30)
    finish(a, 10, 10, 30, price="650 all-in")
    b = ask(9, 8, price="340 all-in")
    plan(b, birch, 10, 13, answered=(9, 8, 30))
    start(b, 10, 15, 20)
    finish(b, 10, 16)
    return {"A": a, "B": b}


def _second_week(birch: Crew, tamarack: Crew):
    c = ask(16, 8, service="cleanout", price="600 to 1800")
    plan(c, tamarack, 17, 9, answered=(16, 9))
    start(c, 17, 11, 10, arrived=(17, 10, 50))
    finish(c, 17, 14, price="1500 all-in")
    d = ask(16, 8, price="120 all-in")
    plan(d, birch, 17, 9, answered=(16, 11))
    start(d, 17, 9, 20)
    with at(17, 9, 40):
        fail_visit(job=d, why=Failure.NO_ACCESS, actor="crew")
    plan(d, birch, 18, 13, answered=(17, 12))
    start(d, 18, 13, 10)
    finish(d, 18, 14)
    e, f = ask(16, 9), ask(16, 9, price="200 all-in")
    cancel(e, 18, 10, "customer", "Moving away")
    plan(f, tamarack, 19, 9, answered=(16, 12))
    cancel(f, 18, 12, "firm", "No truck")
    return {"C": c, "D": d, "E": e, "F": f, "G": ask(17, 9)}
