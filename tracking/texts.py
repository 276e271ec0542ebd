"""The texts of a job's page in the active language; both of its pages take them from here.

`%(name)s` is a value, and `date` a format as Django's filter `date` reads it. tracking.wording
fills them in for the application's page, track.js for the static one.
"""

from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from dispatch.statuses import FLOW, Status
from dispatch.times import NEAR_DAYS

# After "Hi Jo".
GREETINGS = {
    Status.REQUESTED: gettext_lazy(". We have your request."),
    Status.SCHEDULED: gettext_lazy(". You’re booked."),  # noqa: RUF001
}
GREETING = gettext_lazy(", here’s the status of your job:")  # noqa: RUF001
# The answer to "when?" in a status that has one of its own.
WHEN = {
    Status.EN_ROUTE: gettext_lazy("The crew is on the way"),
    Status.IN_PROGRESS: gettext_lazy("The crew is here"),
    Status.COMPLETED: gettext_lazy("Done %(day)s"),
    Status.CANCELLED: gettext_lazy("Cancelled %(day)s"),
}
# The answer while no window is set.
UNPLANNED = {Status.ON_SITE: gettext_lazy("We pick it up when you say it’s full")}  # noqa: RUF001
TO_CONFIRM = gettext_lazy("We’ll confirm your time soon")  # noqa: RUF001
ENDS = {Status.COMPLETED: "done", Status.CANCELLED: "stopped"}
# An open page looks this often on the day of its window, in seconds.
DAY_POLL_SECONDS = 30


def page_texts(answer_hours: int) -> dict[str, Any]:
    """Return every text that depends on the job, by the names that track.js uses."""
    return {
        "hi": _("Hi %(name)s"),
        "hiThere": _("Hi there"),
        "noPrice": _("To be agreed"),
        "noCrew": _("Not assigned yet"),
        "onHold": {
            "hello": str(GREETING),
            "next": _("We have paused this job, and will get in touch about a new time."),
            "when": _("On hold until we agree on a time"),
        },
        "late": _("Running late, but still coming"),
        "lateBy": _("Running about %(minutes)s minutes late"),
        "pickup": _("Pickup %(when)s"),
        "customer": _("You cancelled %(day)s"),
        "firm": _("We had to cancel %(day)s"),
        "question": _(
            "Your price would change from %(from)s to %(to)s. Please answer before we go on."
        ),
        "done": _(" (done)"),
        "changed": _("Last change: %(at)s"),
        "checked": _("Checked at %(at)s"),
        "statuses": status_table(answer_hours),
        **_time_texts(),
    }


def script_texts() -> dict[str, str]:
    """Return the texts that only the static page needs."""
    return {
        "searching": _("Still looking…"),
        "stale": _("No connection. Showing the status as of %(at)s."),
        "offline": _("No connection yet. This page will keep trying."),
        "see": _("See details"),
        "inactive": _("This link is not active"),
    }


def status_table(answer_hours: int) -> dict[str, dict[str, Any]]:
    """Return for each status what a job's page shows, and for how long it waits.

    `hello` follows "Hi Jo", `when` answers "when?" where no window does, and `unplanned` while none
    is set; `next` says what happens next. `poll` is in seconds, `waits` whether the job is late
    once its window has passed, and `end` is "done", "stopped" or "".
    """
    return {
        status.value: {
            "hello": str(GREETINGS.get(status, GREETING)),
            "when": str(WHEN.get(status, "")),
            "unplanned": str(UNPLANNED.get(status, TO_CONFIRM)),
            "next": next_text(status, answer_hours),
            "poll": step.poll_seconds,
            "waits": step.can_be_late,
            "end": ENDS.get(status, ""),
        }
        for status, step in FLOW.items()
    }


def next_text(status: Status, answer_hours: int) -> str:
    """Return what happens next; of a request also by when, in working hours."""
    text = str(FLOW[status].next_for_customer)
    if status != Status.REQUESTED:
        return text
    return text + _(" We answer within %(hours)s working hours.") % {"hours": answer_hours}


def _time_texts() -> dict[str, Any]:
    """Return the patterns of dispatch.times, and those of the answers to "when?"."""
    return {
        "near": [str(NEAR_DAYS[days]) for days in (-1, 0, 1)],
        "date": _("l, M j"),
        "interval": _("%(day)s, %(begins)s – %(ends)s"),  # noqa: RUF001
        "clock": [_("%(time)s AM"), _("%(time)s PM")],
        "on": _("on %(day)s"),
        "between": _("%(day)s between %(begins)s and %(ends)s"),
    }
