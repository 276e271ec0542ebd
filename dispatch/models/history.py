"""The history of a job: its events, and consent to text messages."""

from collections.abc import Iterable

from django.db import models

from dispatch.models.append_only import AppendOnly
from dispatch.models.jobs import Job
from dispatch.statuses import Status

# The event of a step back has the first of the revisions that it takes back under this name.
STEP_BACK = "step_back"
# After a failed visit, a change of one of these is a new plan.
PLANS = frozenset({"status", "window_start", "window_end"})
# The last event of several steps at once has their number under this name.
STEPS = "steps"


class JobEvent(AppendOnly):
    """One change of a job: what, when, by whom and why.

    `changes` maps a field name to [before, after], as written by details.history_value. `key` is
    that of the form or the tap which caused it, so that what is sent twice counts once. `tapped_at`
    is when a crew tapped, if its phone had to wait for a signal; `at` is when we heard of it.
    """

    class Kind(models.TextChoices):
        CREATED = "created", "Created"
        STATUS = "status", "Status"
        DETAILS = "details", "Details"
        PRICE = "price", "Price"
        ANSWER = "answer", "Customer's answer"
        VISIT = "visit", "Failed visit"

    job = models.ForeignKey(Job, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=20, choices=Status.choices)
    changes = models.JSONField(default=dict)
    revision = models.PositiveIntegerField()
    key = models.UUIDField(unique=True, null=True, editable=False)
    tapped_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["job", "revision"], name="one_event_per_revision")
        ]
        # Reports start from the events of a period.
        indexes = [models.Index(fields=["kind", "at"], name="event_by_kind")]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_status_display()}"

    @property
    def is_step_back(self) -> bool:
        return STEP_BACK in self.changes

    @property
    def leaves_site(self) -> bool:
        """Whether the job moved on with its dumpster placed; agrees with JobQuerySet.out."""
        before = self.changes.get("status", [""])[0]
        return bool(before == Status.ON_SITE) and not self.is_step_back


def is_visit_over(events: Iterable[JobEvent]) -> bool:
    """Whether the last visit failed and nothing was planned since; agrees with visits.failed.

    Expects the events in their order.
    """
    last = None
    for event in events:
        if event.kind == JobEvent.Kind.VISIT or PLANS & event.changes.keys():
            last = event.kind
    return last == JobEvent.Kind.VISIT


def without_steps_back(events: Iterable[JobEvent]) -> list[JobEvent]:
    """Return events in their order, without steps back and the steps that these took back."""
    kept: list[JobEvent] = []
    for event in events:
        if event.is_step_back:
            first = int(event.changes[STEP_BACK][1])
            kept = [one for one in kept if one.revision < first or "status" not in one.changes]
        else:
            kept.append(event)
    return kept


class TextConsent(models.Model):
    """Proof of consent to text messages: the text shown, when, and to which IP address."""

    job = models.OneToOneField(Job, models.PROTECT, related_name="text_consent")
    at = models.DateTimeField(auto_now_add=True)
    version = models.CharField(max_length=20)
    text = models.TextField()
    ip_address = models.GenericIPAddressField("IP address", null=True, blank=True)

    class Meta:
        verbose_name = "consent to text messages"
        verbose_name_plural = "consents to text messages"

    def __str__(self) -> str:
        return f"Consent to text messages, {self.version}"
