"""Sends 64 bookings at once for a window with room for three, and one form 24 times at once.

Run it as `.venv/bin/python -m bench.rush`, with `--database postgres://...` for another place than
SQLite; it empties that PostgreSQL database. `--clients` and `--rounds` do more or less. Real posts
to one server. Exactly three must get the window; the others must get their form back, with what
they typed and two other windows. After each round, what is taken must equal what the jobs hold.
Exits with 1 if anything else happens.
"""

import argparse
import http.client
import os
import re
import sys
import tempfile
import threading
from collections import Counter
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlencode
from uuid import uuid4

from bench.bookings import BOOK, FORM, HEADERS, prepare, server

ROOM, SAME_FORM = 3, 24
SEE_OTHER, INVALID = 303, 422
OTHERS = re.compile(r"The next free times: [^<]+ and [^<]+\.")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--database", default="")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--rounds", type=int, default=10)
    options = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        # Each booking comes from a customer and an address of its own, or the limits would stop it.
        os.environ["TRUSTED_PROXIES"] = "1"
        prepare(stack, folder, options.database)
        windows = small_windows(options.rounds + 1)
        port = stack.enter_context(server())
        faults = [fault for pk in windows[:-1] for fault in rush(port, pk, options.clients)]
        faults += same_form(port, windows[-1])
    for fault in faults:
        print(fault)
    place = options.database.partition(":")[0] or "sqlite"
    print(f"{place}: {options.rounds} rounds of {options.clients}, {len(faults)} faults")
    return 1 if faults else 0


def small_windows(count: int) -> list[int]:
    """Return windows that have room for three bookings of a few items each."""
    from django.utils import timezone  # noqa: PLC0415

    from dispatch.models import ServiceWindow  # noqa: PLC0415
    from dispatch.windows.generate import generate_windows  # noqa: PLC0415
    from dispatch.windows.offering import bookable  # noqa: PLC0415

    now = timezone.now()
    generate_windows(now)
    chosen = list(bookable(now).values_list("pk", flat=True)[:count])
    ServiceWindow.objects.filter(pk__in=chosen).update(units=ROOM, public_units=ROOM)
    return chosen


def rush(port: int, window: int, clients: int) -> list[str]:
    """Post from all clients at once, and return what went wrong."""
    forms = [form_of(number, window) for number in range(clients)]
    answers = post_at_once(port, forms)
    kinds = Counter(
        kind_of(form, status, body) for form, (status, _, body) in zip(forms, answers, strict=True)
    )
    taken, held = counts(window)
    expected = {"booked": ROOM, "refused": clients - ROOM}
    wrong = [] if kinds == expected else [f"window {window}: {dict(kinds)}, expected {expected}"]
    if (taken, held) != (ROOM, ROOM):
        wrong.append(f"window {window}: {taken} taken, {held} held by jobs, expected {ROOM}")
    return wrong


def same_form(port: int, window: int) -> list[str]:
    """Post one form from many connections at once, and return what went wrong."""
    from dispatch.models import Job  # noqa: PLC0415
    from notifications.models import Message  # noqa: PLC0415

    form = form_of(0, window)
    places = {place for _, place, _ in post_at_once(port, [form] * SAME_FORM)}
    jobs = Job.objects.filter(form_key=form["form_key"])
    messages = Message.objects.filter(job__in=jobs, channel="email")
    seen = (len(places), jobs.count(), messages.count())
    return [] if seen == (1, 1, 1) else [f"one form: links, jobs and messages {seen}"]


def form_of(number: int, window: int) -> dict[str, str]:
    key = str(uuid4())
    phone = f"907-{200 + number:03}-{int(key[:4], 16) % 10_000:04}"
    return FORM | {"form_key": key, "first_choice": str(window), "phone": phone}


def post_at_once(port: int, forms: list[dict[str, str]]) -> list[tuple[int, str, str]]:
    """Return status, place and body for each form, all sent at the same moment."""
    ready = threading.Barrier(len(forms))
    answers: list[tuple[int, str, str]] = [(0, "", "")] * len(forms)

    def post(index: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
        connection.connect()
        headers = {**HEADERS, "X-Forwarded-For": f"10.0.{index}.1"}
        ready.wait(60)
        connection.request("POST", BOOK, urlencode(forms[index]), headers)
        answer = connection.getresponse()
        place = answer.getheader("Location") or ""
        answers[index] = (answer.status, place, answer.read().decode())

    threads = [threading.Thread(target=post, args=(index,)) for index in range(len(forms))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return answers


def kind_of(form: dict[str, str], status: int, body: str) -> str:
    if status == SEE_OTHER:
        return "booked"
    kept = form["email"] in body and form["form_key"] in body
    if status == INVALID and kept and OTHERS.search(body):
        return "refused"
    return f"{status} without input or windows"


def counts(window: int) -> tuple[int, int]:
    """Return what is taken in a window, and what its jobs hold."""
    from django.db.models import Sum  # noqa: PLC0415

    from dispatch.models import Job, ServiceWindow  # noqa: PLC0415

    held = Job.objects.filter(window=window).aggregate(units=Sum("window_units"))["units"]
    return ServiceWindow.objects.get(pk=window).taken, held or 0


if __name__ == "__main__":
    sys.exit(main())
