"""Photos of a job."""

from django.db import models

from dispatch.models.jobs import Job


class Photo(models.Model):
    """A photo of a job in two sizes, re-encoded; the original is not kept.

    `large` and `small` are names in the default storage, random and not derived from the job.
    """

    class Stage(models.TextChoices):
        BEFORE = "before", "Before"
        AFTER = "after", "After"

    job = models.ForeignKey(Job, models.CASCADE, related_name="photos")
    # Which part of the visit a crew's photo shows; "" for others.
    stage = models.CharField(max_length=10, choices=Stage.choices, blank=True, default="")
    large = models.CharField(max_length=100, unique=True)
    small = models.CharField(max_length=100, unique=True)
    width = models.PositiveIntegerField()
    height = models.PositiveIntegerField()
    actor = models.CharField(max_length=150)
    at = models.DateTimeField(auto_now_add=True, db_index=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"Photo {self.pk}"
