"""Snoozing: hiding a need for some hours, with a reason."""

from datetime import datetime, timedelta

from django.db.models import Exists, OuterRef, QuerySet
from django.utils import timezone

from dispatch.errors import ValueRefused
from dispatch.models import Job, JobEvent, JobQuerySet, Snooze
from dispatch.needs.rules import JobRule
from dispatch.needs.table import rule_by_code

HOURS = (1, 4, 24, 72)


def snooze(*, rule: str, job: Job | None, hours: int, reason: str, actor: str) -> Snooze:
    """Hide a job from a rule, or a rule that is about no job, for some hours.

    The job is back earlier if its status changes. Raises ValueRefused.
    """
    found = rule_by_code(rule)
    if isinstance(found, JobRule) != (job is not None):
        expected = "a job" if job is None else "no job"
        raise ValueRefused(
            f"The rule '{rule}' is snoozed with {expected}.", "Reload the page.", field="job"
        )
    if hours not in HOURS:
        choices = ", ".join(map(str, HOURS))
        raise ValueRefused(
            f"Expected {choices} hours, found {hours}.", "Choose one of these.", field="hours"
        )
    until = timezone.now() + timedelta(hours=hours)
    return Snooze.objects.create(
        rule=rule, job=job, until=until, reason=_checked(reason), actor=actor
    )


def end_snooze(snoozed: Snooze) -> None:
    """Show again what a snooze hides, also if another one hides it too."""
    now = timezone.now()
    same = Snooze.objects.filter(rule=snoozed.rule, job=snoozed.job, until__gt=now)
    same.update(until=now)


def hiding(now: datetime) -> QuerySet[Snooze]:
    """Return the snoozes that hide something now."""
    moved = JobEvent.objects.filter(
        job=OuterRef("job"), at__gt=OuterRef("at"), changes__has_key="status"
    )
    return Snooze.objects.filter(until__gt=now).exclude(Exists(moved))


def awake(jobs: JobQuerySet, rule: str, now: datetime) -> JobQuerySet:
    """Return the jobs that are not snoozed for a rule."""
    awake_jobs: JobQuerySet = jobs.exclude(
        Exists(hiding(now).filter(rule=rule, job=OuterRef("pk")))
    )
    return awake_jobs


def snoozed_rules(now: datetime) -> set[str]:
    """Return the codes of the rules without jobs that are snoozed."""
    rows = Snooze.objects.filter(until__gt=now, job__isnull=True)
    return set(rows.values_list("rule", flat=True))


def _checked(reason: str) -> str:
    text = " ".join(reason.split())
    most = Snooze._meta.get_field("reason").max_length or 0
    if not text:
        raise ValueRefused("Snoozing needs a reason.", "Enter a reason.", field="reason")
    if len(text) > most or "\x00" in text:
        raise ValueRefused(
            f"Expected a reason of at most {most} characters, found {len(text)}.",
            "Shorten it.",
            field="reason",
        )
    return text
