"""Saved views: filtered lists of jobs with a name, for one user or for all."""

from collections.abc import Sequence
from typing import Any
from urllib.parse import parse_qsl, urlencode

from django.db import IntegrityError, transaction
from django.db.models import Q

from dispatch.errors import ValueRefused
from dispatch.models import SavedView

# Name and query of the views that are always there.
BUILT_IN = (
    ("Today", "window=today"),
    ("Tomorrow", "window=tomorrow"),
    ("This week", "window=this-week"),
    ("Unassigned", "work=unassigned"),
    ("Needs you", "needs=any"),
    ("Out", "work=out"),
)
MOST = 20
# Parameters of a list that are about the moment: the page, an error, where one came from.
MOMENTARY = frozenset({"p", "e", "all", "_changelist_filters"})
MOST_PARAMETERS = 30


def views_of(user: Any) -> Sequence[SavedView]:
    """Return the views of all and the user's own, in the order of their names."""
    theirs = Q(owner__isnull=True) | Q(owner=user)
    return list(SavedView.objects.filter(theirs).order_by("name", "pk"))


def clean_query(query: str) -> str:
    """Return a list's query without what is about the moment. Raises ValueRefused."""
    try:
        pairs = parse_qsl(
            query, keep_blank_values=True, max_num_fields=MOST_PARAMETERS, errors="strict"
        )
    except ValueError:
        raise _refused_query("Expected filters of the job list, found something else.") from None
    kept = urlencode([(name, value) for name, value in pairs if name not in MOMENTARY])
    most = SavedView._meta.get_field("query").max_length or 0
    if not kept:
        raise _refused_query("Expected a filter, found none.")
    if len(kept) > most:
        raise _refused_query(f"Expected filters of at most {most} characters, found {len(kept)}.")
    return kept


def save_view(*, name: str, query: str, owner: Any) -> SavedView:
    """Save a view for its owner, or with None for all. Raises ValueRefused."""
    if SavedView.objects.filter(owner=owner).count() >= MOST:
        raise ValueRefused(f"There are {MOST} saved views already.", "Delete one first.")
    return _written(SavedView(name=_clean_name(name), query=clean_query(query), owner=owner))


def rename_view(*, view: SavedView, name: str) -> SavedView:
    """Give a view another name. Raises ValueRefused."""
    view.name = _clean_name(name)
    return _written(view)


def _written(view: SavedView) -> SavedView:
    try:
        with transaction.atomic():
            view.save()
    except IntegrityError:
        raise ValueRefused(
            f"There is a view “{view.name}” already.", "Choose another name.", field="name"
        ) from None
    return view


def _clean_name(name: str) -> str:
    cleaned = " ".join(name.split())
    most = SavedView._meta.get_field("name").max_length or 0
    if not cleaned:
        raise ValueRefused("A view needs a name.", "Enter a name.", field="name")
    if len(cleaned) > most or not cleaned.isprintable():
        raise ValueRefused(
            f"Expected a name of at most {most} characters, found {len(cleaned)}.",
            "Choose another name.",
            field="name",
        )
    if cleaned.casefold() in {built_in.casefold() for built_in, _ in BUILT_IN}:
        raise ValueRefused(
            f"“{cleaned}” is the name of a built-in view.", "Choose another name.", field="name"
        )
    return cleaned


def _refused_query(message: str) -> ValueRefused:
    return ValueRefused(message, "Choose filters in the list, then save the view.", field="query")
