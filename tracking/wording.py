"""The texts of a job's page, from its public document. track.js makes the same in the browser."""

from datetime import datetime
from typing import Any

from django.utils import timezone

from dispatch.statuses import FLOW, NOT_STARTED, Status
from tracking.surfaces import NO_CREW, NO_PRICE

DASH = "\N{EN DASH}"
NEAR_DAYS = {-1: "Yesterday", 0: "Today", 1: "Tomorrow"}


def job_view(document: dict[str, Any], now: datetime) -> dict[str, Any]:
    """Return what a job's page shows: window, late, next, steps, price, crew and updated."""
    status = Status(document["status"])
    window = document["window"] if FLOW[status].to else None
    return {
        "window": window_text(window, now) if window else "",
        "late": _is_late(window, status, now),
        "next": FLOW[status].next_for_customer,
        "steps": steps(document, now),
        "price": document["price"] or NO_PRICE,
        "crew": document["crew"] or NO_CREW,
        "updated": moment_text(_parse(document["updated_at"]), now),
    }


def steps(document: dict[str, Any], now: datetime) -> list[dict[str, Any]]:
    """Return the steps with `state` ("done", "now" or "" if ahead) and `when` (may be "")."""
    codes = [step["code"] for step in document["flow"]]
    current = codes.index(document["status"])
    ended = not FLOW[Status(document["status"])].to
    return [
        {
            **step,
            "state": _state(place, current, ended=ended),
            "when": moment_text(_parse(step["at"]), now) if step["at"] else "",
        }
        for place, step in enumerate(document["flow"])
    ]


def window_text(window: dict[str, str], now: datetime) -> str:
    """Format an interval like "Today, 9:00 - 11:00 AM", with an en dash.

    An interval that ends on another day shows both days: a dumpster's may span a week.
    """
    start, end = _parse(window["start"]), _parse(window["end"])
    if day_text(start, now) != day_text(end, now):
        return f"{moment_text(start, now)} {DASH} {moment_text(end, now)}"
    begins, ends = clock_text(start), clock_text(end)
    if begins[-2:] == ends[-2:]:
        begins = begins[:-3]
    return f"{day_text(start, now)}, {begins} {DASH} {ends}"


def moment_text(at: datetime, now: datetime) -> str:
    """Format a time with its day, like "Yesterday, 4:05 PM"."""
    return f"{day_text(at, now)}, {clock_text(at)}"


def day_text(at: datetime, now: datetime) -> str:
    """Format a day in the firm's time zone, like "Today" or "Saturday, Nov 21"."""
    day = timezone.localtime(at).date()
    away = (day - timezone.localtime(now).date()).days
    return NEAR_DAYS.get(away) or f"{day:%A}, {day:%b} {day.day}"


def clock_text(at: datetime) -> str:
    """Format a time in the firm's time zone, like "9:00 AM"."""
    local = timezone.localtime(at)
    return f"{local.hour % 12 or 12}:{local:%M %p}"


def _is_late(window: dict[str, str] | None, status: Status, now: datetime) -> bool:
    return window is not None and status in NOT_STARTED and _parse(window["end"]) <= now


def _state(place: int, current: int, *, ended: bool) -> str:
    if place < current or (place == current and ended):
        return "done"
    return "now" if place == current else ""


def _parse(text: str) -> datetime:
    return datetime.fromisoformat(text)
