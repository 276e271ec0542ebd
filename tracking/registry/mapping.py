"""The tables that translate statuses and services of a former system into ours.

A file of the operator adds to them, in TOML or JSON:

    [statuses]
    "picked up" = "completed"
    "called off" = "cancelled customer"

    [services]
    "Hauling" = "junk"
"""

import json
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dispatch.models import Job, ServiceType
from dispatch.statuses import Status
from tracking.errors import MapRefused, RegistryUnreadable

STATUSES, SERVICES = "statuses", "services"
# Besides the codes and labels of our statuses.
USUAL = {
    Status.REQUESTED: ("new", "booked", "pending", "open", "received", "quoted"),
    Status.SCHEDULED: ("confirmed", "assigned", "planned"),
    Status.ON_SITE: ("delivered", "dropped off", "placed", "out"),
    Status.READY_FOR_PICKUP: ("ready", "pickup", "waiting for pickup"),
    Status.EN_ROUTE: ("on the way", "dispatched", "out for pickup"),
    Status.IN_PROGRESS: ("started", "working", "loading"),
    Status.COMPLETED: ("complete", "done", "finished", "closed", "paid", "picked up"),
    Status.CANCELLED: ("canceled", "void"),
}
MOST_SHOWN = 12


@dataclass(frozen=True, slots=True)
class Tables:
    """What each text of a former system means; the keys are `plain`."""

    statuses: Mapping[str, tuple[Status, str]]
    services: Mapping[str, ServiceType]

    def status(self, text: str) -> tuple[Status, str] | None:
        """Return the status, and who cancelled: "" unless it is cancelled."""
        return self.statuses.get(plain(text))

    def service(self, text: str) -> ServiceType | None:
        return self.services.get(plain(text))

    @property
    def known_statuses(self) -> str:
        return _listed(Status.values)

    @property
    def known_services(self) -> str:
        return _listed(dict.fromkeys(service.code for service in self.services.values()))


def plain(text: str) -> str:
    """Return a text without what differs between spellings: "On-the way" is "on the way"."""
    return " ".join(re.sub(r"[\W_]+", " ", text).casefold().split())


def load_tables(path: Path | None = None) -> Tables:
    """Return the tables, with the lines of a file. Raises MapRefused or RegistryUnreadable."""
    given = _read(path) if path else {}
    codes = {service.code: service for service in ServiceType.objects.all()}
    services = {plain(one.name): one for one in codes.values()}
    services |= {plain(code): service for code, service in codes.items()}
    for text, code in given.get(SERVICES, {}).items():
        if code not in codes:
            raise _refused(SERVICES, text, code, _listed(codes))
        services[plain(text)] = codes[code]
    return Tables(_statuses(given.get(STATUSES, {})), services)


def _statuses(given: Mapping[str, str]) -> dict[str, tuple[Status, str]]:
    found = {
        plain(text): _status(status.value)
        for status in Status
        for text in (status.value, str(status.label), *USUAL[status])
    }
    for text, code in given.items():
        try:
            found[plain(text)] = _status(code)
        except ValueError:
            known = f"{_listed(Status.values)}, or 'cancelled customer'"
            raise _refused(STATUSES, text, code, known) from None
    return found


def _status(code: str) -> tuple[Status, str]:
    """Return a status, and the side that cancelled: the firm, unless the code names another."""
    word, _, side = code.partition(" ")
    status = Status(word)
    if status != Status.CANCELLED:
        return Status(code), ""
    return status, Job.CancelSide(side or Job.CancelSide.FIRM).value


def _read(path: Path) -> dict[str, dict[str, str]]:
    try:
        content = path.read_bytes()
    except OSError as error:
        raise RegistryUnreadable(
            f"{path} cannot be read: {error.strerror}.", "Check the path."
        ) from error
    try:
        text = content.decode()
        found: Any = json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except ValueError as error:
        raise MapRefused(f"{path} is not TOML, or JSON: {error}.", "Correct that line.") from error
    if not _has_tables(found):
        raise MapRefused(
            f"Expected the tables {STATUSES} and {SERVICES} with texts in {path}.",
            'Write lines like "picked up" = "completed" below [statuses].',
        )
    return dict(found)


def _has_tables(found: Any) -> bool:
    return (
        isinstance(found, dict)
        and found.keys() <= {STATUSES, SERVICES}
        and all(isinstance(table, dict) for table in found.values())
        and all(isinstance(one, str) for table in found.values() for one in table.values())
    )


def _refused(table: str, text: str, code: str, known: str) -> MapRefused:
    return MapRefused(
        f"The map has '{text}' = '{code}' in {table}, which does not exist.",
        f"Use one of: {known}.",
    )


def _listed(names: Any) -> str:
    first = list(names)[:MOST_SHOWN]
    return ", ".join(first) or "(none set up yet)"
