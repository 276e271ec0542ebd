"""The URL patterns of the resolver, and paths that match them."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from django.apps import apps
from django.contrib.contenttypes.models import ContentType
from django.urls import URLPattern, get_resolver
from django.utils import timezone

from deployments.models import Environment
from dispatch.models import Crew, Job, Photo
from qdn.health import VIEWS
from tracking.models import TrackingLink

ARGUMENT = re.compile(r"<(?:\w+:)?(\w+)>|\(\?P<(\w+)>[^)]*\)")


@dataclass(frozen=True)
class Route:
    """A URL pattern, joined from the root: `admin/dispatch/job/<path:object_id>/change/`."""

    pattern: str

    @property
    def arguments(self) -> list[str]:
        return [a or b for a, b in ARGUMENT.findall(self.pattern)]

    def path(self, values: dict[str, object]) -> str:
        """Return a path of the pattern, its arguments as given."""
        plain = self.pattern.replace("^", "").replace("$", "")
        return "/" + ARGUMENT.sub(lambda found: str(values[found[1] or found[2]]), plain)


def routes() -> list[Route]:
    """Return every pattern of the present URL configuration, and what is answered before it."""
    patterns = _patterns(get_resolver().url_patterns, "")
    return [Route(pattern) for pattern in (*(address.lstrip("/") for address in VIEWS), *patterns)]


def _patterns(entries: list, prefix: str) -> Iterator[str]:
    for entry in entries:
        own = str(entry.pattern)
        pattern = prefix + (own.removeprefix("^") if prefix else own)  # as ResolverMatch.route
        if isinstance(entry, URLPattern):
            yield pattern
        else:
            yield from _patterns(entry.url_patterns, pattern)


def plausible(route: Route) -> dict[str, object]:
    """Return arguments that exist: the first row of the pattern's model, and so on."""
    row = _first_row(route.pattern)
    environment = Environment.objects.get(name="staging")
    operation = environment.operations.first()
    link = TrackingLink.objects.active().first()
    photo, crew = Photo.objects.first(), Crew.objects.first()
    return {
        "object_id": row,
        "pk": row,
        "id": row,
        "number": operation.pk if operation else 1,
        "kind": "promote",
        "name": photo.small.removeprefix("photos/") if photo else "x.jpg",
        "token": link.token if link else "x",
        "content_type_id": ContentType.objects.get_for_model(Job).pk,
        "app_label": "dispatch",
        "model_name": "job",
        "url": "nowhere/",
        "day": timezone.localdate(),
        "crew": crew.pk if crew else 1,
    }


def _first_row(pattern: str) -> object:
    found = re.match(r"admin/(\w+)/(\w+)/", pattern)
    try:
        model = apps.get_model(found[1], found[2]) if found else Job
    except LookupError:
        model = Job
    row = model._base_manager.order_by("pk").first()
    return row.pk if row else 1
