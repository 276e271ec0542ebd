"""Writing jobs as a registry, row by row: the former system's form and the private one."""

import json
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import Any, Protocol

from dispatch.models import Job, Price
from tracking.documents import moment
from tracking.errors import RegistryUnreadable
from tracking.models import TrackingLink

AT_ONCE = 1_000
Rows = Iterator[tuple[str, dict[str, str]]]


class Writer(Protocol):
    """A text file, as far as rows are written to it."""

    def write(self, text: str, /) -> Any:
        """Write text."""


@dataclass(slots=True)
class Exported:
    """How many jobs were written, and of how many the token is not known."""

    jobs: int = 0
    without_token: int = 0


def export_jobs(file: Writer) -> Exported:
    """Write every job with an active link in the former form, with tokens in the clear."""
    done = Exported()
    write_rows(file, _former_rows(done))
    return done


@contextmanager
def private_file(path: Path) -> Iterator[Writer]:
    """Open a file that only its owner can read; it takes the path's place once it is complete.

    Raises RegistryUnreadable.
    """
    try:
        with NamedTemporaryFile(
            "w", dir=path.absolute().parent, prefix=f".{path.name}.", encoding="utf-8", delete=False
        ) as file:
            try:
                yield file
                file.flush()
                os.fsync(file.fileno())
                Path(file.name).replace(path)
            except BaseException:
                Path(file.name).unlink(missing_ok=True)
                raise
    except OSError as error:
        raise RegistryUnreadable(
            f"{path} cannot be written: {error.strerror}.", "Choose another path."
        ) from error


def write_rows(file: Writer, rows: Iterable[tuple[str, dict[str, str]]]) -> int:
    """Write rows as one JSON object, a line for each, and return how many there were."""
    count = 0
    file.write("{")
    for count, (key, row) in enumerate(rows, 1):
        name, text = (json.dumps(one, ensure_ascii=False) for one in (key, row))
        file.write(f"{',' if count > 1 else ''}\n{name}: {text}")
    file.write("\n}\n")
    return count


def private_rows() -> Rows:
    """Iterate over the rows of the private registry, by number: no tokens, only their SHA-256."""
    for link in _links():
        job = link.job
        row = {
            "name": job.contact_name,
            "phone": job.customer.e164,
            "email": job.contact_email,
            **_common(job),
            "token_sha256": link.token_sha256,
            "updated_at": moment(job.updated_at),
        }
        yield job.label, row


def _former_rows(done: Exported) -> Rows:
    for link in _links():
        job = link.job
        done.jobs += 1
        done.without_token += not link.token
        secret = {"token": link.token} if link.token else {"token_sha256": link.token_sha256}
        reached = {"phone": job.customer.e164, "email": job.contact_email}
        optional = {name: text for name, text in reached.items() if text}
        row = {"name": job.contact_name, **_common(job), **secret, **optional}
        yield job.former_id or job.label, row


def _common(job: Job) -> dict[str, str]:
    return {
        "address": job.address,
        "service": job.service.code,
        "price": _price(job.price),
        "status": job.status,
    }


def _price(price: Price | None) -> str:
    """Return a price as former systems write it: "600 all-in"."""
    return str(price).replace("$", "") if price else ""


def _links() -> Iterator[TrackingLink]:
    """Iterate over the active links in the order of job numbers, a batch at a time."""
    links = (
        TrackingLink.objects.active()
        .filter(job__is_probe=False)
        .select_related("job__customer", "job__service")
        .prefetch_related("job__prices")
        .order_by("job__number")
    )
    last = 0
    while batch := list(links.filter(job__number__gt=last)[:AT_ONCE]):
        yield from batch
        last = batch[-1].job.number
