"""What a job may lack for its next status, as text from the shell: window, crew and price."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from dispatch.errors import ValueRefused
from dispatch.models import Crew
from dispatch.prices import ParsedPrice, parse_price
from dispatch.windows.parsing import parse_window


@dataclass(frozen=True, slots=True)
class Supplies:
    """Changes of details (field name to value) and a price, each only if it was given."""

    details: Mapping[str, Any] = field(default_factory=dict)
    price: ParsedPrice | None = None


def parse_supplies(*, window: str = "", crew: str = "", price: str = "") -> Supplies:
    """Return what the texts say; "" is not given. Raises ValueRefused."""
    details: dict[str, Any] = {}
    if window.strip():
        details["window_start"], details["window_end"] = parse_window(window)
    if crew.strip():
        details["crew"] = crew_by_name(crew)
    return Supplies(details, parse_price(price) if price.strip() else None)


def crew_by_name(name: str) -> Crew:
    """Return the active crew with this name. Raises ValueRefused."""
    active = Crew.objects.filter(active=True)
    crew = active.filter(name=name.strip()).first()
    if crew is None:
        names = ", ".join(active.values_list("name", flat=True)) or "(none set up yet)"
        raise ValueRefused(f"There is no crew '{name}'.", f"Use one of: {names}.", field="crew")
    return crew
