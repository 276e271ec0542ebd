"""What makes the service windows: the week's templates, their exceptions, the booking settings."""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import ValidationError
from django.db import transaction
from django.db.models import Model, QuerySet, TimeField
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils import timezone
from unfold.admin import ModelAdmin

from dispatch.admin.moments import ClockField, ClockInput
from dispatch.admin.moving import actor_of
from dispatch.days import interval_text
from dispatch.models import BookingSettings, ServiceWindow, WindowException, WindowTemplate
from dispatch.windows.generate import generate_windows


class WindowRulesAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Rows that say which windows there are. Saving one makes the windows follow."""

    formfield_overrides = {TimeField: {"form_class": ClockField, "widget": ClockInput}}

    def save_model(self, request: HttpRequest, obj: Model, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self._apply(request)

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        super().delete_model(request, obj)
        self._apply(request)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        super().delete_queryset(request, queryset)
        self._apply(request)

    def _apply(self, request: HttpRequest) -> None:
        with transaction.atomic():
            changed = generate_windows(timezone.now())
        messages.info(request, f"Service windows that changed: {changed}.")


class HoursForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """A form with times from and to, which may both be empty if the model allows that."""

    def clean(self) -> dict[str, Any]:
        super().clean()
        start, end = self.cleaned_data.get("start"), self.cleaned_data.get("end")
        if not self.errors and (start is None) != (end is None):
            self.add_error("end", "Enter both times, or neither for the whole day.")
        elif start and end and start >= end:
            self.add_error("end", "Enter a later time: a window ends on the day it starts.")
        return self.cleaned_data


@admin.register(WindowTemplate)
class WindowTemplateAdmin(WindowRulesAdmin):
    form = HoursForm
    list_display = ["weekday", "start", "end", "units"]
    list_display_links = ["weekday", "start"]
    list_filter = ["weekday"]


@admin.register(WindowException)
class WindowExceptionAdmin(WindowRulesAdmin):
    """Closes a day or a window, or gives it other room, with a reason."""

    list_display = ["day", "start", "end", "units", "reason", "actor"]
    list_display_links = ["day"]
    form = HoursForm
    fields = ["day", ("start", "end"), "units", "reason"]
    search_fields = ["reason"]
    search_help_text = "Reason"
    ordering = ["-day", "start"]

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None:
        obj.actor = actor_of(request)
        super().save_model(request, obj, form, change)
        self._report_shortage(request, obj)

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        """Lead to the exception that a window has already."""
        if request.method == "GET" and (exception := self._named(request)):
            page = reverse("admin:dispatch_windowexception_change", args=[exception.pk])
            return HttpResponseRedirect(page)
        response: HttpResponse = super().add_view(request, *args, **kwargs)
        return response

    def _named(self, request: HttpRequest) -> WindowException | None:
        names = ("day", "start", "end")
        try:
            times = {name: request.GET[name] for name in names}
            return WindowException.objects.filter(**times).first()
        except (KeyError, ValidationError):
            return None

    def _report_shortage(self, request: HttpRequest, exception: WindowException) -> None:
        """Say which windows of the day keep more than the exception gives them."""
        windows = ServiceWindow.objects.filter(taken__gt=exception.units, end__gt=timezone.now())
        for window in windows.filter(start__date=exception.day):
            if exception.start in (None, timezone.localtime(window.start).time()):
                messages.warning(
                    request,
                    f"{interval_text(window.start, window.end)}: jobs hold {window.taken} units "
                    "already, so it keeps them. Move jobs if the crews cannot do that.",
                )


@admin.register(BookingSettings)
class BookingSettingsAdmin(WindowRulesAdmin):
    """One page: the list leads to the only row."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def changelist_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        if not self.has_view_permission(request):
            response: HttpResponse = super().changelist_view(request, *args, **kwargs)
            return response
        return HttpResponseRedirect(reverse("admin:dispatch_bookingsettings_change", args=[1]))

    def get_object(self, request: HttpRequest, object_id: str, *args: Any) -> Any:
        """Return the row, or the defaults if it was never saved."""
        return BookingSettings.load() if object_id == "1" else None
