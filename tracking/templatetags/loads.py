"""How full a truck is with each load size, drawn as the outline of the pile on its bed."""

from django import template

from dispatch.models import LoadSize

register = template.Library()

PILES = {
    LoadSize.EIGHTH: "M5 20q21-4 42 0l-1 5H6z",
    LoadSize.QUARTER: "M4.2 17q22-6 43.6 0l-1.8 8H6z",
    LoadSize.HALF: "M3.5 13q22-7 45 0l-2.5 12H6z",
    LoadSize.THREE_QUARTERS: "M2.3 8q24-6 47.4 0L46 25H6z",
    LoadSize.FULL: "M1 2q25-6 50 0l-5 23H6z",
    LoadSize.MORE: "M1 2q6-16 16-11 9-9 17-2 12-3 17 13l-5 23H6z",
}


@register.simple_tag
def pile(load_size: str) -> str:
    """Return the path of a pile in a box of 52 by 26; "" for an empty bed."""
    return PILES.get(LoadSize(load_size), "") if load_size in LoadSize.values else ""
