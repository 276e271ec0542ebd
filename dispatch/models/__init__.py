"""Jobs and the rows that belong to them. State changes live in booking.py and changing.py."""

from dispatch.models.append_only import AppendOnlyError
from dispatch.models.history import JobEvent, TextConsent
from dispatch.models.jobs import Counter, Job, JobQuerySet, Price
from dispatch.models.people import Crew, Customer, ServiceType

__all__ = [
    "AppendOnlyError",
    "Counter",
    "Crew",
    "Customer",
    "Job",
    "JobEvent",
    "JobQuerySet",
    "Price",
    "ServiceType",
    "TextConsent",
]
