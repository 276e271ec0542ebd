"""A job as the board shows it."""

from datetime import date, datetime, timedelta
from functools import cache, lru_cache
from typing import Any
from urllib.parse import quote, quote_plus

import phonenumbers
from django.db.models import CharField
from django.db.models.functions import Cast
from django.urls import reverse
from django.utils import timezone

from dispatch.models import Job, JobQuerySet, Price
from dispatch.statuses import Status
from office.board.access import BOARD_PAGE
from office.board.steps import may_cancel, next_steps, steps_back

Card = dict[str, Any]
MAP = "https://www.google.com/maps/search/?api=1&query="


def with_card(jobs: JobQuerySet) -> JobQuerySet:
    """Read with each job what `cards_of` shows of it but the price.

    The phone is read as it is stored: parsing those of 400 customers takes as long as the rest.
    """
    phone = Cast("customer__phone", CharField())
    shown: JobQuerySet = jobs.select_related("service").with_placed_at().annotate(e164=phone)
    return shown


def cards_of(jobs: list[Job], *, day: date, now: datetime) -> dict[int, Card]:
    """Return the cards of jobs from `with_card`, by key. Two queries."""
    keys = [job.pk for job in jobs]
    prices = {one.job_id: str(one) for one in Price.objects.filter(job__in=keys).order_by("pk")}
    back = steps_back(jobs, now)
    return {
        job.pk: _card(job, day, now, price=prices.get(job.pk), back=back.get(job.pk))
        for job in jobs
    }


def card_of(pk: int, *, day: date, now: datetime) -> Card | None:
    """Return the card of one job, or None if it is gone."""
    jobs = list(with_card(Job.objects.filter(pk=pk)))
    return cards_of(jobs, day=day, now=now).get(pk)


def units_of(job: Job) -> int:
    """Return the eighths of a truck that the job takes."""
    return job.window_units or job.service.units_of(job.load_size)


def map_of(job: Job) -> str:
    """Return the address of a map that shows where the job is."""
    return MAP + quote_plus(job.address)


def local_iso(at: datetime | None) -> str | None:
    """Return a moment with the offset of TIME_ZONE."""
    return timezone.localtime(at).isoformat(timespec="seconds") if at else None


def _card(
    job: Job, day: date, now: datetime, *, price: str | None, back: dict[str, str] | None
) -> Card:
    return {
        "id": job.pk,
        "number": job.label,
        "revision": job.revision,
        **_customer(job),
        **_work(job),
        "price": price,
        **_plan(job, now),
        **_dumpster(job, now),
        "next": next_steps(job, placed=getattr(job, "placed_at", None) is not None),
        "back": back,
        "may_cancel": may_cancel(job),
        "url": _address(job, day),
    }


def _customer(job: Job) -> Card:
    phone: str = getattr(job, "e164", None) or ""
    return {
        "name": job.contact_name,
        "phone": phone or None,
        "phone_text": phone_text(phone),
        "email": job.contact_email,
        "street": f"{job.address_line}, {job.unit}" if job.unit else job.address_line,
        "town": job.town,
        "zip": job.zip_code,
    }


def _work(job: Job) -> Card:
    size = Job.LoadSize(job.load_size).label if job.load_size else ""
    return {
        "service": job.service.name,
        "size": str(size),
        "units": units_of(job),
    }


def _plan(job: Job, now: datetime) -> Card:
    window = {"start": local_iso(job.window_start), "end": local_iso(job.window_end)}
    return {
        "status": job.status,
        "status_label": str(Status(job.status).label),
        "window": window if job.window_start else None,
        "outside_windows": job.is_outside_windows,
        "crew": job.crew_id,
        "late": job.is_late(now),
        "late_by": job.late_by,
        "arrived": local_iso(job.arrived_at),
        "on_hold": job.on_hold,
        "hold_reason": job.hold_reason,
    }


def _dumpster(job: Job, now: datetime) -> Card:
    days = job.days_out(now)
    due = None
    if days is not None:
        due = timezone.localdate(now) + timedelta(days=job.days_of_rental - days)
    return {
        "days_out": days,
        "due_on": due.isoformat() if due else None,
        "due_back": job.is_due_back(now),
    }


def _address(job: Job, day: date) -> str:
    back = quote(f"{BOARD_PAGE}{day.isoformat()}/")
    return f"{_job_list()}{job.pk}/change/?next={back}"


@cache
def _job_list() -> str:
    """Return the path above those of the jobs' pages; to reverse 400 of them takes long."""
    return reverse("admin:dispatch_job_changelist")


@lru_cache(maxsize=4096)
def phone_text(e164: str) -> str:
    """Return a phone as people of its country write it, like "(907) 555-0142"."""
    if not e164:
        return ""
    number = phonenumbers.parse(e164)
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.NATIONAL)
