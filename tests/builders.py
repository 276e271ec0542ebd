"""Plain builders: one row each, with sensible defaults.

They write rows directly, so that a test can start from any state; the application itself goes
through dispatch.booking and dispatch.changing.
"""

from datetime import datetime, timedelta
from itertools import count
from typing import Any

from django.utils import timezone

from dispatch.models import (
    Counter,
    Crew,
    Customer,
    Job,
    JobEvent,
    Price,
    ServiceType,
    ServiceWindow,
)
from dispatch.statuses import ServiceKind, Status

_serial = count(1)
AREA_CODES = [907, 406, 208, 303, 307, 720, 801, 505, 602, 206, 212]


def make_customer(**kwargs: Any) -> Customer:
    """Make a customer with a unique phone (555-01xx is reserved for fiction)."""
    serial = next(_serial)
    area = AREA_CODES[serial // 100 % len(AREA_CODES)]
    phone = f"+1{area}55501{serial % 100:02d}"
    return Customer.objects.create(**{"name": "Dana Rivers", "phone": phone, **kwargs})


def make_service(code: str = "junk", **kwargs: Any) -> ServiceType:
    """Get or make a service; codes that begin with `dumpster` are dumpster rentals."""
    dumpster = code.startswith("dumpster")
    defaults = {
        "name": "Dumpster rental" if dumpster else "Junk removal",
        "kind": ServiceKind.DUMPSTER if dumpster else ServiceKind.HAUL,
        **kwargs,
    }
    return ServiceType.objects.get_or_create(code=code, defaults=defaults)[0]


def make_crew(**kwargs: Any) -> Crew:
    return Crew.objects.create(**{"name": f"Crew {next(_serial)}", **kwargs})


def make_window(
    start: datetime, *, hours: int = 2, units: int = 16, **kwargs: Any
) -> ServiceWindow:
    """Make a service window; customers can take all of it unless `public_units` says less."""
    values = {"end": start + timedelta(hours=hours), "public_units": units, **kwargs}
    return ServiceWindow.objects.create(start=start, units=units, **values)


def make_price(job: Job, cents: int = 60_000, **kwargs: Any) -> Price:
    return Price.objects.create(job=job, cents=cents, **{"actor": "test", **kwargs})


def make_job(*, service: ServiceType | str = "junk", **kwargs: Any) -> Job:
    """Make a job at revision 1 with its first event. `service` may be a code."""
    customer = kwargs.pop("customer", None) or make_customer()
    values: dict[str, Any] = {
        "number": next_number(),
        "contact_name": customer.name,
        "contact_email": customer.email,
        "address_line": "1423 Soderblom Avenue",
        "town": "Fairbanks",
        "zip_code": "99709",
        "status": Status.REQUESTED,
        **kwargs,
    }
    if values["status"] == Status.CANCELLED:
        values.setdefault("cancel_side", Job.CancelSide.CUSTOMER)
    service = make_service(service) if isinstance(service, str) else service
    job: Job = Job.objects.create(customer=customer, service=service, **values)
    JobEvent.objects.create(
        job=job,
        kind=JobEvent.Kind.CREATED,
        status=job.status,
        revision=job.revision,
        actor="test",
    )
    return job


def make_planned_job(**kwargs: Any) -> Job:
    """Make a job with what every step needs: a window around now, a crew and an all-in price."""
    now, hour = timezone.now(), timedelta(hours=1)
    planned: dict[str, Any] = {
        "crew": make_crew(),
        "window_start": now - hour,
        "window_end": now + hour,
    }
    job = make_job(**planned | kwargs)
    make_price(job)
    return job


def next_number() -> int:
    counter, _ = Counter.objects.get_or_create(name="job", defaults={"value": 1000})
    Counter.objects.filter(pk=counter.pk).update(value=counter.value + 1)
    return counter.value + 1
