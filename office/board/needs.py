"""The lane "Needs you" of the board: what dispatch.needs finds, in as many queries for all rules.

`dispatch.needs.listing` asks once per rule, which is one too many for a page that 16 people poll.
"""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, islice
from typing import Any

from django.db.models import F, IntegerField, JSONField, QuerySet, TextField, Value
from django.db.models.functions import Cast

from dispatch.models import Job
from dispatch.needs.listing import jobs_of
from dispatch.needs.rules import SINCE, JobRule, Need, OfficeRule, Rule
from dispatch.needs.snoozing import snoozed_rules
from dispatch.needs.table import rules

# So many of each rule are shown; the others follow as these are done.
MOST = 25
# Rows of one query have equal columns: so many for what else the sets say about a job.
EXTRAS = 4
# More of them are not counted.
READ = 2_000
# Jobs of the board have it already.
KNOWN = frozenset({SINCE, "placed_at"})


@dataclass(frozen=True, slots=True)
class Row:
    """A job that a rule finds; `values` are the annotations of the rule's set."""

    rule: JobRule
    job: int
    values: Mapping[str, Any]

    def need(self, job: Job, now: datetime) -> Need:
        """Return the need in words."""
        for name, value in self.values.items():
            setattr(job, name, value)
        return self.rule.need(job, now)


@dataclass(frozen=True, slots=True)
class Lane:
    """What `rules` find, most urgent first: `rows` about jobs, and `more` that are not shown."""

    rules: Sequence[Rule]
    rows: Sequence[Row]
    more: int

    @property
    def jobs(self) -> set[int]:
        """The keys of the jobs in the lane."""
        return {row.job for row in self.rows}

    def needs(self, jobs: Mapping[int, Job], now: datetime) -> Iterator[Need]:
        """Return the needs in words; `jobs` has those of the lane, by key."""
        for rule in self.rules:
            if isinstance(rule, OfficeRule):
                yield from rule.needs(now)[:MOST]
            else:
                rows = (row for row in self.rows if row.rule is rule)
                yield from (row.need(jobs[row.job], now) for row in rows if row.job in jobs)


def lane(now: datetime, may: Callable[[str], bool]) -> Lane:
    """Return the lane for a viewer who has a permission if `may` says so."""
    asleep = snoozed_rules(now)
    seen = [rule for rule in rules() if rule.code not in asleep and may(_permission(rule))]
    found = _rows([rule for rule in seen if isinstance(rule, JobRule)], now)
    kept: list[Row] = []
    for _, rows in groupby(found, key=lambda row: row.rule.code):
        kept += islice(rows, MOST)
    return Lane(seen, kept, len(found) - len(kept))


def _permission(rule: Rule) -> str:
    return rule.permission


def _rows(found: Sequence[JobRule], now: datetime) -> list[Row]:
    if not found:
        return []
    sets = [jobs_of(rule.code, now) for rule in found]
    extras = [_extras(jobs) for jobs in sets]
    first, *rest = (_columns(jobs, place, [*extras[place]]) for place, jobs in enumerate(sets))
    rows: Any = first.union(*rest, all=True)
    return [
        Row(found[place], pk, {SINCE: since, **_values(extras[place], texts)})
        for place, pk, since, *texts in rows.order_by("place", SINCE, "pk")[:READ]
    ]


def _extras(jobs: QuerySet[Job]) -> dict[str, bool]:
    """Return the names of what the set says about a job, and whether it is JSON."""
    annotations = jobs.query.annotations
    return {
        name: isinstance(annotations[name].output_field, JSONField)
        for name in annotations
        if name not in KNOWN
    }


def _columns(jobs: QuerySet[Job], place: int, extras: Sequence[str]) -> QuerySet[Job, Any]:
    names = [*extras, *[None] * EXTRAS][: max(EXTRAS, len(extras))]
    texts = {
        f"text{number}": Cast(F(name), TextField()) if name else Value(None, TextField())
        for number, name in enumerate(names)
    }
    columns = jobs.order_by().annotate(place=Value(place, IntegerField()), **texts)
    rows: QuerySet[Job, Any] = columns.values_list("place", "pk", SINCE, *texts)
    return rows


def _values(extras: Mapping[str, bool], texts: Sequence[str | None]) -> dict[str, Any]:
    pairs = zip(extras.items(), texts, strict=False)
    return {
        name: json.loads(text) if is_json and text is not None else text
        for (name, is_json), text in pairs
    }
