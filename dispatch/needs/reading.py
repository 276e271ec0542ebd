"""Reading what needs the office in one query for all rules: for the board and the front page."""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import Count, F, IntegerField, JSONField, QuerySet, TextField, Value, Window
from django.db.models.functions import Cast, RowNumber

from dispatch.models import Job
from dispatch.needs.listing import jobs_of
from dispatch.needs.rules import SINCE, JobRule, Need, OfficeRule, Rule
from dispatch.needs.snoozing import snoozed_rules
from dispatch.needs.table import rules

# Annotations that the jobs of the pages have already.
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
class Found:
    """What a rule finds: `count` in all, of which `needs` has those that wait longest."""

    rule: Rule
    needs: Sequence[Need]
    count: int


@dataclass(frozen=True, slots=True)
class Waiting:
    """What needs the office: at most `most` rows of each rule, and how many each rule finds."""

    rules: Sequence[Rule]
    rows: Sequence[Row]
    counts: Mapping[str, int]
    most: int

    @property
    def jobs(self) -> set[int]:
        """The keys of the jobs that the rows are about."""
        return {row.job for row in self.rows}

    def by_rule(self, jobs: Mapping[int, Job], now: datetime) -> list[Found]:
        """Return what each rule finds, if anything, most urgent first.

        `jobs` holds the jobs of `self.jobs` by key, with `placed_at`. A missing one was deleted in
        the meantime.
        """
        found = [self._found(rule, jobs, now) for rule in self.rules]
        return [one for one in found if one.needs]

    def _found(self, rule: Rule, jobs: Mapping[int, Job], now: datetime) -> Found:
        if isinstance(rule, OfficeRule):
            needs = rule.needs(now)
            return Found(rule, needs[: self.most], len(needs))
        rows = [row for row in self.rows if row.rule is rule and row.job in jobs]
        needs = [row.need(jobs[row.job], now) for row in rows]
        return Found(rule, needs, self.counts.get(rule.code, 0))


def read_needs(now: datetime, may: Callable[[str], bool], *, most: int) -> Waiting:
    """Return what needs the office and is not snoozed, by the rules that a viewer may see.

    may: whether the viewer has a permission.
    most: how many jobs of each rule are read.
    """
    asleep = snoozed_rules(now)
    seen = [rule for rule in rules() if rule.code not in asleep and may(rule.permission)]
    rows, counts = _read([rule for rule in seen if isinstance(rule, JobRule)], now, most)
    return Waiting(seen, rows, counts, most)


def _read(found: Sequence[JobRule], now: datetime, most: int) -> tuple[list[Row], dict[str, int]]:
    if not found:
        return [], {}
    sets = [jobs_of(rule.code, now) for rule in found]
    extras = [_extras(jobs) for jobs in sets]
    width = max(map(len, extras))
    first, *rest = (
        _columns(jobs, place, [*extras[place], *[None] * (width - len(extras[place]))])
        for place, jobs in enumerate(sets)
    )
    union: Any = first.union(*rest, all=True)
    # The first of each set, then the second of each: so no long set keeps another out.
    read = union.order_by("turn", "place")[: most * len(found)]
    rows, counts = [], {}
    for place, pk, since, turn, in_all, *texts in sorted(read, key=lambda row: (row[0], row[3])):
        counts[found[place].code] = in_all
        if turn <= most:
            rows.append(Row(found[place], pk, {SINCE: since, **_values(extras[place], texts)}))
    return rows, counts


def _extras(jobs: QuerySet[Job]) -> dict[str, bool]:
    """Return the names of what the set says about a job, and whether it is JSON."""
    annotations = jobs.query.annotations
    return {
        name: isinstance(annotations[name].output_field, JSONField)
        for name in annotations
        if name not in KNOWN
    }


def _columns(jobs: QuerySet[Job], place: int, names: Sequence[str | None]) -> QuerySet[Job, Any]:
    """Return the rows of a set, with what it says of a job by name; a union needs equal columns."""
    texts = {
        f"text{number}": Cast(F(name), TextField()) if name else Value(None, TextField())
        for number, name in enumerate(names)
    }
    columns = jobs.order_by().annotate(
        place=Value(place, IntegerField()),
        turn=Window(RowNumber(), order_by=[F(SINCE), F("pk")]),
        in_all=Window(Count("pk")),
        **texts,
    )
    rows: QuerySet[Job, Any] = columns.values_list("place", "pk", SINCE, "turn", "in_all", *texts)
    return rows


def _values(extras: Mapping[str, bool], texts: Sequence[str | None]) -> dict[str, Any]:
    pairs = zip(extras.items(), texts, strict=False)
    return {
        name: json.loads(text) if is_json and text is not None else text
        for (name, is_json), text in pairs
    }
