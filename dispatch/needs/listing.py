"""Reading what needs the office: for the board's lane, the job list's filter and the front page."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from django.db.models import CharField, Count, QuerySet, Value, Window

from dispatch.models import Job, JobQuerySet
from dispatch.needs.rules import SINCE, JobRule, Need, OfficeRule, Rule
from dispatch.needs.snoozing import awake, snoozed_rules
from dispatch.needs.table import job_rules, rule_by_code, rules

MOST = 50


@dataclass(frozen=True, slots=True)
class Found:
    """What a rule finds: `count` in all, of which `needs` has the MOST that wait longest."""

    rule: Rule
    needs: Sequence[Need]
    count: int


def needs_you(now: datetime) -> list[Need]:
    """Return what needs the office, rule by rule; at most MOST of each. See by_rule."""
    return [need for found in by_rule(now) for need in found.needs]


def by_rule(now: datetime) -> list[Found]:
    """Return what each rule finds and is not snoozed, if anything.

    Takes a query for each rule, one more for dumpsters and one for snoozed rules, however much
    there is.
    """
    asleep = snoozed_rules(now)
    found = [_find(rule, now) for rule in rules() if rule.code not in asleep]
    return [one for one in found if one.count]


def count_by_rule(now: datetime) -> dict[str, int]:
    """Return how many jobs each rule about jobs finds, snoozed ones not counted. Two queries."""
    rules_now = job_rules()
    counts = [_counted(rule, now) for rule in rules_now]
    # A set that is known to be empty without asking is left out of the union.
    none = dict.fromkeys((rule.code for rule in rules_now), 0)
    return none | dict(counts[0].union(*counts[1:], all=True))


def jobs_of(rule: str, now: datetime) -> JobQuerySet:
    """Return the jobs that a rule finds and that are not snoozed. Raises ValueRefused."""
    found = rule_by_code(rule)
    if isinstance(found, OfficeRule):
        none: JobQuerySet = Job.objects.none()
        return none
    return _awake(found, now)


def jobs_of_any(now: datetime) -> JobQuerySet:
    """Return the jobs that need the office by some rule."""
    sets = [_awake(rule, now).order_by().values("pk") for rule in job_rules()]
    found: JobQuerySet = Job.objects.filter(pk__in=sets[0].union(*sets[1:]))
    return found


def _awake(rule: JobRule, now: datetime) -> JobQuerySet:
    return awake(rule.jobs(now), rule.code, now)


def _find(rule: Rule, now: datetime) -> Found:
    if isinstance(rule, OfficeRule):
        needs = rule.needs(now)
        return Found(rule, needs[:MOST], len(needs))
    jobs = _awake(rule, now).select_related("service").annotate(in_all=Window(Count("pk")))
    rows = list(jobs.order_by(SINCE, "pk")[:MOST])
    count = rows[0].in_all if rows else 0  # type: ignore[attr-defined]  # annotated above
    return Found(rule, [rule.need(job, now) for job in rows], count)


def _counted(rule: JobRule, now: datetime) -> QuerySet[Job, tuple[str, int]]:
    code = Value(rule.code, output_field=CharField())
    named = _awake(rule, now).order_by().values(code=code)
    return named.annotate(count=Count("pk")).values_list("code", "count")
