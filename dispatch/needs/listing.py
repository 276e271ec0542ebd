"""The jobs that need the office, as sets and as counts: for the job list and its filter."""

from datetime import datetime

from django.db.models import CharField, Count, QuerySet, Value

from dispatch.models import Job, JobQuerySet
from dispatch.needs.rules import JobRule, OfficeRule
from dispatch.needs.snoozing import awake
from dispatch.needs.table import job_rules, rule_by_code


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


def _counted(rule: JobRule, now: datetime) -> QuerySet[Job, tuple[str, int]]:
    code = Value(rule.code, output_field=CharField())
    named = _awake(rule, now).order_by().values(code=code)
    return named.annotate(count=Count("pk")).values_list("code", "count")
