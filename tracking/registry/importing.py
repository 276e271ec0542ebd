"""Taking over a registry: batch by batch, so that it can be stopped and run again at any time.

Each batch is one transaction. A second run finds every row as the first one left it, so it changes
nothing, and one after a kill continues where the first ended.
"""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from itertools import islice
from pathlib import Path
from typing import Any

from django.db import IntegrityError, transaction

from dispatch.errors import JobChangedMeanwhile
from dispatch.numbers import last_number, raise_last_number
from tracking.errors import RegistryUnreadable
from tracking.numbers import continued
from tracking.registry.mapping import Tables
from tracking.registry.planning import Plan, plan_batch
from tracking.registry.reading import Entry, NotJson, read_entries
from tracking.registry.rows import (
    FIELDS,
    MOST_NUMBER,
    OUR_NUMBER,
    Row,
    RowRefused,
    parse_row,
    shown,
)
from tracking.registry.saving import save_batch
from tracking.registry.tokens import opens

AT_ONCE = 500
# A batch that meets a change of the same jobs is planned again.
ATTEMPTS = 3
# Names of fields that are kept for the summary.
MOST_NAMED = 10
# What the private registry has besides; the jobs here have their own.
IGNORED = FIELDS | {"updated_at"}


@dataclass(frozen=True, slots=True)
class Refusal:
    """A row that was not taken. The id is "" where the file is not JSON."""

    line: int
    id: str
    field: str
    found: str
    expected: str

    def __str__(self) -> str:
        what = f"{shown(self.id)}: {self.field or 'the row'}" if self.id else "the file"
        return f"Line {self.line}, {what} is {self.found}; expected {self.expected}."


@dataclass(slots=True)
class Imported:
    """The counts of an import. `read` counts every row.

    `other_fields` are those that were left out, and `unreachable` the ids of jobs whose token no
    link can carry.
    """

    read: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[Refusal] = field(default_factory=list)
    seconds: float = 0.0
    is_whole: bool = True
    other_fields: set[str] = field(default_factory=set)
    unreachable: list[str] = field(default_factory=list)

    @property
    def taken(self) -> int:
        return self.created + self.changed + self.unchanged

    def as_json(self) -> dict[str, Any]:
        """Return it for --json."""
        names = ("read", "created", "changed", "unchanged")
        counts = {name: getattr(self, name) for name in names}
        refused = [asdict(refusal) for refusal in self.refused]
        return {**counts, "refused": refused, "seconds": round(self.seconds, 2)}


def import_jobs(
    path: Path,
    *,
    tables: Tables,
    actor: str,
    dry_run: bool = False,
    known_number: int = 0,
    report: Callable[[Refusal], None],
    progress: Callable[[int], None] = lambda rows: None,
) -> Imported:
    """Take over the jobs and links of a registry. Customers get no message.

    `report` gets each row that was not taken, in the order of the file; `progress` how many rows
    were read. New jobs get numbers above `known_number`. Raises RegistryUnreadable or
    JobChangedMeanwhile; the batches before are saved.
    """
    started = time.monotonic()
    if not dry_run:
        # First of all: jobs with other ids, and bookings in the meantime, get numbers above these.
        raise_last_number(max(_numbers(path), default=0))
        raise_last_number(continued(last_number(), known=known_number))
    run = _Run(tables, actor=actor, dry_run=dry_run, report=report)
    entries = _entries(path, run.not_json)
    while batch := list(islice(entries, AT_ONCE)):
        run.take(batch)
        progress(run.done.read)
    run.done.seconds = time.monotonic() - started
    return run.done


class _Run:
    """One import: what was counted so far, and which ids and tokens the file has had."""

    def __init__(
        self, tables: Tables, *, actor: str, dry_run: bool, report: Callable[[Refusal], None]
    ) -> None:
        self.done = Imported()
        self._tables, self._actor, self._dry_run, self._report = tables, actor, dry_run, report
        self._lines: dict[str | bytes, int] = {}

    def take(self, entries: Sequence[Entry]) -> None:
        """Check a batch, write it in one transaction, and count it."""
        refused, rows = [], []
        for entry in entries:
            try:
                rows.append(self._row(entry))
            except RowRefused as refusal:
                refused.append(_refusal(entry, refusal))
        plan = self._saved(rows)
        refused += [_refusal(row, refusal) for row, refusal in plan.refused]
        self._count(entries, plan, sorted(refused, key=lambda one: one.line))

    def not_json(self, fault: NotJson) -> None:
        """Report the place from which on the file cannot be read."""
        self.done.is_whole = False
        self._refuse(Refusal(fault.line, "", "", fault.found, fault.expected))

    def _row(self, entry: Entry) -> Row:
        """Return the row, unless the file had its id or token before. Raises RowRefused."""
        if first := self._lines.get(entry.id):
            raise RowRefused("id", f"the id of line {first}", "one row for each id")
        self._lines[entry.id] = entry.line
        row = parse_row(entry, self._tables)
        digest = bytes.fromhex(row.token_sha256)
        if first := self._lines.get(digest):
            raise RowRefused("token", f"the token of line {first}", "another token for each job")
        self._lines[digest] = entry.line
        return row

    def _saved(self, rows: Sequence[Row]) -> Plan:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return _save(rows, actor=self._actor, dry_run=self._dry_run)
            except (IntegrityError, JobChangedMeanwhile):
                if attempt == ATTEMPTS:
                    break
        # Without the cause: a database's message may hold a token.
        raise JobChangedMeanwhile(
            "Jobs of the file are being changed elsewhere.",
            "Wait until other imports have ended, then run it again.",
        ) from None

    def _count(self, entries: Sequence[Entry], plan: Plan, refused: Iterable[Refusal]) -> None:
        done = self.done
        done.read += len(entries)
        done.created += len(plan.created)
        done.changed += len(plan.updated)
        done.unchanged += plan.unchanged
        for entry in entries:
            if isinstance(entry.row, dict) and len(done.other_fields) < MOST_NAMED:
                done.other_fields |= entry.row.keys() - IGNORED
        done.unreachable += [row.id for row in plan.created if not opens(row.token)]
        for refusal in refused:
            self._refuse(refusal)

    def _refuse(self, refusal: Refusal) -> None:
        self.done.refused.append(refusal)
        self._report(refusal)


def _save(rows: Sequence[Row], *, actor: str, dry_run: bool) -> Plan:

    with transaction.atomic():
        plan = plan_batch(rows)
        if not dry_run:
            save_batch(plan, actor=actor)
    return plan


def _entries(path: Path, on_fault: Callable[[NotJson], None]) -> Iterator[Entry]:
    try:
        yield from read_entries(path)
    except NotJson as fault:
        on_fault(fault)
    except OSError as error:
        raise RegistryUnreadable(
            f"{path} cannot be read: {error.strerror}.", "Check the path."
        ) from error


def _numbers(path: Path) -> Iterator[int]:
    """Iterate over the job numbers of a file."""
    for entry in _entries(path, on_fault=lambda fault: None):
        found = OUR_NUMBER.fullmatch(entry.id)
        if found and len(found[1]) <= len(str(MOST_NUMBER)):
            yield int(found[1])


def _refusal(row: Entry | Row, refusal: RowRefused) -> Refusal:
    return Refusal(row.line, row.id, refusal.field, refusal.found, refusal.expected)
