"""Saved views above the job list: opening, saving, renaming and deleting them."""

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from django import forms
from django.contrib import messages
from django.contrib.admin.exceptions import DisallowedModelAdminLookup
from django.contrib.admin.options import IncorrectLookupParameters
from django.contrib.admin.views.main import ORDER_VAR, SEARCH_VAR
from django.core.exceptions import PermissionDenied
from django.db import DatabaseError, transaction
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, QueryDict
from django.shortcuts import redirect
from django.urls import URLPattern, path, reverse
from unfold.admin import ModelAdmin

from dispatch.errors import ValueRefused
from dispatch.models import SavedView
from dispatch.saved_views import (
    BUILT_IN,
    MOMENTARY,
    clean_query,
    rename_view,
    save_view,
    views_of,
)

# Who may save, rename and delete views for all.
SHARE = "dispatch.change_savedview"
# What a filter of the address may cause that the list cannot answer.
UNUSABLE = (
    *(IncorrectLookupParameters, DisallowedModelAdminLookup, DatabaseError),
    *(ValueError, OverflowError, TypeError, IndexError),
)


@dataclass(frozen=True, slots=True)
class Tab:
    """A view as a link above the list; `row` is the saved one that the user may change."""

    name: str
    url: str
    is_current: bool
    is_for_all: bool = False
    row: SavedView | None = None


class ViewForm(forms.Form):
    """What to do with a view: `save` the list's filters, or `rename` or `delete` a saved one."""

    do = forms.ChoiceField(choices=[(one, one) for one in ("save", "rename", "delete")])
    name = forms.CharField(required=False)
    query = forms.CharField(required=False)
    for_all = forms.BooleanField(required=False)
    view = forms.ModelChoiceField(SavedView.objects.all(), required=False)


class SavedViewsAdmin(ModelAdmin):  # type: ignore[misc]  # unfold ships no types
    """A list with saved views above it."""

    change_list_template = "dispatch/job_list.html"

    def get_urls(self) -> list[URLPattern]:
        urls: list[URLPattern] = super().get_urls()
        view = self.admin_site.admin_view(self.views_view)
        return [path("views/", view, name="dispatch_job_views"), *urls]

    def changelist_view(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        shown = self._shown(request) if self.has_view_permission(request) else {}
        context = {**(extra_context or {}), **shown}
        response: HttpResponse = super().changelist_view(request, context)
        return response

    def views_view(self, request: HttpRequest) -> HttpResponse:
        """Save, rename or delete a view, and return to the list with what was done."""
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not self.has_view_permission(request):
            raise PermissionDenied
        form = ViewForm(request.POST)
        query = request.POST.get("query", "")
        try:
            query = self._done(request, form)
        except ValueRefused as refusal:
            messages.error(request, str(refusal))
        return redirect(_list_with(query if _is_usable(query) else ""))

    def _done(self, request: HttpRequest, form: ViewForm) -> str:
        """Do what the form says; return the query of the list to show. Raises ValueRefused."""
        if not form.is_valid():
            raise ValueRefused("This view does not exist.", "Reload the page.")
        sent = form.cleaned_data
        if sent["do"] == "save":
            return self._save(request, sent)
        view = _changeable(request.user, sent["view"])
        if sent["do"] == "rename":
            before = view.name
            rename_view(view=view, name=sent["name"])
            messages.success(request, f"Renamed “{before}” to “{view.name}”.")
            return view.query
        view.delete()
        messages.success(request, f"Deleted the view “{view.name}”.")
        return str(sent["query"])

    def _save(self, request: HttpRequest, sent: dict[str, Any]) -> str:
        if sent["for_all"] and not request.user.has_perm(SHARE):
            raise PermissionDenied
        query = clean_query(sent["query"])
        self._check_filters(request, query)
        owner = None if sent["for_all"] else request.user
        view = save_view(name=sent["name"], query=query, owner=owner)
        messages.success(request, f"Saved the view “{view.name}”.")
        return view.query

    def _check_filters(self, request: HttpRequest, query: str) -> None:
        """Raise ValueRefused unless the list answers the query, with filters that it shows."""
        probe = copy(request)
        probe.GET = QueryDict(query)
        try:
            with transaction.atomic():
                found = self.get_changelist_instance(probe)
        except UNUSABLE:
            raise _unknown_filter() from None
        known = {name for spec in found.filter_specs for name in spec.expected_parameters()}
        if not set(probe.GET) <= known | {SEARCH_VAR, ORDER_VAR}:
            raise _unknown_filter()

    def _shown(self, request: HttpRequest) -> dict[str, Any]:
        """Return what the template shows: the tabs, and the query if it can be saved."""
        current = _without_moment(request.GET.urlencode())
        may_share = request.user.has_perm(SHARE)
        built_in = [_tab(name, query, current) for name, query in BUILT_IN]
        saved = [
            _tab(one.name, one.query, current, row=one, may_change=may_share or bool(one.owner_id))
            for one in views_of(request.user)
        ]
        is_saved = any(tab.is_current for tab in (*built_in, *saved))
        return {
            "view_tabs": [*built_in, *saved],
            "current_view": next((one.row for one in saved if one.is_current and one.row), None),
            "query_to_save": request.GET.urlencode() if current and not is_saved else "",
            "query_now": request.GET.urlencode(),
            "may_share_views": may_share,
        }


def _tab(
    name: str,
    query: str,
    current: Sequence[tuple[str, str]],
    *,
    row: SavedView | None = None,
    may_change: bool = False,
) -> Tab:
    return Tab(
        name=name,
        url=_list_with(query),
        is_current=_without_moment(query) == current,
        is_for_all=row is not None and row.owner_id is None,
        row=row if may_change else None,
    )


def _without_moment(query: str) -> list[tuple[str, str]]:
    """Return the parameters of a query that make a view, in an order of their own."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return sorted(pair for pair in pairs if pair[0] not in MOMENTARY)


def _changeable(user: Any, view: SavedView | None) -> SavedView:
    """Return the view if it is the user's, or one of all that they may share.

    Raises ValueRefused for another user's, as for one that does not exist.
    """
    if view is None or view.owner_id not in (None, user.pk):
        raise ValueRefused("This view does not exist.", "Reload the page.")
    if view.owner_id is None and not user.has_perm(SHARE):
        raise PermissionDenied
    return view


def _list_with(query: str) -> str:
    page = reverse("admin:dispatch_job_changelist")
    return f"{page}?{query}" if query else page


def _is_usable(query: str) -> bool:
    """Whether the list can be shown with a query as it was sent."""
    try:
        clean_query(query)
    except ValueRefused:
        return False
    return query.isascii() and query.isprintable()


def _unknown_filter() -> ValueRefused:
    return ValueRefused(
        "The list has no such filter.",
        "Choose filters in the list, then save the view.",
        field="query",
    )
