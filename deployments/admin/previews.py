"""Branch previews in the admin: listed, compared with what is live, removed."""

from typing import Any

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Model, QuerySet
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from deployments.admin.deploy_pages import LISTED_FILES, status_of
from deployments.admin.history import ReadOnlyAdmin, anchor, link, moment, on_one_line
from deployments.admin.labels import actor_of
from deployments.context import Caller
from deployments.errors import DeploymentError
from deployments.models import BranchPreview
from deployments.previews.remove import remove_preview
from deployments.previews.rows import PRODUCTION, preview_diff
from deployments.routing.preview_hosts import preview_url
from edge.backends import get_backend
from edge.errors import EdgeError

TEMPLATE = "admin/deployments/preview.html"


@admin.action(description="Remove the preview", permissions=["remove"])
def remove_previews(
    model_admin: "BranchPreviewAdmin", request: HttpRequest, queryset: QuerySet[BranchPreview]
) -> None:
    """End the selected previews."""
    caller = Caller(actor=actor_of(request.user))
    for branch in queryset.values_list("branch", flat=True):
        try:
            remove_preview(get_backend(), branch, caller)
        except (DeploymentError, EdgeError) as error:
            messages.error(request, str(error))
        else:
            messages.success(request, f"The preview of {branch} has ended.")


class BranchPreviewAdmin(ReadOnlyAdmin):
    """Branches with their addresses, each with a page that shows what it would change."""

    list_display = ["branch", "address", "release_link", "short", "environment", "actor", "when"]
    list_filter = ["environment"]
    search_fields = ["branch", "commit", "actor"]
    list_select_related = ["environment", "release"]
    actions = [remove_previews]

    @admin.display(description="Commit", ordering="commit", empty_value="-")
    def short(self, preview: BranchPreview) -> str | None:
        return preview.commit[:10] or None

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        """Let everyone see previews who sees environments."""
        return bool(request.user.has_perm("deployments.view_environment"))

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Let everyone remove previews who deploys to staging."""
        return bool(request.user.has_perm("deployments.deploy_to_staging"))

    @admin.display(description="Address")
    def address(self, preview: BranchPreview) -> str:
        url = preview_url(get_backend(), preview.slug)
        return anchor(url, url)

    @admin.display(description="Release", ordering="release")
    def release_link(self, preview: BranchPreview) -> str:
        return link(preview.release, on_one_line(preview.release.name))

    @admin.display(description="Pushed", ordering="pushed_at")
    def when(self, preview: BranchPreview) -> str:
        return on_one_line(moment(preview.pushed_at))

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Show what a branch would change in production."""
        if not self.has_view_permission(request):
            raise PermissionDenied
        preview = self.get_object(request, object_id)
        if preview is None:
            raise Http404
        context = {
            **self.admin_site.each_context(request),
            "title": f"Preview of {preview}",
            "opts": self.opts,
            "original": preview,
            **_compared(preview),
        }
        return TemplateResponse(request, TEMPLATE, context, status=context.pop("status"))


def _compared(preview: BranchPreview) -> dict[str, Any]:
    """Return an address and the files that differ from production, or why they are unknown."""
    try:
        backend = get_backend()
        live, shown, diff = preview_diff(backend, preview.branch, PRODUCTION)
    except (DeploymentError, EdgeError) as error:
        return {"refusal": error, "status": status_of(error)}
    return {
        "url": preview_url(backend, preview.slug),
        "lines": diff.lines(),
        "files": diff.differences[:LISTED_FILES],
        "more_files": max(0, len(diff.differences) - LISTED_FILES),
        "before": live,
        "after": shown,
        "status": 200,
    }
