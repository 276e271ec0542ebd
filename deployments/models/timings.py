"""How long pages took for real viewers, as counts: no row is about one of them."""

from django.db import models

from deployments.models.environments import Environment
from deployments.models.releases import Release


class Metric(models.TextChoices):
    """What a view reports. Times are in milliseconds, CLS in thousandths."""

    VIEW = "view", "Views"
    TTFB = "ttfb", "First byte (TTFB)"
    FCP = "fcp", "First paint (FCP)"
    LCP = "lcp", "Largest paint (LCP)"
    CLS = "cls", "Layout shift (CLS)"
    INP = "inp", "Slowest input (INP)"
    DOCUMENT = "document", "Job document"
    SCRIPT_ERROR = "script_error", "Script errors"
    DOCUMENT_ERROR = "document_error", "Document errors"


class PageTiming(models.Model):
    """How many views of an hour had a value in one bucket of a metric's histogram.

    deployments/timings/histograms.py has the buckets. Views and errors are counted in bucket 0.
    """

    environment = models.ForeignKey(Environment, models.CASCADE, related_name="timings")
    release = models.ForeignKey(Release, models.CASCADE, related_name="+")
    hour = models.DateTimeField(db_index=True)
    surface = models.CharField(max_length=30)
    metric = models.CharField(max_length=20, choices=Metric.choices)
    bucket = models.PositiveSmallIntegerField()
    count = models.PositiveIntegerField()

    class Meta:
        ordering = ["pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["environment", "hour", "release", "surface", "metric", "bucket"],
                name="timing_counted_in_one_row",
            )
        ]

    def __str__(self) -> str:
        return f"{self.environment} {self.surface}: {self.metric}"
