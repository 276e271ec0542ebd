"""Filters for the lists of releases and deployments."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from deployments.admin.labels import UNFINISHED
from deployments.models import Deployment, Environment, Outcome, Release

Narrowing = Callable[[QuerySet[Any]], QuerySet[Any]]


def live_in() -> dict[int, list[str]]:
    """Return the names of the environments each live release is live in, by release key."""
    found: dict[int, list[str]] = {}
    for environment in Environment.objects.all():
        if live := environment.live:
            found.setdefault(live.release_id, []).append(environment.name)
    return found


_STATES: dict[str, tuple[str, Narrowing]] = {
    "live": ("Live", lambda releases: releases.filter(pk__in=live_in())),
    "complete": ("Complete", lambda releases: releases.complete()),  # type: ignore[attr-defined]
    "pinned": ("Pinned", lambda releases: releases.filter(pinned=True, removed_at=None)),
    "marked": (
        "Marked for removal",
        lambda releases: releases.filter(marked_at__isnull=False, removed_at=None),
    ),
    "removed": ("Removed", lambda releases: releases.filter(removed_at__isnull=False)),
    "unfinished": (
        "Upload incomplete",
        lambda releases: releases.filter(completed_at=None, removed_at=None),
    ),
}
_NO_OUTCOME = "unfinished"


class StateFilter(admin.SimpleListFilter):
    """Filter by the state of a release."""

    title = "state"
    parameter_name = "state"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(name, label) for name, (label, _) in _STATES.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Release]) -> QuerySet[Release]:
        chosen = _STATES.get(self.value() or "")
        return chosen[1](queryset) if chosen else queryset


class ResultFilter(admin.SimpleListFilter):
    """Filter by the outcome of a deployment, or by its absence."""

    title = "result"
    parameter_name = "result"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [*Outcome.Result.choices, (_NO_OUTCOME, UNFINISHED)]

    def queryset(
        self, request: HttpRequest, queryset: QuerySet[Deployment]
    ) -> QuerySet[Deployment]:
        value = self.value()
        if value == _NO_OUTCOME:
            return queryset.filter(outcome=None)
        return queryset.filter(outcome__result=value) if value else queryset
