"""Tokens for the deployment API, and the requests that it refused."""

from typing import Any

from django.db import models

from deployments.models.environments import Environment
from edge.database_clock import database_now


class ApiToken(models.Model):
    """The right to request some actions in some environments, until a time.

    Only the SHA-256 of the token is kept. A slow hash is for passwords, which can be guessed: a
    token has 32 random bytes, and each request would pay for it.
    """

    class Action(models.TextChoices):
        PUSH = "push", "Push"
        PROMOTE = "promote", "Promote"
        ROLLBACK = "rollback", "Roll back"

    name = models.CharField(max_length=100)
    sha256 = models.CharField(max_length=64, unique=True, editable=False)
    environments = models.ManyToManyField(Environment, related_name="tokens")
    actions = models.JSONField(default=list)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True)
    revoked_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(default=database_now, editable=False)
    created_by = models.CharField(max_length=150)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return self.name

    @property
    def actor(self) -> str:
        """The actor to record for its requests."""
        return f"{self.name} (token {self.pk})"

    @property
    def state(self) -> str:
        """`revoked`, `expired` or `valid`."""
        if self.revoked_at:
            return "revoked"
        return "valid" if self.expires_at > database_now() else "expired"

    def as_json(self) -> dict[str, Any]:
        """Return the token for --json, without its text, which is not kept."""
        used = self.last_used_at
        return {
            "token": self.pk,
            "name": self.name,
            "environments": sorted(one.name for one in self.environments.all()),
            "actions": self.actions,
            "state": self.state,
            "expires_at": self.expires_at.isoformat(),
            "last_used_at": used.isoformat() if used else None,
            "created_at": self.created_at.isoformat(),
            "created_by": self.created_by,
        }


class RefusedRequest(models.Model):
    """A request that the API refused for its token: the log, and the count behind its limit."""

    network = models.CharField(max_length=50)
    code = models.CharField(max_length=40)
    token = models.ForeignKey(ApiToken, models.CASCADE, null=True, related_name="refusals")
    at = models.DateTimeField(default=database_now, editable=False, db_index=True)

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.code} from {self.network}"
