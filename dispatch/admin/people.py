"""Customers and crews."""

from typing import Any

from django.contrib import admin
from django.db.models import Model, QuerySet
from django.forms import BaseInlineFormSet
from django.http import HttpRequest
from django.urls import reverse
from django.utils.html import format_html
from phonenumber_field.modelfields import PhoneNumberField
from unfold.admin import ModelAdmin, TabularInline
from unfold.widgets import UnfoldAdminTextInputWidget

from dispatch.admin.customers import CustomerForm, MergingAdmin
from dispatch.admin.field_history import FieldHistoryAdmin
from dispatch.admin.searching import SearchedAdmin
from dispatch.models import Crew, Customer, Job
from dispatch.probes import without_probes
from dispatch.search.finding import Found, search_customers


class UndeletableAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Rows that jobs refer to: they are corrected or deactivated, never deleted."""

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ShownFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # not subscriptable when run
    """Rows that are only shown: posted forms are ignored."""

    def __init__(self, data: Any = None, files: Any = None, **kwargs: Any) -> None:
        super().__init__(**kwargs)

    def is_valid(self) -> bool:
        return True

    def save(self, commit: bool = True) -> list[Any]:
        self.new_objects: list[Any] = []
        self.changed_objects: list[Any] = []
        self.deleted_objects: list[Any] = []
        return []


class ReadOnlyInline(TabularInline):  # type: ignore[misc]  # unfold ships no types
    """Related rows, shown but not editable."""

    formset = ShownFormSet
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
    fields = ["job", "status", "service", "window_start", "address_line", "town", "move"]
    readonly_fields = fields
    ordering = ["-number"]

    @admin.display(description="job")
    def job(self, job: Job) -> str:
        page = reverse("admin:dispatch_job_change", args=[job.pk])
        return format_html('<a class="text-primary-600" href="{}">{}</a>', page, job.label)

    @admin.display(description="")
    def move(self, job: Job) -> str:
        page = reverse("admin:dispatch_job_customer", args=[job.pk])
        return format_html('<a class="text-primary-600" href="{}">Move…</a>', page)

    def get_queryset(self, request: HttpRequest) -> QuerySet[Job]:
        jobs: QuerySet[Job] = super().get_queryset(request)
        return jobs.select_related("service")


@admin.register(Customer)
class CustomerAdmin(SearchedAdmin, MergingAdmin, FieldHistoryAdmin, UndeletableAdmin):
    form = CustomerForm
    list_display = ["name", "phone", "email", "created_at"]
    search_help_text = "Name, phone or email"
    inlines = [CustomerJobs]
    change_form_outer_before_template = "dispatch/customer_links.html"
    formfield_overrides = {PhoneNumberField: {"widget": UnfoldAdminTextInputWidget}}

    def get_queryset(self, request: HttpRequest) -> QuerySet[Customer]:
        return without_probes(super().get_queryset(request))

    def find(self, text: str, among: QuerySet[Customer]) -> Found:
        return search_customers(text, among)


@admin.register(Crew)
class CrewAdmin(FieldHistoryAdmin, UndeletableAdmin):
    list_display = ["name", "active"]
    list_filter = ["active"]
    search_fields = ["name"]
