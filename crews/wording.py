"""Why a tap was refused, in words for a crew. Messages of dispatch are the office's."""

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from crews.steps import Act
from dispatch.errors import DispatchError, ValueRefused
from dispatch.guards import GuardRefused
from dispatch.models import Job
from dispatch.photos.storing import PhotosNotStored
from dispatch.statuses import Status

NOT_ON_RUN = gettext_lazy(
    "This job is not on your run any more. Open the page again, or call the office."
)
UNREADABLE = gettext_lazy("This could not be read. Call the office.")
CANCELLED = gettext_lazy("The office cancelled this job. Do not go there.")
AGAIN = gettext_lazy("Another person changed this job at the same moment. Tap again.")
MISSING = {
    "on-hold": gettext_lazy("This job is on hold. Call the office."),
    "no-window": gettext_lazy("This job has no arrival window any more. Call the office."),
    "window-over": gettext_lazy("The arrival window is over. Call the office."),
    "other-day": gettext_lazy("The arrival window is on another day now. Call the office."),
    "no-crew": NOT_ON_RUN,
    "no-price": gettext_lazy("This job has no price. Enter one, or call the office."),
    "no-final-price": gettext_lazy(
        "This job has no final price. Enter what the customer pays, then tap again."
    ),
}
VALUES = {
    Act.FAILED: gettext_lazy("Write what happened, then send it again."),
    Act.PRICE: gettext_lazy(
        "Write the price like 340 or 340.50, and say why it changes. It was not saved."
    ),
}
FULL = gettext_lazy("This job has six photos of that kind already.")
NOT_STORED = gettext_lazy("The photo could not be stored. Send it again in a few minutes.")


def refusal_words(error: DispatchError, *, act: Act, job: Job) -> str:
    """Return what a crew reads of a refusal."""
    if isinstance(error, GuardRefused):
        return " ".join(str(MISSING.get(one.code, UNREADABLE)) for one in error.missing)
    if isinstance(error, ValueRefused):
        return str(VALUES.get(act, FULL if act == Act.PHOTO else UNREADABLE))
    if isinstance(error, PhotosNotStored):
        return str(NOT_STORED)
    return state_words(job)


def state_words(job: Job) -> str:
    """Return words for a tap that does not fit what the job is now."""
    if job.status == Status.CANCELLED:
        return str(CANCELLED)
    return _("The office has this job as “%(status)s”, so this was not counted.") % {
        "status": Status(job.status).label
    }
