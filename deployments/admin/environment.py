"""The pages of an environment in the admin, and who may open them."""

from collections.abc import Callable
from typing import Any

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.http import Http404, HttpRequest, HttpResponse
from django.template.response import TemplateResponse
from django.urls import URLPattern, path, reverse
from django.utils import timezone
from django.utils.html import format_html

from deployments.admin.deploy_pages import deploy_page
from deployments.admin.freeze_pages import freeze_page, unfreeze_page
from deployments.admin.history import ReadOnlyAdmin
from deployments.admin.metrics_page import metrics_page
from deployments.admin.operation_pages import operation_page, steps_part
from deployments.admin.overview import overview
from deployments.admin.permissions import may_deploy
from deployments.admin.push_page import push_page
from deployments.admin.timings_page import timings_page
from deployments.admin.upload_page import upload_page
from deployments.models import Environment
from deployments.verification.checks import find_drift
from deployments.verification.inspection import DOCTOR, Drift
from edge.backends import get_backend
from edge.database_clock import database_now
from edge.errors import EdgeError

Page = Callable[..., HttpResponse]
PAGE = "admin/deployments/environment/page.html"
DRIFT, DRIFT_PART = (f"admin/deployments/environment/{name}.html" for name in ("drift", "_drift"))


class EnvironmentAdmin(ReadOnlyAdmin):
    """Environments, each with pages in place of the change form."""

    list_display = ["name", "live_release", "notes", "host_names", "charts"]
    list_display_links = ["name"]

    @admin.display(description="Live")
    def live_release(self, environment: Environment) -> str:
        live = environment.live
        return str(live.release) if live else "none"

    @admin.display(description="Notes", empty_value="-")
    def notes(self, environment: Environment) -> str | None:
        """List a canary, a freeze and guards, if any."""
        canary, frozen = environment.canary, environment.frozen
        noted = [f"Canary {canary.percent}%"] if canary else []
        noted += [f"Frozen: {frozen.reason}"] if frozen else []
        guards = environment.freezes.in_force().guards().select_related("release")
        noted += [f"Guard on {guard.release}" for guard in guards]
        return "; ".join(noted) or None

    @admin.display(description="Hosts")
    def host_names(self, environment: Environment) -> str:
        return ", ".join(environment.hosts)

    @admin.display(description="Metrics")
    def charts(self, environment: Environment) -> str:
        address = reverse("admin:deployments_environment_metrics", args=[environment.pk])
        return format_html('<a href="{}">Charts</a>', address)

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        return self._opened(environment_page)(request, object_id)

    def get_urls(self) -> list[URLPattern]:
        """Put our pages before the admin's own URLs, which match every path."""
        urls: list[URLPattern] = super().get_urls()
        return [
            self._url("metrics/", "metrics", metrics_page),
            self._url("timings/", "timings", timings_page),
            self._url("drift/", "drift", drift_page),
            self._url("deploy/<slug:kind>/", "deploy", deploy_page, deploys=True),
            self._url("push/", "push", push_page, deploys=True),
            self._url("upload/", "upload", upload_page, deploys=True),
            self._url("freeze/", "freeze", freeze_page, deploys=True),
            self._url("unfreeze/", "unfreeze", unfreeze_page, deploys=True),
            self._url("operations/<int:number>/", "operation", operation_page),
            self._url("operations/<int:number>/steps/", "steps", steps_part),
            *urls,
        ]

    def _url(self, route: str, name: str, page: Page, *, deploys: bool = False) -> URLPattern:
        view = self.admin_site.admin_view(self._opened(page, deploys=deploys))
        pattern: URLPattern = path(
            f"<path:object_id>/{route}", view, name=f"deployments_environment_{name}"
        )
        return pattern

    def _opened(self, page: Page, *, deploys: bool = False) -> Page:
        """Require the permission to view environments, and to deploy here if the page `deploys`."""

        def view(request: HttpRequest, object_id: str, **kwargs: Any) -> HttpResponse:
            if not self.has_view_permission(request):
                raise PermissionDenied
            environment = self.get_object(request, object_id)
            if environment is None:
                raise Http404
            may = may_deploy(request.user, environment)
            if deploys and not may:
                raise PermissionDenied
            context = {
                **self.admin_site.each_context(request),
                "title": str(environment),
                "opts": self.opts,
                "original": environment,
                # The theme shows a variable `environment` as a label in its header.
                "env": environment,
                "may_deploy": may,
            }
            return page(request, environment, context, **kwargs)

        return view


def environment_page(
    request: HttpRequest, environment: Environment, context: dict[str, Any]
) -> HttpResponse:
    """Show what an environment serves and which actions are possible. Asks no back end."""
    shown = {"now": overview(environment), "moment": database_now()}
    return TemplateResponse(request, PAGE, {**context, **shown})


def drift_page(
    request: HttpRequest, environment: Environment, context: dict[str, Any]
) -> HttpResponse:
    """Show whether the edge matches the history; `?part` returns a fragment for another page."""
    shown = {
        "title": f"Drift in {environment}",
        "drift": _drift(environment),
        "moment": timezone.localtime(),
    }
    template = DRIFT_PART if "part" in request.GET else DRIFT
    return TemplateResponse(request, template, {**context, **shown})


def _drift(environment: Environment) -> list[Drift]:
    """Run the quick checks; a back end that cannot be made is reported as drift."""
    try:
        return find_drift(get_backend(), environment)
    except EdgeError as error:
        return [Drift("no-answer", error.message, DOCTOR)]
