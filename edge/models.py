"""The local back end's tables: key-value store, functions, invalidations."""

from django.db import models


class EdgeState(models.Model):
    """A single row that shows a local edge whether anything changed.

    Every writer updates this row first. So writers wait for each other, the counters increase in
    the order of the commits, and one query finds out whether there is anything new.
    """

    SINGLE = 1

    id = models.PositiveSmallIntegerField(primary_key=True, default=SINGLE)
    etag = models.CharField(max_length=40, help_text="ETag of the whole key-value store")
    published = models.PositiveBigIntegerField(default=0)
    invalidated = models.PositiveBigIntegerField(default=0)

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="edge_state_is_one_row"),
        ]

    def __str__(self) -> str:
        return f"state {self.etag}"


class KeyValue(models.Model):
    """One entry of the key-value store."""

    key = models.CharField(max_length=512, unique=True)
    value = models.CharField(max_length=1024)

    def __str__(self) -> str:
        return self.key


class FunctionStage(models.Model):
    """The source of a function in one stage. Each stage has its own ETag, as in CloudFront."""

    class Stage(models.TextChoices):
        DEVELOPMENT = "development", "development"
        LIVE = "live", "live"

    name = models.CharField(max_length=64)
    stage = models.CharField(max_length=16, choices=Stage.choices)
    source = models.TextField()
    digest = models.CharField(max_length=64, help_text="SHA-256 of the source in hex")
    etag = models.CharField(max_length=40)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["name", "stage"], name="edge_function_stage_once"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.stage})"


class Invalidation(models.Model):
    """A request to drop cached paths, which every local edge applies once."""

    number = models.PositiveBigIntegerField(unique=True, help_text="in the order of the commits")
    reference = models.CharField(max_length=128, unique=True)
    paths = models.JSONField()
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.reference
