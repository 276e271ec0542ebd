"""What a rule of "needs you" is, and what it finds."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.db.models import OuterRef, QuerySet
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from dispatch.models import Job, JobEvent, JobQuerySet

# The annotation with the time since when a job has been in a rule's set.
SINCE = "needed_since"


@dataclass(frozen=True, slots=True)
class Action:
    """The one action that settles a need.

    `act` names an act of the board; for `open`, and for those without the board, `url` is the page
    where it is done.
    """

    act: str
    label: str
    url: str


@dataclass(frozen=True, slots=True)
class Need:
    """A reason to act, about a job or, without one, about something else."""

    rule: str
    job: Job | None
    sentence: str
    action: Action
    since: datetime | None


def job_page(job: Job, part: str = "") -> str:
    """Return the path of the job's page, at one of its parts."""
    return reverse("admin:dispatch_job_change", args=[job.pk]) + (f"#{part}" if part else "")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobRule:
    """A rule whose needs are jobs: those of `jobs(now)`, annotated with SINCE.

    name: its title in lists and filters.
    meaning: which jobs it finds, in words, for the reference.
    sentence: what is said about a job of the set, which has the set's annotations; a full stop
        is added.
    part: the part of the job's page where the action is done, unless `url` leads elsewhere.
    permission: who may see its needs, besides the permission to view jobs.
    """

    code: str
    name: str
    meaning: str
    act: str
    label: str
    jobs: Callable[[datetime], JobQuerySet]
    sentence: Callable[[Any, datetime], str]
    part: str = ""
    url: Callable[[Job], str] | None = None
    permission: str = "dispatch.view_job"

    def need(self, job: Job, now: datetime) -> Need:
        """Return the need of a job of the set."""
        url = self.url(job) if self.url else job_page(job, self.part)
        action = Action(self.act, self.label, url)
        sentence = with_full_stop(self.sentence(job, now))
        return Need(self.code, job, sentence, action, getattr(job, SINCE))


@dataclass(frozen=True, slots=True, kw_only=True)
class OfficeRule:
    """A rule whose needs are about no job. `find(now)` returns a sentence for each."""

    code: str
    name: str
    meaning: str
    label: str
    page: str
    find: Callable[[datetime], Sequence[str]]
    permission: str
    act: str = "open"

    def needs(self, now: datetime) -> list[Need]:
        action = Action(self.act, self.label, reverse(self.page))
        return [Need(self.code, None, sentence, action, None) for sentence in self.find(now)]


Rule = JobRule | OfficeRule


def events_of_job() -> QuerySet[JobEvent]:
    """Return the events of the job of an outer query, the newest first."""
    return JobEvent.objects.filter(job=OuterRef("pk")).order_by("-pk")


def with_full_stop(text: str) -> str:
    """End a text with a full stop, unless it has one: "1 p.m." does."""
    return text if text.endswith(".") else f"{text}."


def moment(at: datetime) -> str:
    """Format a time for the office, like "Fri Nov 20, 1 p.m."."""
    return date_format(timezone.localtime(at), "D M j, P")
