"""What the page of a job offers its customer, and what it says after they did something."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypedDict

from django.urls import reverse
from django.utils import translation

from dispatch.customer_actions.acting import ACTOR
from dispatch.customer_actions.results import Result, result_of
from dispatch.customer_actions.rules import Action, possible_actions
from dispatch.models import Job, JobEvent
from tracking.action_texts import DONE, TEXTS
from tracking.models import TrackingLink

# A page that is reloaded much later says nothing about what was done then.
SAID_FOR = timedelta(hours=1)


class Offered(TypedDict):
    """A link to the page of an action, with its texts in the job's language."""

    code: str
    url: str
    label: str
    text: str


def actions_for(link: TrackingLink, now: datetime) -> list[Offered]:
    """Return what the customer can do now; nothing once the link is a receipt."""
    if link.is_receipt:
        return []
    return offered(link, possible_actions(link.job, now))


def offered(link: TrackingLink, actions: Iterable[Action]) -> list[Offered]:
    """Return the links to the pages of these actions."""
    with translation.override(link.job.language):
        return [
            Offered(
                code=action.value,
                url=action_url(link, action),
                label=str(TEXTS[action].label),
                text=str(TEXTS[action].text),
            )
            for action in actions
        ]


def action_url(link: TrackingLink, action: Action) -> str:
    """Return the path of an action's page."""
    return reverse(f"tracking:{action}", kwargs={"token": link.token})


def done_text(job: Job, code: str, now: datetime) -> str:
    """Return what a page says after an action; "" unless the customer did just that, and lately.

    So a link that another site makes up says nothing.
    """
    if code not in set(Result):
        return ""
    last = JobEvent.objects.filter(job=job, actor=ACTOR, at__gt=now - SAID_FOR).last()
    if last is None or last.kind == JobEvent.Kind.CREATED or result_of(last) != code:
        return ""
    with translation.override(job.language):
        return str(DONE[Result(code)])
