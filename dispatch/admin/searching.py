"""Lists that are searched by dispatch.search, and say what they looked for."""

from collections.abc import Mapping
from typing import Any

from django.contrib.admin.views.main import ORDER_VAR
from django.http import HttpRequest

from dispatch.admin.light_lists import CountedPaginator, LightListAdmin
from dispatch.search.finding import LIMIT, Found


class SearchedAdmin(LightListAdmin):
    """A list whose `find` searches among the rows that the filters have left."""

    # Shows the box; `find` does the search.
    search_fields = ["search_text"]
    list_before_template = "dispatch/search_notes.html"
    # Whether the newest come first, unless the list is sorted by hand.
    newest_first = False

    def find(self, text: str, among: Any) -> Found:
        raise NotImplementedError

    def get_search_results(
        self, request: HttpRequest, queryset: Any, search_term: str
    ) -> tuple[Any, bool]:
        if not search_term.strip():
            return queryset, False
        found = self.find(search_term, queryset)
        names = (str(self.opts.verbose_name), str(self.opts.verbose_name_plural))
        request.search_notes = notes(found, *names)  # type: ignore[attr-defined]
        request.search_count = found.count  # type: ignore[attr-defined]
        if self.newest_first and ORDER_VAR not in request.GET:
            return found.rows, False
        return found.rows.order_by(*queryset.query.order_by), False

    def get_paginator(
        self, request: HttpRequest, queryset: Any, *args: Any, **kwargs: Any
    ) -> CountedPaginator:
        """Return the pages. A search, which comes after the filters, has counted the rows."""
        pages: CountedPaginator = super().get_paginator(request, queryset, *args, **kwargs)
        if (count := getattr(request, "search_count", None)) is not None:
            pages.counted = count
        return pages


def notes(found: Found, name: str, plural: str) -> list[str]:
    """Return what to say about a search: what it corrected, and that there is more."""
    said = [corrected_text(found.corrected, name)] if found.corrected else []
    if found.more:
        said.append(
            f"More than {LIMIT} {plural} match. These are the newest; add a word to find others."
        )
    return said


def corrected_text(corrected: Mapping[str, tuple[str, ...]], name: str) -> str:
    """Return text like "No job has 'chenna'. Showing results for 'chena'."."""
    typed = " or ".join(f"'{word}'" for word in corrected)
    meant = " and ".join(" or ".join(f"'{word}'" for word in words) for words in corrected.values())
    return f"No {name} has {typed}. Showing results for {meant}."
