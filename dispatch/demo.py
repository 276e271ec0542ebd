"""Demo data: one day at a small hauling firm, with dates around today."""

from datetime import timedelta
from typing import NamedTuple

from django.db import transaction
from django.utils import timezone

from dispatch.booking import create_job
from dispatch.changing import change_details, move_job
from dispatch.models import Crew, Job
from dispatch.statuses import Status

CREWS = ["Birch", "Tamarack", "Willow"]
LATEST_START_HOUR = 19
# The status a job is created with, before the step to its end that reports count.
BEFORE = {Status.CANCELLED.value: "scheduled", Status.COMPLETED.value: "in_progress"}
# 555-0100 to 555-0199 are reserved for fiction; libphonenumber accepts them.
MARK_PHONE = "+19075550142"


class DemoJob(NamedTuple):
    """One job; `window` is (days from today, first hour, last hour), or None.

    With `next_window`, it is instead the next that has not begun.
    """

    name: str
    phone: str
    address: str
    service: str
    price: str
    status: str
    window: tuple[int, int, int] | None = None
    crew: str = ""
    hold: str = ""
    next_window: bool = False


JOBS = [
    DemoJob(
        "Mark Ames",
        MARK_PHONE,
        "1423 Soderblom Avenue, Fairbanks, 99709",
        "junk",
        "600 all-in",
        "ready_for_pickup",
        crew="Birch",
        next_window=True,
    ),
    DemoJob(
        "Ines Calder", "+19075550101", "88 Yak Road, Fairbanks, 99709", "junk", "", "requested"
    ),
    DemoJob(
        "Tom Okafor",
        "+19075550102",
        "510 Gaffney Road, Fairbanks, 99701",
        "cleanout",
        "900-1400",
        "requested",
    ),
    DemoJob(
        "Ruth Lindqvist",
        "+19075550103",
        "2207 Chena Ridge Road, Fairbanks, 99709",
        "junk",
        "250 estimate",
        "scheduled",
        next_window=True,
    ),
    DemoJob(
        "Pete Solomon",
        "+19075550104",
        "34 Badger Road, North Pole, 99705",
        "junk",
        "180",
        "scheduled",
        (1, 9, 11),
        "Willow",
    ),
    DemoJob(
        "Grace Whitfield",
        "+19075550105",
        "77 Santa Claus Lane, North Pole, 99705",
        "cleanout",
        "1250.50 estimate",
        "scheduled",
        (2, 9, 12),
        "Tamarack",
        "Waiting for the key from the estate's lawyer",
    ),
    DemoJob(
        "Alvin Huntington",
        "+19075550106",
        "601 College Road, Unit 3, Fairbanks, 99701",
        "dumpster-10",
        "395",
        "on_site",
        crew="Tamarack",
    ),
    DemoJob(
        "Nora Beck",
        "+19075550107",
        "19 Steele Creek Road, Fairbanks, 99712",
        "dumpster-20",
        "520",
        "ready_for_pickup",
        (0, 10, 12),
        "Tamarack",
    ),
    DemoJob(
        "Sam Titus",
        "+19075550108",
        "3100 Airport Way, Fairbanks, 99709",
        "junk",
        "325",
        "en_route",
        (0, 11, 13),
        "Willow",
    ),
    DemoJob(
        "Lucy Marsh",
        "+19075550109",
        "742 Goldstream Road, Fairbanks, 99709",
        "junk",
        "450",
        "in_progress",
        (0, 9, 11),
        "Birch",
    ),
    DemoJob(
        "Omar Reyes",
        "+19075550110",
        "1210 Noble Street, Fairbanks, 99701",
        "junk",
        "210",
        "completed",
        (0, 8, 9),
        "Birch",
    ),
    DemoJob(
        "Wendy Frost",
        "+19075550111",
        "15 Peger Road, Fairbanks, 99709",
        "junk",
        "275",
        "cancelled",
        (1, 14, 16),
    ),
]


@transaction.atomic
def load_demo_jobs(*, actor: str = "demo") -> None:
    """Create the demo crews and jobs. Phones that already have a job are skipped."""
    for name in CREWS:
        Crew.objects.get_or_create(name=name)
    for demo in JOBS:
        if not Job.objects.filter(customer__phone=demo.phone).exists():
            _load(demo, actor)


def _load(demo: DemoJob, actor: str) -> None:
    job = create_job(
        name=demo.name,
        phone=demo.phone,
        email=f"{demo.name.split()[0].lower()}@example.com",
        address=demo.address,
        service=demo.service,
        price=demo.price,
        status=BEFORE.get(demo.status, demo.status),
        window=_window(demo),
        crew=demo.crew,
        actor=actor,
    )
    if demo.hold:
        hold = {"on_hold": True, "hold_reason": demo.hold}
        change_details(job=job, changes=hold, actor=actor)
    if demo.status == Status.CANCELLED:
        side, reason = Job.CancelSide.CUSTOMER, "Sold the sofa instead"
        move_job(job=job, to=Status.CANCELLED, actor=actor, side=side, reason=reason)
    elif demo.status == Status.COMPLETED:
        move_job(job=job, to=Status.COMPLETED, actor=actor)


def next_window() -> tuple[int, int, int]:
    """Return a two-hour window that has not begun, so that it is neither late nor over."""
    first = max(9, timezone.localtime().hour + 1)
    return (0, first, first + 2) if first <= LATEST_START_HOUR else (1, 9, 11)


def _window(demo: DemoJob) -> str:
    """Return the window as create_job reads it, or ""."""
    window = next_window() if demo.next_window else demo.window
    if window is None:
        return ""
    days, first, last = window
    return f"{timezone.localdate() + timedelta(days=days)} {first}-{last}"
