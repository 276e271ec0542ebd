"""Services with their prices, the service area, and who asked for a wider one."""

from typing import Any

from django.contrib import admin, messages
from django.db.models import Case, When
from django.http import HttpRequest
from unfold.admin import ModelAdmin, TabularInline

from dispatch.admin.catalogue_forms import PriceRuleForm, PriceRuleFormSet, ServedZipForm
from dispatch.admin.field_history import FieldHistoryAdmin
from dispatch.admin.people import UndeletableAdmin
from dispatch.models import AreaInterest, LoadSize, PriceRule, ServedZip, ServiceType

# A default, because databases do not agree on where NULL goes.
BY_SIZE = Case(
    *(When(load_size=size, then=place) for place, size in enumerate(LoadSize)), default=-1
)
HOME_PAGE_IS_BEHIND = (
    "The form has the new prices. The home page has those of its last push: push and promote the "
    "pages, for prices to come on the day they begin."
)


class PriceRules(TabularInline):  # type: ignore[misc]  # unfold ships no types
    """The prices of a service, by load size, newest first. What has begun cannot be edited."""

    model = PriceRule
    form = PriceRuleForm
    formset = PriceRuleFormSet
    fields = ["load_size", "price", "extra_day", "valid_from"]
    ordering = [BY_SIZE, "-valid_from"]
    extra = 0
    hide_title = True
    verbose_name_plural = "prices"


@admin.register(ServiceType)
class ServiceTypeAdmin(FieldHistoryAdmin, UndeletableAdmin):
    list_display = ["name", "code", "kind", "active", "position"]
    list_filter = ["kind", "active"]
    search_fields = ["name", "code"]
    inlines = [PriceRules]
    history_of = ((PriceRule, "service_id"),)

    def save_related(
        self, request: HttpRequest, form: Any, formsets: list[Any], change: bool
    ) -> None:
        """Save the prices, and say what shows them."""
        super().save_related(request, form, formsets, change)
        if any(formset.has_changed() for formset in formsets):
            messages.info(request, HOME_PAGE_IS_BEHIND)


@admin.register(ServedZip)
class ServedZipAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """The service area. The command service_area imports it from a file."""

    form = ServedZipForm
    list_display = ["zip_code", "town", "surcharge_cents"]
    list_editable = ["surcharge_cents"]
    search_fields = ["zip_code", "town"]
    list_per_page = 200

    def get_list_display(self, request: HttpRequest) -> list[str]:
        """Return the columns; users who may only look see dollars as text."""
        if self.has_change_permission(request):
            return self.list_display
        return ["zip_code", "town", "surcharge"]

    def get_changelist_form(self, request: HttpRequest, **kwargs: Any) -> Any:
        return super().get_changelist_form(request, **{"form": ServedZipForm, **kwargs})


@admin.register(AreaInterest)
class AreaInterestAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Who asked for a wider area. Rows can only be read, and deleted on request."""

    list_display = ["zip_code", "email", "at"]
    search_fields = ["zip_code", "email"]

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False
