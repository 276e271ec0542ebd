"""Customers, crews and services."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from phonenumber_field.modelfields import PhoneNumberField
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminTextInputWidget

from dispatch.models import Crew, Customer, Job, ServiceType
from dispatch.searching import MIN_PHONE_DIGITS, phone_digits


class UndeletableAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Rows that jobs refer to: they are corrected or deactivated, never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyInline(TabularInline):  # type: ignore[misc]  # unfold ships no types
    """Related rows, shown but not editable."""

    extra = 0
    can_delete = False
    hide_title = True

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class CustomerJobs(ReadOnlyInline):
    model = Job
    verbose_name_plural = "jobs"
    fields = ["job", "status", "service", "window_start", "address_line", "town"]
    readonly_fields = fields
    ordering = ["-number"]

    @admin.display(description="job")
    def job(self, job: Job) -> str:
        page = reverse("admin:dispatch_job_change", args=[job.pk])
        return format_html('<a class="text-primary-600" href="{}">{}</a>', page, job.label)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        jobs: QuerySet[Job] = super().get_queryset(request)
        return jobs.select_related("service")


@admin.register(Customer)
class CustomerAdmin(UndeletableAdmin):
    list_display = ["name", "phone", "email", "created_at"]
    search_fields = ["name", "email"]
    search_help_text = "Name, phone or email"
    inlines = [CustomerJobs]
    formfield_overrides = {PhoneNumberField: {"widget": UnfoldAdminTextInputWidget}}

    def get_search_results(
        self, request: HttpRequest, queryset: QuerySet[Customer], search_term: str
    ) -> tuple[QuerySet[Customer], bool]:
        """Also find phones by their digits, because they are stored as E.164."""
        digits = phone_digits(search_term)
        if len(digits) >= MIN_PHONE_DIGITS:
            return queryset.filter(phone__contains=digits), False
        found: tuple[QuerySet[Customer], bool] = super().get_search_results(
            request, queryset, search_term
        )
        return found


@admin.register(Crew)
class CrewAdmin(UndeletableAdmin):
    list_display = ["name", "active"]
    list_filter = ["active"]
    search_fields = ["name"]


@admin.register(ServiceType)
class ServiceTypeAdmin(UndeletableAdmin):
    list_display = ["name", "code", "kind", "active", "position"]
    list_filter = ["kind", "active"]
    search_fields = ["name", "code"]
