"""The run of a link: its jobs in order, with what the page shows of each."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime
from urllib.parse import quote_plus

from django.db.models import Exists, OuterRef, Q, prefetch_related_objects
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _

from crews.models import CrewLink
from crews.steps import CLOSED, OFFERED, Act, State, state_of
from dispatch.models import Job, JobEvent, JobQuerySet, Run
from dispatch.photos.storing import FOLDER
from dispatch.price_questions import question_of
from dispatch.runs import in_order, on_day
from dispatch.statuses import Status
from dispatch.times import clock_text, interval_text
from dispatch.visits import VISIT, Failure

MAPS = "https://www.google.com/maps/dir/?api=1&destination="


def jobs_of(link: CrewLink) -> JobQuerySet:
    """Return the jobs of a link's run, and those that left it on the day, for the crew to know.

    A dumpster that was delivered has no window any more, and a cancelled job is in no run. Until
    the link ends, the run keeps the jobs that are under way, after midnight too.
    """
    events = JobEvent.objects.filter(job=OuterRef("pk"), at__gte=link.opens_at)
    delivered = Q(status=Status.ON_SITE) & Exists(events.filter(status=Status.ON_SITE))
    cancelled = Q(status=Status.CANCELLED) & Exists(events.filter(status=Status.CANCELLED))
    run = Q(pk__in=on_day(link.day, today=link.day).filter(crew=link.crew).values("pk"))
    jobs: JobQuerySet = Job.objects.filter(crew=link.crew).filter(run | delivered | cancelled)
    return jobs


@dataclass(frozen=True, slots=True)
class Stop:
    """A job of the run as its crew reads it, in the language that is active."""

    job: Job
    day: date
    token: str

    @property
    def state(self) -> State:
        return state_of(self.job)

    @property
    def is_closed(self) -> bool:
        """Whether nothing is left to do, so that the page needs no private details."""
        return self.state in CLOSED

    @property
    def is_under_way(self) -> bool:
        return self.state in (State.ON_THE_WAY, State.ARRIVED, State.LOADING)

    @property
    def offered(self) -> tuple[Act, ...]:
        return OFFERED.get(self.state, ())

    @property
    def window(self) -> str:
        """The arrival window, without the day unless that is another one."""
        start, end = self.job.window_start, self.job.window_end
        if start is None or end is None:
            return ""
        text = interval_text(start, end, timezone.now())
        same = timezone.localtime(start).date() == timezone.localtime(end).date() == self.day
        return text.partition(", ")[2] if same else text

    @property
    def maps(self) -> str:
        """The address of directions, for the phone's own map."""
        job = self.job
        return MAPS + quote_plus(f"{job.address_line}, {job.town}, {job.zip_code}")

    @property
    def price(self) -> str:
        price = self.job.price
        return price.shown if price else _("No price yet")

    @property
    def price_question(self) -> str:
        """What the customer was asked about a new price, or ""."""
        question = question_of(self.job)
        if question is None:
            return ""
        return _("Was %(before)s. The customer has not accepted the new price yet.") % {
            "before": question.before.shown
        }

    @property
    def failure(self) -> str | Promise:
        """Why the crew could not do the job at its last visit, if nothing came after."""
        events = sorted(self.job.events.all(), key=lambda event: event.pk)
        # Its photos come after it, and change nothing.
        told = [event for event in events if event.changes.keys() != {"photos"}]
        last = told[-1].changes if told else {}
        return Failure(last[VISIT][1]).label if VISIT in last else ""

    @property
    def photos(self) -> list[dict[str, str]]:
        """The photos of the booking and of the visit, oldest first."""
        return [
            {"large": self._photo(photo.large), "small": self._photo(photo.small)}
            for photo in self.job.photos.all()
        ]

    def _photo(self, name: str) -> str:
        return reverse("crews:photo", args=[self.token, name.removeprefix(f"{FOLDER}/")])


def stops_of(link: CrewLink) -> list[Stop]:
    """Return the run in order, in a constant number of queries."""
    run = Run.objects.filter(crew=link.crew, day=link.day).first()
    jobs = in_order(jobs_of(link).with_related(), run.order if run else [])
    prefetch_related_objects(jobs, "events", "photos")
    return [Stop(job, link.day, link.token) for job in jobs]


def first_open(stops: list[Stop]) -> set[int]:
    """Return the jobs to show whole at first: those under way, or else the next one."""
    under_way = {stop.job.pk for stop in stops if stop.is_under_way}
    return under_way or set(_next(stops))


def _next(stops: list[Stop]) -> Iterator[int]:
    for stop in stops:
        if stop.offered:
            yield stop.job.pk
            return


def day_text(day: date) -> str:
    """Format the day of a run, like "Monday, Nov 23"."""
    # Translators: a format of a day, as Django's filter `date` reads it.
    return date_format(day, _("l, M j"))


def end_text(end: datetime) -> str:
    """Format the end of a link, like "4:00 AM"."""
    return clock_text(end)
