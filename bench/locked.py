"""Holds the write lock of the database while customers book, and shows what they see.

Run it as `.venv/bin/python bench/locked.py` (`--seconds`, `--customers`). It uses SQLite and the
server of bin/demo. Every customer sends the booking form, and sends the page that comes back again
as a browser would, until a job is booked. A reader opens a job's page all the time. Exits with 1 if
an input was lost, a job was booked twice or not at all, or a reader met an error.
"""

import argparse
import http.client
import re
import sqlite3
import sys
import tempfile
import threading
import time
import uuid
from collections import Counter
from contextlib import ExitStack, closing
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from bench.places import set_up  # noqa: E402
from bench.readers import server  # noqa: E402

PAUSE_SECONDS = 1
PATIENCE_SECONDS = 60
BOOKED, UNAVAILABLE = 303, 503
DETAILS = "a couch & a lamp, behind the <old> shed"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--customers", type=int, default=4)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        set_up(stack, folder, "local")
        port = stack.enter_context(server())
        customers = [Customer(port, number) for number in range(options.customers)]
        reader = Reader(port)
        warm_up(port)
        with closing(sqlite3.connect(folder / "db.sqlite3", isolation_level=None)) as other:
            other.execute("BEGIN IMMEDIATE")
            for one in (*customers, reader):
                one.start()
            time.sleep(options.seconds)
            other.execute("ROLLBACK")
            for customer in customers:
                customer.join(PATIENCE_SECONDS)
            reader.stop.set()
            reader.join(PATIENCE_SECONDS)
            jobs = other.execute("SELECT contact_name, details FROM dispatch_job").fetchall()
    return report(options, customers, reader, jobs)


def warm_up(port: int) -> None:
    """Let both workers import what a booking needs."""
    for _ in range(20):
        post(port, {})


class Customer(threading.Thread):
    """Sends a booking until it is accepted. `waits` are the seconds of each answer."""

    def __init__(self, port: int, number: int) -> None:
        super().__init__(daemon=True)
        self.port = port
        self.form = {
            "zip_code": "99709", "service": "junk", "name": f"Customer {number}",
            "phone": f"907-555-01{number:02}", "address_line": "12 Chena Ridge Road",
            "town": "Fairbanks", "details": DETAILS, "form_key": str(uuid.uuid4()),
        }  # fmt: skip
        self.statuses: Counter[int] = Counter()
        self.waits: list[float] = []
        self.faults: list[str] = []

    def run(self) -> None:
        end = time.monotonic() + 10 * PATIENCE_SECONDS
        while self.statuses[BOOKED] == 0 and time.monotonic() < end:
            started = time.monotonic()
            status, page = post(self.port, self.form)
            self.waits.append(time.monotonic() - started)
            self.statuses[status] += 1
            if status == UNAVAILABLE:
                self._fill_in_from(page)
                time.sleep(PAUSE_SECONDS)

    def _fill_in_from(self, page: str) -> None:
        """Send next what the page holds; anything else than before was lost."""
        inputs = re.findall(r'<input[^>]*name="(\w+)"[^>]*value="([^"]*)"', page)
        chosen = re.findall(r'value="([^"]*)"\s+selected', page)
        texts = re.findall(r'<textarea[^>]*name="(\w+)"[^>]*>\n?([^<]*)<', page)
        found = {name: unescape(value) for name, value in [*inputs, *texts] if value}
        found |= {"service": next(filter(None, chosen), "")}
        if found != self.form:
            self.faults.append(f"sent {self.form}, got back {found}")


class Reader(threading.Thread):
    """Opens a page that reads the database, over and over."""

    def __init__(self, port: int) -> None:
        super().__init__(daemon=True)
        self.port, self.stop = port, threading.Event()
        self.statuses: Counter[int] = Counter()
        self.slowest = 0.0

    def run(self) -> None:
        while not self.stop.is_set():
            started = time.monotonic()
            with closing(http.client.HTTPConnection("127.0.0.1", self.port)) as connection:
                connection.request("GET", "/t/unknown/", headers={"Host": "localhost"})
                self.statuses[connection.getresponse().status] += 1
            self.slowest = max(self.slowest, time.monotonic() - started)
            time.sleep(0.05)


def post(port: int, form: dict[str, str]) -> tuple[int, str]:
    headers = {"Host": "localhost", "Content-Type": "application/x-www-form-urlencoded"}
    with closing(http.client.HTTPConnection("127.0.0.1", port)) as connection:
        connection.request("POST", "/book/request/", urlencode(form), headers)
        answer = connection.getresponse()
        return answer.status, answer.read().decode()


def report(options, customers, reader, jobs) -> int:
    """Print what was seen and return the exit code."""
    faults = [fault for customer in customers for fault in customer.faults]
    wanted = sorted((customer.form["name"], DETAILS) for customer in customers)
    if sorted(jobs) != wanted:
        faults.append(f"expected the jobs {wanted}, found {sorted(jobs)}")
    if set(reader.statuses) != {404}:
        faults.append(f"a reader met {dict(reader.statuses)}")
    statuses = sum((customer.statuses for customer in customers), Counter[int]())
    waits = [wait for customer in customers for wait in customer.waits]
    print(
        f"lock held {options.seconds:.0f} s, {len(customers)} customers: answers {dict(statuses)}"
    )
    print(f"slowest answer to a form {max(waits):.1f} s, to a reader {reader.slowest:.2f} s")
    print(f"{len(jobs)} jobs, {len(faults)} faults")
    print("\n".join(faults))
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
