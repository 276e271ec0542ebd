"""What only users who may change a job get to see of it."""

from typing import Any

from django.http import HttpRequest
from unfold.admin import ModelAdmin


class PrivateFieldsAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """A page without its private fields for users who may only look."""

    private_fields: frozenset[str] = frozenset()
    # Not even for the others: a filter in the address bar confirms a secret letter by letter.
    unsearchable_fields: tuple[str, ...] = ()

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> list[Any]:
        """Leave out private fields, and sections that have no others."""
        fieldsets: list[Any] = super().get_fieldsets(request, obj)
        if obj is None or self.has_change_permission(request, obj):
            return fieldsets
        shown = [(title, self._without_private(options)) for title, options in fieldsets]
        return [(title, options) for title, options in shown if options["fields"]]

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest) -> bool:
        if lookup.startswith(self.unsearchable_fields):
            return False
        allowed: bool = super().lookup_allowed(lookup, value, request)
        return allowed

    def _without_private(self, options: dict[str, Any]) -> dict[str, Any]:
        fields = [field for field in options["fields"] if field not in self.private_fields]
        return {**options, "fields": fields}
