"""Carrying out an act: once per key, on the job as it was seen."""

from uuid import UUID

from django.db import IntegrityError
from django.http import HttpResponse

from dispatch.errors import DispatchError, JobChangedMeanwhile, RunChangedMeanwhile
from dispatch.models import Job, JobEvent, Run
from office.board import answers
from office.board.acts import ACTS, ANY_REVISION, WITHOUT_JOB, Asked
from office.board.asking import BadBody, Body
from tracking.errors import TrackingError


def act(body: Body, *, actor: str) -> HttpResponse:
    """Do what a body asks for and answer; the same key again gets the same answer."""
    try:
        return _act(body, actor)
    except BadBody as refusal:
        return answers.bad(refusal)


def _act(body: Body, actor: str) -> HttpResponse:
    name, key, day = body.text("act"), body.key(), body.day()
    if name not in ACTS:
        raise BadBody(f"Expected one of {', '.join(ACTS)} as “act”, found “{name}”.", "Reload.")
    pk = body.number("job") if name in WITHOUT_JOB else body.needed_number("job")
    seen = body.number("revision") if name in ANY_REVISION else body.needed_number("revision")
    job = None if pk is None else _job(pk)
    if pk is not None and job is None:
        return answers.not_found()
    asked = Asked(seen=job, body=body, actor=actor, key=key, day=day)
    return _again(asked) or _now(name, asked, seen)


def _now(name: str, asked: Asked, seen: int | None) -> HttpResponse:
    job, day = asked.seen, asked.day
    revision = job.revision if job else 0
    if name not in ANY_REVISION and seen != revision:
        return answers.conflict(asked.job, day, seen or 0)
    try:
        message = ACTS[name](asked)
    except RunChangedMeanwhile as refusal:
        run = Run.objects.filter(crew=asked.job.crew_id, day=day).first()
        return answers.run_conflict(asked.job, day, refusal, run.actor if run else "")
    except (JobChangedMeanwhile, IntegrityError):
        # The same request, sent twice at once, or another dispatcher's.
        return _again(asked) or answers.conflict(asked.job, day, revision)
    except (DispatchError, TrackingError) as refusal:
        return answers.refused(_job(job.pk) if job else None, refusal)
    return answers.done(job, day, _event(asked.key), message)


def _again(asked: Asked) -> HttpResponse | None:
    """Return the answer to an act that was done with this key before, or None."""
    event = _event(asked.key)
    if event is None:
        return None
    if asked.seen is None or event.job_id != asked.seen.pk or event.actor != asked.actor:
        raise BadBody("This key was used for another act.", "Make a new one for each act.")
    return answers.done(asked.seen, asked.day, event, "")


def _event(key: UUID) -> JobEvent | None:
    return JobEvent.objects.filter(key=key).select_related("job").first()


def _job(pk: int) -> Job | None:
    jobs = Job.objects.select_related("customer", "service", "crew")
    found: Job | None = jobs.filter(pk=pk).first()
    return found
