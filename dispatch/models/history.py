"""The history of a job: its events, and consent to text messages."""

from django.db import models

from dispatch.models.append_only import AppendOnly
from dispatch.models.jobs import Job
from dispatch.statuses import Status


class JobEvent(AppendOnly):
    """One change of a job: what, when, by whom and why.

    `changes` maps a field name to [before, after], as written by details.history_value.
    """

    class Kind(models.TextChoices):
        CREATED = "created", "Created"
        STATUS = "status", "Status"
        DETAILS = "details", "Details"
        PRICE = "price", "Price"

    job = models.ForeignKey(Job, models.PROTECT, related_name="events")
    kind = models.CharField(max_length=10, choices=Kind.choices)
    status = models.CharField(max_length=20, choices=Status.choices)
    changes = models.JSONField(default=dict)
    revision = models.PositiveIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(fields=["job", "revision"], name="one_event_per_revision")
        ]

    def __str__(self) -> str:
        return f"{self.get_kind_display()}: {self.get_status_display()}"


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
