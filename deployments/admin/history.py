"""Read-only pages of releases and deployments, linked with each other."""

from datetime import datetime
from typing import Any

from django.contrib import admin
from django.db.models import Case, CharField, Model, QuerySet, Value, When
from django.http import HttpRequest
from django.template.defaultfilters import filesizeformat
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html, format_html_join
from unfold.admin import ModelAdmin
from unfold.decorators import display

from deployments.admin.filters import ResultFilter, StateFilter, live_in
from deployments.admin.labels import COLOURS, kind_of, result_of, state_of
from deployments.models import Deployment, Release
from deployments.wording import plural

LATEST = 20
LINK = "text-primary-600 dark:text-primary-400"


class ReadOnlyAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Base for rows that only commands and operations write."""

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


def link(row: Model, text: object = "") -> str:
    """Return a link to a row's page in the admin."""
    name = f"admin:{row._meta.app_label}_{row._meta.model_name}_change"
    return anchor(reverse(name, args=[row.pk]), text or row)


def anchor(address: str, text: object) -> str:
    """Return a link in the theme's colours."""
    return format_html('<a class="{}" href="{}">{}</a>', LINK, address, text)


class ReleaseAdmin(ReadOnlyAdmin):
    """Releases, their state and where they are live."""

    list_display = [
        "name_on_one_line",
        "live_in",
        "state",
        "size",
        "message",
        "created_by",
        "when",
    ]
    list_filter = [StateFilter, "created_at"]
    search_fields = ["name", "message", "digest", "commit", "branch", "created_by"]
    show_full_result_count = False
    fieldsets = [
        (None, {"fields": ["name", "live_in", "state", "message"]}),
        ("Content", {"fields": ["size", "surfaces", "sha256"]}),
        ("Built from", {"fields": ["commit", "branch", "author"]}),
        ("History", {"fields": ["created_at", "created_by", "completed_at"]}),
        ("Retention", {"fields": ["pinned", "marked_at", "removed_at"]}),
        ("Deployments", {"fields": ["latest"]}),
    ]

    def get_queryset(self, request: HttpRequest) -> QuerySet[Release]:
        """Annotate each release with where it is live, without a query per row."""
        releases: QuerySet[Release] = super().get_queryset(request)
        cases = [When(pk=pk, then=Value(", ".join(names))) for pk, names in live_in().items()]
        where = Case(*cases, default=Value(""), output_field=CharField())
        return releases.annotate(is_live_in=where)

    @admin.display(description="Name", ordering="name")
    def name_on_one_line(self, release: Release) -> str:
        return on_one_line(release.name)

    @admin.display(description="Live in", empty_value="-")
    def live_in(self, release: Any) -> str | None:
        return release.is_live_in or None

    @display(description="State", label=COLOURS)  # type: ignore[untyped-decorator]
    def state(self, release: Release) -> str:
        return state_of(release).text

    @admin.display(description="Created", ordering="created_at")
    def when(self, release: Release) -> str:
        return on_one_line(moment(release.created_at))

    @admin.display(description="Size", ordering="bytes")
    def size(self, release: Release) -> str:
        return f"{plural(release.files, 'file')}, {filesizeformat(release.bytes)}"

    @admin.display(description="Manifest digest")
    def sha256(self, release: Release) -> str:
        """Let the digest wrap: 64 characters are wider than a phone."""
        return format_html('<span style="word-break: break-all">{}</span>', release.digest)

    @admin.display(description="Pages")
    def surfaces(self, release: Release) -> str:
        return ", ".join(release.pages) or "none"

    @admin.display(description="Latest")
    def latest(self, release: Release) -> str:
        rows = release.deployments.select_related("environment", "outcome").order_by("-pk")
        lines = [(link(row, kind_of(row)), row.environment, _summary(row)) for row in rows[:LATEST]]
        every = (
            f"{reverse('admin:deployments_deployment_changelist')}?release__id__exact={release.pk}"
        )
        return format_html(
            "{}<p>{}</p>",
            format_html_join("", "<p>{} to {}: {}</p>", lines),
            anchor(every, "All deployments of this release"),
        )


class DeploymentAdmin(ReadOnlyAdmin):
    """Deployments: what went where, who did it and why, and how it ended."""

    list_display = ["when", "environment", "what", "result", "release_link", "actor", "reason"]
    list_filter = ["environment", "kind", ResultFilter, "at"]
    search_fields = ["release__name", "actor", "reason"]
    list_select_related = ["environment", "release", "outcome"]
    ordering = ["-pk"]
    fieldsets = [
        (None, {"fields": ["environment_link", "what", "result", "detail"]}),
        ("Release", {"fields": ["release_link", "replaced_link", "compare"]}),
        ("How", {"fields": ["function", "strategy"]}),
        ("Who", {"fields": ["actor", "reason", "at"]}),
    ]

    @admin.display(description="When", ordering="at")
    def when(self, deployment: Deployment) -> str:
        return on_one_line(moment(deployment.at))

    @admin.display(description="Kind", ordering="kind")
    def what(self, deployment: Deployment) -> str:
        return on_one_line(kind_of(deployment))

    @display(description="Result", label=COLOURS)  # type: ignore[untyped-decorator]
    def result(self, deployment: Deployment) -> str:
        return result_of(deployment).text

    @admin.display(description="Detail", empty_value="-")
    def detail(self, deployment: Deployment) -> str | None:
        outcome = getattr(deployment, "outcome", None)
        return (outcome.detail or None) if outcome else None

    @admin.display(description="Environment")
    def environment_link(self, deployment: Deployment) -> str:
        return link(deployment.environment)

    @admin.display(description="Release", ordering="release")
    def release_link(self, deployment: Deployment) -> str:
        return link(deployment.release, on_one_line(deployment.release.name))

    @admin.display(description="Replaced release", empty_value="none")
    def replaced_link(self, deployment: Deployment) -> str | None:
        return link(deployment.replaced) if deployment.replaced else None

    @admin.display(description="Compare", empty_value="-")
    def compare(self, deployment: Deployment) -> str | None:
        """Return the command that lists all files that differ."""
        if not deployment.replaced or deployment.replaced == deployment.release:
            return None
        return f"manage.py diff {deployment.replaced} {deployment.release}"


def on_one_line(text: str) -> str:
    """Return a text that a narrow column does not break."""
    return format_html('<span class="whitespace-nowrap">{}</span>', text)


def moment(when: datetime) -> str:
    """Return a time as lists show it."""
    return f"{timezone.localtime(when):%Y-%m-%d %H:%M}"


def _summary(deployment: Deployment) -> str:
    return f"{result_of(deployment).text}, {moment(deployment.at)}, {deployment.actor}"
