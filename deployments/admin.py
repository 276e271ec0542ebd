"""The history of releases and deployments, to read. Deployments are made by commands."""

from typing import Any

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest
from unfold.admin import ModelAdmin

from deployments.metrics_admin import MetricsPage
from deployments.models import Deployment, Environment, Release


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Rows that people look at and commands write."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Environment)
class EnvironmentAdmin(MetricsPage, ReadOnlyAdmin):
    list_display = ["name", "hosts", "live_release", "protected", "charts"]

    @admin.display(description="Live")
    def live_release(self, environment: Environment) -> str:
        live = environment.live
        return str(live.release) if live else "nothing"


@admin.register(Release)
class ReleaseAdmin(ReadOnlyAdmin):
    list_display = ["name", "files", "bytes", "message", "created_by", "completed_at"]
    search_fields = ["name", "message", "digest"]


@admin.register(Deployment)
class DeploymentAdmin(ReadOnlyAdmin):
    list_display = ["at", "environment", "kind", "release", "actor", "reason", "result"]
    list_filter = ["environment", "kind", "outcome__result"]
    search_fields = ["release__name", "actor", "reason"]
    list_select_related = ["environment", "release", "outcome"]
    ordering = ["-pk"]

    @admin.display(description="Result")
    def result(self, deployment: Deployment) -> str:
        outcome = getattr(deployment, "outcome", None)
        return str(outcome) if outcome else "Unfinished"
