"""The probe: a hidden job, with which a check follows a change to the customer's page.

It is changed as every job is, so its change takes the way that customers' changes take. Job.objects
leaves it out of every list, count and search; its number is fixed, so that there is at most one.
"""

from datetime import datetime, timedelta

from django.db import IntegrityError, transaction
from django.db.models import QuerySet

from dispatch.changing import move_job
from dispatch.errors import ProbeExists, ValueRefused
from dispatch.field_history import keep_no_history
from dispatch.models import Customer, Job, JobEvent, JobQuerySet, ServiceType
from dispatch.signals import job_changed
from dispatch.statuses import Status

# The highest that the column holds. The counter never comes near, and no search finds ten digits.
PROBE_NUMBER = 2_147_483_647
# A check takes less than a minute. What is older was left by one that was killed.
LEFT_AFTER = timedelta(minutes=10)
ACTOR = "tracking check"
NAME = "Tracking check"


@transaction.atomic
def make_probe() -> Job:
    """Make the probe, requested and at revision 1. Raises ProbeExists or ValueRefused."""
    service = ServiceType.objects.order_by("-active", "pk").first()
    if service is None:
        raise ValueRefused("There is no service, and so no job.", "Run: manage.py migrate")
    try:
        with transaction.atomic():
            job: Job = Job.with_probes.create(
                number=PROBE_NUMBER,
                is_probe=True,
                customer=_customer(),
                service=service,
                contact_name=NAME,
                address_line="1 Test Street",
                town="Fairbanks",
                zip_code="99701",
            )
    except IntegrityError as error:
        raise ProbeExists(
            "A check of the tracking pages is in progress, or was killed.",
            f"Wait until it ends. What a killed one left is removed after "
            f"{LEFT_AFTER.seconds // 60} minutes.",
        ) from error
    event = JobEvent.objects.create(
        job=job,
        kind=JobEvent.Kind.CREATED,
        status=job.status,
        revision=job.revision,
        actor=ACTOR,
    )
    job_changed.send(sender=Job, job_id=job.pk, event=event)
    return job


def move_probe(job: Job) -> None:
    """Move the probe as staff move a job. It takes no window, and needs neither crew nor price."""
    move_job(job=job, to=Status.CANCELLED, actor=ACTOR, reason=NAME, side=Job.CancelSide.FIRM.value)


@transaction.atomic
def remove_probe(job: Job) -> None:
    """Delete a probe's rows. Its history is the only one that is ever deleted."""
    if not job.is_probe:
        raise ValueError(f"{job} is a customer's job")
    # Its own manager refuses to delete events.
    QuerySet(JobEvent).filter(job=job).delete()
    Job.with_probes.filter(pk=job.pk, is_probe=True).delete()
    keep_no_history(job.customer).delete()


def left_probes(now: datetime) -> JobQuerySet:
    """Return the probe that a killed check left, if any."""
    return _probes().filter(created_at__lt=now - LEFT_AFTER)


def without_probes(customers: "QuerySet[Customer]") -> "QuerySet[Customer]":
    """Leave out the customer of the probe. Costs one look into an index."""
    return customers.exclude(pk__in=_probes().values("customer"))


def _customer() -> Customer:
    customer = keep_no_history(Customer(name=NAME, phone=None))
    customer.save()
    return customer


def _probes() -> JobQuerySet:
    found: JobQuerySet = Job.with_probes.filter(number=PROBE_NUMBER, is_probe=True)
    return found
