"""Admin pages in the theme: the task queue's, django-axes' failed logins, tracking checks.

Dispatchers get no permission on them: adding a schedule means running code.
"""

from typing import Any

from axes.models import AccessAttempt
from django.contrib import admin
from django.http import HttpRequest
from django_q import admin as queue
from django_q.models import Failure, OrmQ, Schedule, Success
from unfold.admin import ModelAdmin

from deployments.admin.history import ReadOnlyAdmin
from qdn.tracking_check import show_ms
from tracking.models import TrackingCheck

# To run a task again is a change, which permission to view must not be enough for.
queue.resubmit_task.allowed_permissions = ("change",)

for model, original in (
    (Schedule, queue.ScheduleAdmin),
    (Success, queue.TaskAdmin),
    (Failure, queue.FailAdmin),
    (OrmQ, queue.QueueAdmin),
):
    if admin.site.is_registered(model):
        admin.site.unregister(model)
        admin.site.register(model, type(original.__name__, (original, ModelAdmin), {}))


@admin.register(AccessAttempt)
class FailedLoginAdmin(ModelAdmin):  # type: ignore[misc]
    """Wrong passwords that still count. Deleting a row unlocks its user at its address."""

    list_display = ("username", "ip_address", "failures_since_start", "attempt_time")
    search_fields = ("username", "ip_address")
    fields = readonly_fields = (*list_display, "user_agent")

    def has_add_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, *args: Any) -> bool:
        return False


@admin.register(TrackingCheck)
class TrackingCheckAdmin(ReadOnlyAdmin):
    """How long a change took from the database to the edge, check by check."""

    list_display = ["at", "environment", "write", "publish", "edge", "total", "problem"]
    list_filter = ["environment"]
    fields = list_display

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return bool(request.user.has_perm("deployments.view_environment"))

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    @admin.display(description="write")
    def write(self, check: TrackingCheck) -> str:
        return show_ms(check.write_ms)

    @admin.display(description="publish")
    def publish(self, check: TrackingCheck) -> str:
        return show_ms(check.publish_ms)

    @admin.display(description="edge")
    def edge(self, check: TrackingCheck) -> str:
        return show_ms(check.edge_ms)

    @admin.display(description="in all")
    def total(self, check: TrackingCheck) -> str:
        return show_ms(check.total_ms)
