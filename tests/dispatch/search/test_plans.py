"""Sets of jobs are read by an index, whatever the archive holds."""

import re
from datetime import date

import pytest
from django.core.exceptions import EmptyResultSet
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from dispatch.admin.filters import BookedFilter, WindowFilter, WorkFilter
from dispatch.ending import wipe_access_notes
from dispatch.models import Customer, Job
from dispatch.needs.listing import jobs_of
from dispatch.needs.table import job_rules
from dispatch.price_questions import pickup_asked, price_not_agreed
from dispatch.runs import on_day
from dispatch.search.fields import full_text_sql
from dispatch.search.query import parse_query
from dispatch.statuses import Status
from tests.builders import make_crew, make_job

pytestmark = pytest.mark.django_db


def explained(sql, params=()):
    """Return the plan of a query as text, with the tables as large as PostgreSQL may think."""
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            # A handful of rows are read faster by a scan; this asks what else could read them.
            cursor.execute("SET LOCAL enable_seqscan = off")
        prefix = "EXPLAIN QUERY PLAN" if connection.vendor == "sqlite" else "EXPLAIN"
        cursor.execute(f"{prefix} {sql}", params)
        return "\n".join(" ".join(map(str, row)) for row in cursor.fetchall())


def plan_of(rows):
    try:
        return explained(*rows.order_by().query.sql_with_params())
    except EmptyResultSet:  # due_back has found none, by the plan of out
        return ""


# In a query within a query, Django names the table U0.
SCAN = re.compile(r"SCAN (dispatch_job|[UVW]0)$|Seq Scan on dispatch_job\b")
# Only open jobs have most statuses, so each of them reads only these.
OPEN_ONES = "open_job_by_window|open_job_by_crew|job_by_status|job_without_crew"


def scans(plan):
    """Return the lines of a plan that read all jobs."""
    return [line for line in plan.splitlines() if SCAN.search(line)]


SETS = {
    "open": (lambda now: Job.objects.open(), OPEN_ONES),
    "late": (Job.objects.late, OPEN_ONES),
    "unassigned": (lambda now: Job.objects.unassigned(), OPEN_ONES),
    "without a price": (lambda now: Job.objects.without_price(), OPEN_ONES),
    # With a handful of rows, PostgreSQL may begin with the services of dumpsters.
    "out": (lambda now: Job.objects.out(), f"{OPEN_ONES}|job_by_service"),
    "due back": (Job.objects.due_back, ""),
    "windows": (lambda now: Job.objects.with_window_in(now, now), "job_by_window"),
    "run": (lambda now: on_day(date(2026, 11, 20), today=date(2026, 11, 20)), OPEN_ONES),
    "run of another day": (
        lambda now: on_day(date(2026, 11, 20), today=date(2026, 11, 21)),
        "job_by_window",
    ),
    "price not agreed": (lambda now: price_not_agreed(Job.objects.all()), OPEN_ONES),
    "pickup asked": (lambda now: pickup_asked(Job.objects.all()), OPEN_ONES),
    "without a crew": (lambda now: Job.objects.filter(crew=None), "job_without_crew"),
    "held": (lambda now: Job.objects.filter(on_hold=True), "held_job"),
    **{
        f"{filter_.parameter_name} {code}": (
            lambda now, choose=choose: Job.objects.filter(
                pk__in=choose(Job.objects.all(), now).values("pk")
            ),
            "",
        )
        for filter_ in (WindowFilter, WorkFilter, BookedFilter)
        for code, (_, choose) in filter_.choices_by_code.items()
    },
    **{
        f"needs {rule.code}": (lambda now, rule=rule: jobs_of(rule.code, now), "")
        for rule in job_rules()
    },
}


@pytest.mark.parametrize("name", SETS)
def test_set_is_read_by_an_index(name):
    make_job(), make_job(status=Status.COMPLETED)
    choose, index = SETS[name]
    plan = plan_of(choose(timezone.now()))
    assert re.search(index, plan), plan
    assert scans(plan) == [], plan


def test_scan_is_noticed():
    """Otherwise the tests above would prove nothing."""
    assert scans(plan_of(Job.objects.filter(details="a sofa")))


@pytest.mark.parametrize(
    ("conditions", "index"),
    [
        ({"status": Status.COMPLETED}, "job_by_status"),
        ({"crew_id": 1}, "job_by_crew"),
        ({"service_id": 1}, "job_by_service"),
    ],
)
def test_newest_of_a_filtered_list_need_no_sorting(conditions, index):
    """Both databases sort a few rows rather than walk, so many are made to seem there."""
    crew = make_crew()
    for _ in range(20):
        make_job(crew=crew)
    rows = Job.objects.filter(**conditions).order_by("-number")[:5]
    with connection.cursor() as cursor:
        if connection.vendor == "postgresql":
            cursor.execute("SET LOCAL enable_sort = off")
    plan = explained(*rows.query.sql_with_params())
    assert index in plan or "dispatch_job_number_key" in plan, plan
    assert "SORT" not in plan.upper().replace("ENABLE_SORT", ""), plan


@pytest.mark.parametrize("model", [Job, Customer])
def test_search_is_by_trigrams(model):
    make_job()
    query = parse_query("soderblom 907")
    plan = plan_of(model._base_manager.filter(search_text__matches=query))
    table = model._meta.db_table
    if connection.vendor == "sqlite":
        assert "VIRTUAL TABLE INDEX" in plan, plan
    else:
        assert f"Bitmap Index Scan on {table}_search" in plan, plan


def test_newest_keys_are_not_sorted():
    if connection.vendor != "sqlite":
        pytest.skip("about SQLite's index")
    plan = explained(f"{full_text_sql('dispatch_job')} ORDER BY rowid DESC LIMIT 5", ['"dana"'])
    assert "TEMP B-TREE" not in plan


def test_wiping_notes_reads_only_those_that_have_some():
    with CaptureQueriesContext(connection) as queries:
        wipe_access_notes(timezone.now())
    (query,) = [one["sql"] for one in queries if "UPDATE" in one["sql"]]
    assert "job_with_notes" in explained(query)
