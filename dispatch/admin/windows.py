"""The list of service windows: what is taken in each, and where to give it more room."""

from typing import Any
from urllib.parse import urlencode

from django.contrib import admin, messages
from django.db.models import Model, Q, QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from unfold.admin import ModelAdmin

from dispatch.days import interval_text, local_day
from dispatch.models import ServiceWindow
from dispatch.windows.recount import drift, repair

ADD_ROOM = "admin:dispatch_windowexception_add"


class DayFilter(admin.SimpleListFilter):
    title = "day"
    parameter_name = "day"
    days = {"today": ("Today", 0, 0), "tomorrow": ("Tomorrow", 1, 1), "week": ("Next 7 days", 0, 6)}

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        return [(code, label) for code, (label, _, _) in self.days.items()]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        if self.value() not in self.days:
            return queryset.filter(end__gt=timezone.now())
        _, first, last = self.days[str(self.value())]
        now = timezone.now()
        start, end = local_day(now, first)[0], local_day(now, last)[1]
        return queryset.filter(start__lt=end, end__gt=start)


@admin.register(ServiceWindow)
class ServiceWindowAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """What is taken in each window. Room is changed by an exception, which has a reason."""

    list_display = ["day", "hours", "room", "for_customers", "change_room"]
    list_display_links = None
    list_filter = [DayFilter]
    list_per_page = 50
    actions = ["correct_counts"]
    show_full_result_count = False

    def get_queryset(self, request: HttpRequest) -> QuerySet[ServiceWindow]:
        """Leave out closed windows without jobs: they are history of the templates."""
        windows: QuerySet[ServiceWindow] = super().get_queryset(request)
        return windows.filter(Q(units__gt=0) | Q(taken__gt=0))

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if self.has_view_permission(request) and request.method == "GET":
            for one in drift(timezone.now()):
                messages.error(
                    request,
                    f"{interval_text(one.window.start, one.window.end)} says {one.taken} units "
                    f"are taken, but jobs hold {one.held}. Select it and choose “Correct the "
                    "counts”.",
                )
        response: HttpResponse = super().changelist_view(request, *args, **kwargs)
        return response

    @admin.display(description="Day", ordering="start")
    def day(self, window: ServiceWindow) -> str:
        return date_format(timezone.localtime(window.start), "D M j, Y")

    @admin.display(description="Time")
    def hours(self, window: ServiceWindow) -> str:
        return interval_text(window.start, window.end).split(", ", 1)[1]

    @admin.display(description="Taken")
    def room(self, window: ServiceWindow) -> str:
        return f"{window.taken} of {window.units}" if window.units else "closed"

    @admin.display(description="Free for customers")
    def for_customers(self, window: ServiceWindow) -> int:
        return max(window.public_units - window.taken, 0)

    @admin.display(description="Room")
    def change_room(self, window: ServiceWindow) -> str:
        """Link to the exception of this window, or to a new one with its times."""
        start, end = timezone.localtime(window.start), timezone.localtime(window.end)
        times = {"day": start.date(), "start": start.time(), "end": end.time()}
        url = f"{reverse(ADD_ROOM)}?{urlencode(times | {'units': window.units})}"
        label = f"Change the room of {interval_text(start, end)}"
        link = '<a class="text-primary-600" href="{}" aria-label="{}">Change room</a>'
        return format_html(link, url, label)

    @admin.action(description="Correct the counts", permissions=["correct"])
    def correct_counts(self, request: HttpRequest, queryset: QuerySet[ServiceWindow]) -> None:
        """Set what is taken to what jobs hold."""
        wrong = repair(queryset.values_list("pk", flat=True))
        messages.success(request, f"Windows whose count was wrong: {wrong}.")

    def has_correct_permission(self, request: HttpRequest) -> bool:
        return request.user.has_perm("dispatch.change_windowexception")
