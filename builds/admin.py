"""Builds in the admin: a list, and a page for each that shows its log as it grows.

Who may view releases may view builds: they are where releases come from.
"""

from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db.models import Model
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path
from unfold.decorators import display

from builds.models import Build
from builds.reports import state_of
from deployments.admin.history import ReadOnlyAdmin, link

State = Build.State
PAGE, PART = "admin/builds/build/build.html", "admin/builds/build/_log.html"
COLOURS = {
    State.WAITING.label: "info",
    State.BUILDING.label: "info",
    State.DEPLOYED.label: "success",
    State.FAILED.label: "danger",
    State.CANCELLED.label: "warning",
    State.SKIPPED.label: "warning",
    State.INTERRUPTED.label: "danger",
}


class BuildAdmin(ReadOnlyAdmin):
    """Builds: what was pushed, how it ended, what became of it."""

    list_display = ["number", "branch", "short_commit", "state_label", "author", "message", "made"]
    list_display_links = ["number"]
    list_filter = ["state", "asked_at"]
    search_fields = ["branch", "commit", "author", "message"]
    list_select_related = ["release"]
    show_full_result_count = False

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return bool(request.user.has_perm("deployments.view_release"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @admin.display(description="Build", ordering="pk")
    def number(self, build: Build) -> str:
        return f"{build.pk}"

    @admin.display(description="Commit", ordering="commit")
    def short_commit(self, build: Build) -> str:
        return build.commit[:10]

    @display(description="State", label=COLOURS)  # type: ignore[untyped-decorator]
    def state_label(self, build: Build) -> str:
        return str(State(state_of(build)).label)

    @admin.display(description="Release", empty_value="-")
    def made(self, build: Build) -> str | None:
        return link(build.release) if build.release else None

    def get_urls(self) -> list[URLPattern]:
        """Put our page before the admin's own URLs, which match every path."""
        view = self.admin_site.admin_view(self.log_part)
        urls: list[URLPattern] = super().get_urls()
        return [path("<path:object_id>/log/", view, name="builds_build_log"), *urls]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show a build with its log so far."""
        shown = self._shown(request, object_id)
        site = self.admin_site.each_context(request)
        title = f"Build {shown['build'].pk}"
        return TemplateResponse(request, PAGE, {**site, "opts": self.opts, "title": title, **shown})

    def log_part(self, request: HttpRequest, object_id: str) -> HttpResponse:
        """Return the part of the page that grows; `?known` is how many pieces the page has."""
        answer = TemplateResponse(request, PART, self._shown(request, object_id))
        answer.headers["Cache-Control"] = "no-store"
        return answer

    def _shown(self, request: HttpRequest, object_id: str) -> dict[str, Any]:
        if not self.has_view_permission(request):
            raise PermissionDenied
        build = self.get_object(request, object_id)
        if build is None:
            raise Http404
        # Read the state before the log, so that an ended build never lacks its last lines.
        state = State(state_of(build))
        text = request.GET.get("known", "")
        known = int(text) if text.isascii() and text.isdigit() and len(text) < len("1000000") else 0
        return {
            "build": build,
            "state": state.label,
            "colour": COLOURS[str(state.label)],
            "has_ended": build.has_ended or state == State.INTERRUPTED,
            "known": known,
            "pieces": list(build.lines.all()[known:]),
        }


admin.site.register(Build, BuildAdmin)
