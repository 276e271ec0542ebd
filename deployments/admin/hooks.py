"""Hooks in the admin: for those who may deploy to their environment.

A command runs on this machine, so only superusers enter and change those.
"""

from typing import Any

from django import forms
from django.contrib import admin, messages
from django.contrib.auth.models import AnonymousUser, User
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.html import format_html_join
from unfold.admin import ModelAdmin

from deployments.admin.labels import actor_of
from deployments.admin.permissions import may_deploy, may_deploy_somewhere
from deployments.errors import Refused
from deployments.hooks.keep import check_target, new_secret
from deployments.models import Environment, Hook
from deployments.wording import format_time

LATEST = 20


class HookForm(forms.ModelForm):  # type: ignore[type-arg]
    """A hook, whose target must be one that can be called."""

    class Meta:
        model = Hook
        fields = ["environment", "moment", "kind", "target", "active"]

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        if {"kind", "target"} <= set(cleaned):
            try:
                check_target(cleaned["kind"], cleaned["target"])
            except Refused as refused:
                raise forms.ValidationError({"target": str(refused)}) from refused
        return cleaned


class HookAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """Hooks, and their latest calls."""

    form = HookForm
    list_display = ["number", "environment", "moment", "kind", "shown", "active"]
    list_filter = ["environment", "moment", "kind", "active"]
    list_select_related = ["environment"]
    actions = None  # a list action would not ask for the permission of each environment
    fields = ["environment", "moment", "kind", "target", "active", "latest"]
    readonly_fields = ["latest"]

    @admin.display(description="Hook", ordering="pk")
    def number(self, hook: Hook) -> str:
        return f"Hook {hook.pk}"

    @admin.display(description="Target")
    def shown(self, hook: Hook) -> str:
        return hook.shown

    @admin.display(description="Latest calls", empty_value="none")
    def latest(self, hook: Hook) -> str | None:
        if hook.pk is None:
            return None
        rows = hook.runs.order_by("-pk")[:LATEST]
        lines = (
            (format_time(row.at), row.attempt, row.get_status_display(), row.detail) for row in rows
        )
        return format_html_join("", "<p>{}, attempt {}: {} {}</p>", lines) or None

    def get_queryset(self, request: HttpRequest) -> QuerySet[Hook]:
        hooks: QuerySet[Hook] = super().get_queryset(request)
        if super().has_view_permission(request):
            return hooks
        return hooks.filter(environment__in=_deployable(request.user))

    def get_form(self, request: HttpRequest, obj: Hook | None = None, **kwargs: Any) -> Any:
        """Offer the environments and kinds that the user may choose."""
        form = super().get_form(request, obj, **kwargs)
        if "environment" in form.base_fields:
            form.base_fields["environment"].queryset = _deployable(request.user)
        if "kind" in form.base_fields and not request.user.is_superuser:
            form.base_fields["kind"].choices = [(Hook.Kind.ADDRESS, Hook.Kind.ADDRESS.label)]
        return form

    def save_model(self, request: HttpRequest, obj: Hook, form: Any, change: bool) -> None:
        """Save a hook; the secret of an address is shown once."""
        obj.created_by = obj.created_by or actor_of(request.user)
        is_new = obj.kind == Hook.Kind.ADDRESS and not obj.secret
        if is_new:
            obj.secret = new_secret()
        super().save_model(request, obj, form, change)
        if is_new:
            text = f"Secret of its signatures, shown only now: {obj.secret}"
            messages.warning(request, text)

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self.has_view_permission(request)

    def has_view_permission(self, request: HttpRequest, obj: Hook | None = None) -> bool:
        return bool(super().has_view_permission(request, obj)) or _may(request.user, obj)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _may(request.user, None)

    def has_change_permission(self, request: HttpRequest, obj: Hook | None = None) -> bool:
        is_command = obj is not None and obj.kind == Hook.Kind.COMMAND
        return _may(request.user, obj) and (request.user.is_superuser or not is_command)

    def has_delete_permission(self, request: HttpRequest, obj: Hook | None = None) -> bool:
        return self.has_change_permission(request, obj)


def _may(user: User | AnonymousUser, hook: Hook | None) -> bool:
    """Whether a user may deploy to a hook's environment, or to any."""
    return may_deploy(user, hook.environment) if hook else may_deploy_somewhere(user)


def _deployable(user: User | AnonymousUser) -> QuerySet[Environment]:
    names = [one.pk for one in Environment.objects.all() if may_deploy(user, one)]
    return Environment.objects.filter(pk__in=names)
