"""Books with 64 clients, and compares that with a bare Django view that inserts one row.

Run it as `.venv/bin/python -m bench.bookings`, with `--database postgres://...` for another place
than SQLite; it empties that PostgreSQL database. `--clients`, `--seconds` and `--rounds` do more or
less. One server, with the project's settings, answers both: each client posts again as soon as it
has an answer, to the bare view and to the booking form by turns, in the same run. The ratio is the
median of the rounds' ratios. A booking names a window that is taken at once. Then the jobs are
compared with the answers. Exits with 1 if a booking was lost or doubled.
"""

import argparse
import http.client
import os
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from multiprocessing import get_context
from pathlib import Path
from random import choice, randrange
from statistics import median
from urllib.parse import urlencode
from uuid import uuid4

from bench.places import set_up

PROCESSES = 4
BARE, BOOK = "/book/request/bare", "/book/request/"
SEE_OTHER, NO_CONTENT = 303, 204
FORM = {
    "zip_code": "99709",
    "service": "junk",
    "load_size": "eighth",
    "first_choice": "",
    "name": "Mark Ames",
    "email": "mark@example.com",
    "address_line": "1423 Soderblom Avenue",
    "town": "Fairbanks",
    "price": "$120 all-in",
    "text_consent": "on",
}
HEADERS = {
    "Host": "localhost",
    "Content-Type": "application/x-www-form-urlencoded",
    "Sec-Fetch-Site": "same-origin",
}


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", default="")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=10)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # Each booking comes from a customer and an address of its own, or the limits would stop it.
        os.environ["TRUSTED_PROXIES"] = "1"
        prepare(stack, folder, options.database)
        windows = make_windows()
        port = stack.enter_context(server())
        rates = [
            [load(port, path, windows, options) for path in (BARE, BOOK)]
            for _ in range(options.rounds + 1)
        ]
    return report(rates, options)


def prepare(stack: ExitStack, folder: Path, database: str) -> None:
    if database:
        import psycopg  # noqa: PLC0415 - needed for this database only

        with psycopg.connect(database, autocommit=True) as connection:
            connection.execute("DROP SCHEMA public CASCADE")
            connection.execute("CREATE SCHEMA public")
    set_up(stack, folder, "local", database)


def make_windows() -> list[int]:
    """Make windows with room for all, and have every service booked at once."""
    from django.utils import timezone  # noqa: PLC0415

    from dispatch.models import ServiceType, ServiceWindow, WindowTemplate  # noqa: PLC0415
    from dispatch.windows.generate import generate_windows  # noqa: PLC0415
    from dispatch.windows.offering import bookable  # noqa: PLC0415

    WindowTemplate.objects.update(units=999)
    ServiceType.objects.update(instant_booking=True)
    now = timezone.now()
    generate_windows(now)
    ServiceWindow.objects.update(units=32_000, public_units=32_000)
    return list(bookable(now).values_list("pk", flat=True))


@contextmanager
def server():
    """Serve the project with the bare view beside it, and yield the port."""
    from tests.server.servers import gunicorn  # noqa: PLC0415

    environ = {**os.environ, "DJANGO_SETTINGS_MODULE": "bench.bare_settings"}
    with gunicorn(environ, "--log-level=error") as started:
        yield started.port


def load(port: int, path: str, windows: list[int], options) -> Counter[str]:
    """Post with all clients for some seconds; return the counts of answers, and the rate."""
    context = get_context("spawn")
    ready, queue = context.Barrier(PROCESSES), context.Queue()
    share = options.clients // PROCESSES
    poster = Poster(port, path, windows, options.seconds)
    processes = [
        context.Process(target=run_clients, args=(poster, share, ready, queue))
        for _ in range(PROCESSES)
    ]
    for process in processes:
        process.start()
    seen: Counter[str] = Counter()
    for _ in processes:
        seen.update(queue.get(timeout=options.seconds + 120))
    for process in processes:
        process.join()
    return seen


@dataclass
class Poster:
    """Posts forms to a path for some seconds, and counts the answers."""

    port: int
    path: str
    windows: list[int]
    seconds: float
    seen: Counter[str] = field(default_factory=Counter)

    def run(self) -> None:
        end = time.monotonic() + self.seconds
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        while time.monotonic() < end:
            address = ".".join(["10", *(str(randrange(256)) for _ in range(3))])
            headers = {**HEADERS, "X-Forwarded-For": address}
            connection.request("POST", self.path, urlencode(self.form()), headers)
            response = connection.getresponse()
            response.read()
            self.seen[str(response.status)] += 1

    def form(self) -> dict[str, str]:
        return FORM | {
            "form_key": str(uuid4()),
            "first_choice": str(choice(self.windows)),
            "phone": f"907-{randrange(200, 900)}-{randrange(10_000):04}",
        }


def run_clients(poster: Poster, number: int, ready, queue) -> None:
    """Run so many clients of this process, each in a thread."""
    threads = [threading.Thread(target=poster.run) for _ in range(number)]
    ready.wait(60)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    queue.put(poster.seen)


def report(rates: list[list[Counter[str]]], options) -> int:
    """Print the rates and the ratio, compare answers with rows, and return the exit code."""
    from django.utils import timezone  # noqa: PLC0415

    from dispatch.models import Job  # noqa: PLC0415
    from dispatch.windows.recount import drift  # noqa: PLC0415
    from tracking.models import TrackingLink  # noqa: PLC0415

    measured = [
        (bare[str(NO_CONTENT)] / options.seconds, booked[str(SEE_OTHER)] / options.seconds)
        for bare, booked in rates[1:]  # the first round warms up
    ]
    ratios = [booked / bare for bare, booked in measured]
    print("bare", dict(sum((bare for bare, _ in rates), Counter())))
    answers = sum((booked for _, booked in rates), Counter())
    jobs, held = Job.objects.count(), Job.objects.filter(window__isnull=False).count()
    print(
        f"{options.database.partition(':')[0] or 'sqlite'}, {options.clients} clients, "
        f"{options.rounds} rounds of {options.seconds:.0f} s, load {os.getloadavg()[0]:.1f}: "
        f"bare {median(bare for bare, _ in measured):.0f}/s, "
        f"bookings {median(booked for _, booked in measured):.0f}/s, "
        f"ratio {median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
    )
    wrong = len(drift(timezone.now()))
    print(
        f"answers {dict(answers)}, jobs {jobs}, with a window {held}, "
        f"links {TrackingLink.objects.count()}, windows with a wrong count {wrong}"
    )
    same = {answers[str(SEE_OTHER)], jobs, held, TrackingLink.objects.count()}
    return 0 if len(same) == 1 and not wrong else 1


if __name__ == "__main__":
    sys.exit(main())
