"""Jobs and the rows that belong to them. State changes live in booking.py and changing.py."""

from dispatch.models.append_only import AppendOnlyError
from dispatch.models.catalogue import (
    TRUCK_UNITS,
    AreaInterest,
    LoadSize,
    PriceKind,
    PriceRule,
    ServedZip,
    ServiceType,
    dollars,
    price_label,
    price_text,
)
from dispatch.models.day import Run, SavedView, Snooze
from dispatch.models.history import JobEvent, TextConsent
from dispatch.models.jobs import Counter, Job, JobQuerySet, Price, RequestedWindow
from dispatch.models.people import Crew, Customer
from dispatch.models.photos import Photo
from dispatch.models.recent_attempts import RecentAttempt
from dispatch.models.windows import (
    BookingSettings,
    ServiceWindow,
    WindowException,
    WindowTemplate,
)
from dispatch.models.words import Word

__all__ = [
    "TRUCK_UNITS",
    "AppendOnlyError",
    "AreaInterest",
    "BookingSettings",
    "Counter",
    "Crew",
    "Customer",
    "Job",
    "JobEvent",
    "JobQuerySet",
    "LoadSize",
    "Photo",
    "Price",
    "PriceKind",
    "PriceRule",
    "RecentAttempt",
    "RequestedWindow",
    "Run",
    "SavedView",
    "ServedZip",
    "ServiceType",
    "ServiceWindow",
    "Snooze",
    "TextConsent",
    "WindowException",
    "WindowTemplate",
    "Word",
    "dollars",
    "price_label",
    "price_text",
]
