"""Times the office's pages with 1,000 jobs and with 1,000,000, and counts their queries.

Run it as `.venv/bin/python -m bench.office`, with `--database postgres://...` for another place
than SQLite; it empties that PostgreSQL database. `--most`, `--rounds` and `--only` do more or less.
Both archives have the same open jobs and the same number of jobs a day; the larger one goes further
back. Asked for over Django's test client: the job list, each choice of each filter, each saved
view, searches by phone, number, name and a misspelt street, the board and its 304, and the
customer of a phone. Exits with 1 if one of them takes more than 15 queries, or its median more than
twice as long (304: 1.2 times).
"""

import argparse
import os
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import timedelta
from itertools import islice
from pathlib import Path
from random import Random
from statistics import median
from typing import NamedTuple

from bench.bookings import prepare


def _words(text: str) -> list[str]:
    return text.split()


LEAST = 1_000
MOST_QUERIES = 15
AIM, AIM_UNCHANGED = 2.0, 1.2
OPEN, PER_DAY, JOBS_OF_CUSTOMER = 150, 60, 3
# Jobs that are made one by one: a number of whole days, and three for each customer.
BLOCK = 18_000
# Seven digits, as mixed as those of real phones, in Python and in SQL.
PHONE = "2000000 + ({}) * 1234577 % 7999993"
AT_ONCE = 5_000
NOT_MODIFIED = 304
JOBS, CUSTOMERS = "/admin/dispatch/job/", "/admin/dispatch/customer/"
BOARD = "/api/board"
FIRST = _words("Mark Anna Dana Luis Paul Nora Omar Ruth Eric Jean Zoe Ivan Kate Hugo Lena Finn")
LAST = [
    begin + end
    for begin in _words("Ander Carl Berg Lind Sunde Hall Nor West Ost Fair Gren Holm")
    for end in _words("son berg strom lund quist dahl man wood ley field")
]
STREETS = _words("Soderblom Chena Tamarack Birch Spruce Alder Goldstream Farmers Ballaine Miller")
KINDS = _words("Avenue Road Street Lane Drive Court Loop Trail")
TOWNS = {"Fairbanks": "99709", "North Pole": "99705", "Ester": "99725", "Fox": "99712"}
COMMON, MISSPELT = "Mark", "soderblum"
# A saved view of several filters, with more than a page of jobs in both archives.
OF_SEVERAL = ("Done by crew 1", "status__exact=completed&crew__id__exact=1&on_hold__exact=0")


class Cost(NamedTuple):
    """What one request costs: queries, and milliseconds (the median)."""

    queries: int
    ms: float


Costs = dict[str, Cost]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", default="")
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument(
        "--only", nargs="*", default=[""], help="only requests with one of these in their names"
    )
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        prepare(stack, folder, options.database)
        few, many = (measure(size, options) for size in (LEAST, options.most))
    name = options.database.partition(":")[0] or "sqlite"
    return report(name, options.most, few, many)


def report(name: str, most: int, few: Costs, many: Costs) -> int:
    """Print a line for each request; return 1 if one costs too much."""
    print(f"{name}, {LEAST:,} and {most:,} jobs, load {os.getloadavg()[0]:.1f}")
    failed = []
    for what, cost in many.items():
        ratio = cost.ms / few[what].ms
        aim = AIM_UNCHANGED if "304" in what else AIM
        bad = cost.queries > MOST_QUERIES or ratio > aim
        failed += [what] * bad
        print(
            f"{what:36} {cost.queries:3} queries {few[what].ms:8.1f} ms {cost.ms:8.1f} ms, "
            f"ratio {ratio:.2f} (aim {aim}){'  <<<' if bad else ''}"
        )
    print(f"too much: {', '.join(failed) or 'none'}")
    return bool(failed)


def measure(size: int, options) -> Costs:
    """Fill the database with so many jobs, and measure each request."""
    began = time.monotonic()
    fill(size)
    print(f"{size:,} jobs loaded in {time.monotonic() - began:.0f} s", flush=True)
    asked = {what: ask for what, ask in requests(size) if _is_meant(what, options.only)}
    # By turns, so that other load falls on all of them.
    for ask in asked.values():
        ask()
    queries = {what: count(ask) for what, ask in asked.items()}
    times: dict[str, list[float]] = {what: [] for what in asked}
    for _ in range(options.rounds):
        for what, ask in asked.items():
            started = time.perf_counter()
            ask()
            times[what].append(time.perf_counter() - started)
    return {what: Cost(queries[what], median(times[what]) * 1_000) for what in asked}


def _is_meant(what: str, only: list[str]) -> bool:
    return any(part in what for part in only)


def count(ask: Callable[[], object]) -> int:
    from django.db import connection  # noqa: PLC0415
    from django.test.utils import CaptureQueriesContext  # noqa: PLC0415

    with CaptureQueriesContext(connection) as queries:
        ask()
    return len(queries)


# What is asked


def requests(size: int) -> Iterator[tuple[str, Callable[[], object]]]:
    """Iterate over the requests by name, each as a function."""
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.test import Client  # noqa: PLC0415

    from dispatch.saved_views import BUILT_IN  # noqa: PLC0415
    from dispatch.search.finding import search_customers  # noqa: PLC0415

    client = Client(headers={"host": "localhost"})
    user = User.objects.get(username="bench")
    client.force_login(user)

    def get(path: str, status: int = 200, **headers: str) -> Callable[[], object]:
        def ask() -> object:
            answer = client.get(path, headers=headers)
            assert answer.status_code == status, (path, answer.status_code)
            return answer

        return ask

    phone = phone_of(size // (2 * JOBS_OF_CUSTOMER))
    yield "job list", get(JOBS)
    yield "search by number", get(f"{JOBS}?q=QDN-{size // 2}")
    yield "search by phone", get(f"{JOBS}?q=({phone[2:5]})+{phone[5:8]}-{phone[8:]}")
    yield "search by name", get(f"{JOBS}?q={COMMON}")
    yield "search by misspelt street", get(f"{JOBS}?q={MISSPELT}")
    yield "search among the completed", get(f"{JOBS}?q={COMMON}&status__exact=completed")
    yield "customers by phone", get(f"{CUSTOMERS}?q={phone[5:]}")
    yield "customer of a phone", lambda: [*search_customers(phone).rows]
    for name, query in choices(user):
        yield name, get(JOBS + query)
    for name, query in (*BUILT_IN, OF_SEVERAL):
        yield f"view {name}", get(f"{JOBS}?{query}")
    yield "board", get(BOARD)
    seen = {"if-none-match": ""}

    def poll() -> None:
        # With each minute the board counts as changed once.
        if (answer := client.get(BOARD, headers=seen)).status_code != NOT_MODIFIED:
            seen["if-none-match"] = answer.headers["ETag"]
            get(BOARD, NOT_MODIFIED, **seen)()

    yield "board, 304", poll


def choices(user) -> Iterator[tuple[str, str]]:
    """Iterate over the choices of the job list's filters, by name, each with its query."""
    from django.contrib import admin  # noqa: PLC0415
    from django.test import RequestFactory  # noqa: PLC0415

    from dispatch.models import Job  # noqa: PLC0415

    admin.autodiscover()
    request = RequestFactory().get(JOBS)
    request.user = user
    page = admin.site._registry[Job].get_changelist_instance(request)
    for spec in page.filter_specs:
        for choice in list(spec.choices(page))[1:]:
            yield f"{spec.title}: {choice['display']}", str(choice["query_string"])


# What the archive holds


def fill(size: int) -> None:
    """Empty the database and load so many jobs, with all that belongs to them.

    The newest are made one by one. Those before are copies, with numbers and phones of their own.
    """
    from django.contrib.auth.models import User  # noqa: PLC0415
    from django.core.management import call_command  # noqa: PLC0415
    from django.db import connection, transaction  # noqa: PLC0415

    from dispatch.models import Customer, Job  # noqa: PLC0415
    from dispatch.search.index import drop_indexes, make_indexes  # noqa: PLC0415
    from dispatch.search.words import learn_words  # noqa: PLC0415

    drop_indexes(connection)  # deleting and loading all rows is slower with them
    call_command("flush", interactive=False, verbosity=0)
    User.objects.create_superuser("bench")
    with transaction.atomic():
        drop_indexes(connection)  # flush has them made again
        customers = [*newest_customers(size)]
        load(Customer, customers)
        load(Job, newest_jobs(size, customers))
        copy_older(size)
    with transaction.atomic():
        make_indexes(connection)
    learn_words([*FIRST, *LAST, *STREETS, *KINDS, *TOWNS])
    with connection.cursor() as cursor:
        # PostgreSQL does this by itself, SQLite never: it has to do without.
        if connection.vendor == "postgresql":
            cursor.execute("VACUUM ANALYZE")


def copy_older(size: int) -> None:
    """Copy the newest jobs and their customers back in time, and add events and prices of all."""
    from dispatch.models import Customer, Job, JobEvent, Price  # noqa: PLC0415

    before = f"{{}} - k.n * {BLOCK // JOBS_OF_CUSTOMER}"
    customer = {
        "id": before.format("id"),
        "phone": f"'+' || {phone_sql(before.format('id'))}",
        "search_text": f"replace(search_text, {phone_sql('id')}, {phone_sql(before.format('id'))})",
    }
    copy(Customer, customer, f"id - k.n * {BLOCK // JOBS_OF_CUSTOMER} > 0", size)
    number = f"number - k.n * {BLOCK}"
    start = "' qdn' || {0} || ' ' || {0}"
    whose = before.format("customer_id")
    rest = f"substr(search_text, length({start.format('number')}) + 1)"
    job = {
        "id": number,
        "number": number,
        "customer_id": whose,
        "status": "CASE WHEN status = 'cancelled' THEN status ELSE 'completed' END",
        "search_text": f"{start.format(f'({number})')} || "
        f"replace({rest}, {phone_sql('customer_id')}, {phone_sql(whose)})",
        **{name: earlier(name) for name in ("created_at", "window_start", "window_end")},
    }
    copy(Job, job, f"{number} > 0 AND {whose} > 0", size)
    same = {"id": "id", "job_id": "id", "at": "created_at", "actor": "'bench'", "reason": "''"}
    event = {"kind": "'created'", "status": "status", "changes": "'{}'", "revision": "1"}
    insert(JobEvent, {**same, **event}, "dispatch_job")
    price = {"kind": "'all_in'", "cents": "60000"}
    insert(Price, {**same, **price}, "dispatch_job WHERE status <> 'requested'")


def phone_sql(customer: str) -> str:
    """Return SQL for the digits of a customer's phone."""
    return f"'1907' || CAST(({PHONE.format(customer)}) AS text)"


def earlier(column: str) -> str:
    """Return SQL for the time of a copy."""
    from django.db import connection  # noqa: PLC0415

    days = BLOCK // PER_DAY
    if connection.vendor == "sqlite":
        return f"datetime({column}, '-' || (k.n * {days}) || ' days')"
    return f"{column} - k.n * interval '{days} days'"


def copy(model, own: dict[str, str], condition: str, size: int) -> None:
    """Copy all rows of a table as often as the size takes, with values of their own."""
    values = {
        field.column: f'"{field.column}"'
        for field in model._meta.concrete_fields
        if not field.generated
    }
    serial = (
        f"(WITH RECURSIVE k(n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM k WHERE n < "
        f"{size // BLOCK + 1}) SELECT n FROM k) k"
    )
    insert(model, values | own, f"{model._meta.db_table}, {serial} WHERE {condition}")


def insert(model, values: dict[str, str], source: str) -> None:
    from django.core.management.color import no_style  # noqa: PLC0415
    from django.db import connection  # noqa: PLC0415

    names = ", ".join(f'"{name}"' for name in values)
    sql = f"INSERT INTO {model._meta.db_table} ({names}) SELECT {', '.join(values.values())}"
    with connection.cursor() as cursor:
        cursor.execute(f"{sql} FROM {source}")
        for statement in connection.ops.sequence_reset_sql(no_style(), [model]):
            cursor.execute(statement)


def load(model, rows) -> None:
    """Insert model instances with the texts that they have, some at a time."""
    from django.db import connection  # noqa: PLC0415

    fields = [field for field in model._meta.concrete_fields if not field.generated]
    names = ", ".join(f'"{field.column}"' for field in fields)
    places = ", ".join(["%s"] * len(fields))
    rows = iter(rows)
    with connection.cursor() as cursor:
        while batch := list(islice(rows, AT_ONCE)):
            cursor.executemany(
                f"INSERT INTO {model._meta.db_table} ({names}) VALUES ({places})",
                [
                    [
                        field.get_db_prep_save(getattr(row, field.attname), connection)
                        for field in fields
                    ]
                    for row in batch
                ],
            )


def phone_of(customer: int) -> str:
    return f"+1907{eval(PHONE.format(customer))}"


def newest_customers(size: int) -> Iterator:
    from django.utils import timezone  # noqa: PLC0415

    from dispatch.models import Customer  # noqa: PLC0415
    from dispatch.search.text import joined  # noqa: PLC0415

    drawn, now = Random(1), timezone.now()
    last = size // JOBS_OF_CUSTOMER + 1
    for pk in range(max(last - BLOCK // JOBS_OF_CUSTOMER, 0) + 1, last + 1):
        name = f"{drawn.choice(FIRST)} {drawn.choice(LAST)}"
        phone, email = phone_of(pk), f"{name.split()[1].lower()}{pk}@example.com"
        text = joined([name, phone, email])
        yield Customer(pk=pk, name=name, phone=phone, email=email, created_at=now, search_text=text)


def newest_jobs(size: int, customers: list) -> Iterator:
    """Iterate over jobs: the newest are open, with windows around today, and the others ended."""
    from django.utils import timezone  # noqa: PLC0415

    from dispatch.models import Crew, Job, ServiceType  # noqa: PLC0415
    from dispatch.search.text import text_of_job  # noqa: PLC0415

    ended, opened, now = (
        Random(2),
        Random(3),
        timezone.now().replace(minute=0, second=0, microsecond=0),
    )
    crews = [Crew.objects.create(name=f"Crew {number}") for number in range(8)]
    services = [*ServiceType.objects.order_by("pk")]
    open_statuses = ["requested", "scheduled", "ready_for_pickup", "en_route", "in_progress"]
    for number in range(max(size - BLOCK, 0) + 1, size + 1):
        is_open = number > size - OPEN
        drawn = opened if is_open else ended
        customer = drawn.choice(customers[-OPEN:] if is_open else customers)
        created = now - timedelta(days=(size - number) / PER_DAY)
        status = drawn.choice(open_statuses if is_open else ["completed"] * 9 + ["cancelled"])
        start = now + timedelta(hours=drawn.randrange(-9, 72)) if is_open else created
        town = drawn.choice([*TOWNS])
        planned = status != "requested"
        job = Job(
            pk=number, number=number, customer=customer, service=drawn.choice(services),
            status=status, crew=drawn.choice(crews) if planned else None,
            contact_name=customer.name, contact_email=customer.email, town=town,
            zip_code=TOWNS[town], unit="",
            address_line=f"{drawn.randrange(1, 9999)} {drawn.choice(STREETS)} "
            f"{drawn.choice(KINDS)}",
            window_start=start if planned else None,
            window_end=start + timedelta(hours=2) if planned else None,
            cancel_side="customer" if status == "cancelled" else "",
            details="A sofa and two chairs", created_at=created, updated_at=created,
        )  # fmt: skip
        job.search_text = text_of_job(job)
        yield job


if __name__ == "__main__":
    sys.exit(main())
