"""The editable fields of a job: which they are, how they are checked and how history shows them."""

from collections.abc import Mapping
from datetime import date, datetime
from typing import Any

from django.core.exceptions import ValidationError
from django.db import models
from django.utils import timezone

from dispatch.addresses import parse_zip
from dispatch.days import LONGEST_WINDOW
from dispatch.errors import ValueRefused
from dispatch.models import Customer, Job
from dispatch.statuses import ServiceKind, Status, flow_for

FIELDS = (
    "service",
    "crew",
    "contact_name",
    "contact_email",
    "address_line",
    "unit",
    "town",
    "zip_code",
    "load_size",
    "rental_days",
    "place_on_site",
    "details",
    "access_notes",
    "requested_day",
    "requested_time",
    "language",
    "window_start",
    "window_end",
    "on_hold",
    "hold_reason",
)
# Gate codes are wiped after the job (dispatch/ending.py), but history is kept forever.
NOT_IN_HISTORY = frozenset({"access_notes"})


def check_details(*, job: Job, changes: Mapping[str, Any]) -> dict[str, Any]:
    """Return the changes that differ from the job, cleaned. Raises ValueRefused."""
    unknown = sorted(set(changes) - set(FIELDS))
    if unknown:
        raise ValueRefused(
            f"A job has no field {', '.join(unknown)}.", f"Use: {', '.join(FIELDS)}."
        )
    cleaned = {name: _clean(name, value) for name, value in changes.items()}
    after = {name: getattr(job, name) for name in FIELDS} | cleaned
    _check_window(after)
    _check_service(job, after)
    if not after["on_hold"] and "on_hold" in cleaned:
        cleaned["hold_reason"] = ""  # the history keeps the reason of a past hold
    else:
        _check_hold(after)
    return {name: value for name, value in cleaned.items() if value != getattr(job, name)}


def clean_fields(job: Job) -> None:
    """Clean and check the fields of a new job. Raises ValueRefused."""
    for field in job._meta.concrete_fields:
        if not field.is_relation and field.name in FIELDS:
            setattr(job, field.name, _clean(field.name, getattr(job, field.name)))


def one_newline(text: str) -> str:
    """Convert line ends to one character: forms send two, but browsers count one."""
    return text.replace("\r\n", "\n")


def history_value(job: Job, name: str) -> Any:
    """Return a field's value as history stores it: text, number, boolean or None."""
    value = getattr(job, name)
    if name in NOT_IN_HISTORY:
        return "(not kept)" if value else ""
    if isinstance(value, datetime):
        return timezone.localtime(value).strftime("%Y-%m-%d %H:%M")
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Customer):
        return value.described
    return str(value) if isinstance(value, models.Model) else value


def _clean(name: str, value: Any) -> Any:
    field: Any = Job._meta.get_field(name)
    if isinstance(value, str):
        value = one_newline(value).strip()
        _check_storable(value, field)
    if field.is_relation:
        return value
    if name == "zip_code":
        return parse_zip(value)
    try:
        return field.clean(value, None)
    except ValidationError as error:
        found = f", found '{value}'" if value not in (None, "") else ""
        raise ValueRefused(
            f"The {_title(field)} is not valid{found}.", " ".join(error.messages), field=name
        ) from None


def _check_storable(value: str, field: Any) -> None:
    """Refuse characters that a database cannot store."""
    if "\x00" in value:
        raise ValueRefused(
            f"The {_title(field)} contains a NUL character.", "Remove it.", field=field.name
        )
    # Python passes on invalid bytes from a shell as surrogates.
    if any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueRefused(
            f"The {_title(field)} is not UTF-8: {value!a}.",
            "Enter it in UTF-8.",
            field=field.name,
        )


def _title(field: Any) -> str:
    return str(field.verbose_name)


def _check_hold(after: Mapping[str, Any]) -> None:
    if after["on_hold"] and not after["hold_reason"]:
        raise ValueRefused(
            "A hold needs a reason.", "Enter what the job is waiting for.", field="hold_reason"
        )
    if after["hold_reason"] and not after["on_hold"]:
        raise ValueRefused(
            f"There is a hold reason, '{after['hold_reason']}', but no hold.",
            "Put the job on hold, or remove the reason.",
            field="hold_reason",
        )


def _check_window(after: Mapping[str, Any]) -> None:
    start, end = after["window_start"], after["window_end"]
    if (start is None) != (end is None):
        raise ValueRefused(
            "A window needs a start and an end.", "Enter both or neither.", field="window_end"
        )
    if start is not None and start >= end:
        raise ValueRefused(
            "A window must end after it starts.", "Enter a later end.", field="window_end"
        )
    if start is not None and end - start > LONGEST_WINDOW:
        raise ValueRefused(
            f"A window is at most {LONGEST_WINDOW.days} days long, found {(end - start).days}.",
            "Enter an earlier end.",
            field="window_end",
        )


def _check_service(job: Job, after: Mapping[str, Any]) -> None:
    if after["service"] is None:
        raise ValueRefused("A job needs a service.", "Choose one of the services.", field="service")
    here = Status(job.status)
    if here != Status.CANCELLED and here not in flow_for(ServiceKind(after["service"].kind)):
        raise ValueRefused(
            f"{job.label} is '{here.label}', a status '{after['service']}' does not have.",
            "Move the job to another status first, then change the service.",
            field="service",
        )
