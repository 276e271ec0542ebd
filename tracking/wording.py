"""The texts of a job's page, from its public document. track.js makes the same in the browser."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.text import capfirst

from dispatch.times import (
    DASH,
    NEAR_DAYS,
    NOON,
    clock_text,
    day_text,
    interval_text,
    moment_text,
)
from tracking.texts import page_texts

Document = dict[str, Any]


def job_view(document: Document, now: datetime, *, answer_hours: int) -> dict[str, Any]:
    """Return what a job's page shows, in the active language. Texts may be "".

    `when` is the sentence on top, and `end` is "done", "stopped" or "". A job on hold waits for
    another time, so its window is not shown; a receipt has only what was done, for what price.
    """
    texts = page_texts(answer_hours)
    row = texts["statuses"][document["status"]]
    about = {**row, **texts["onHold"]} if document.get("on_hold") else row
    window = _window(document, row)
    awaited = window if row["waits"] else None
    late = bool(awaited and (_delay(document, awaited, now) or awaited[1] <= now))
    return {
        "hello": _hello(document, texts) + about["hello"],
        "when": _when(document, about, texts, now, late=late),
        "window": capfirst(interval_text(*window, now)) if window else "",
        "late": late,
        "question": _question(document, texts),
        "next": about["next"],
        "end": row["end"],
        "is_receipt": document.get("receipt", False),
        "receipt": receipt(document, texts, now) if row["end"] == "done" else "",
        "steps": steps(document, row["end"], now),
        "price": document["price"] or texts["noPrice"],
        "crew": document.get("crew") or texts["noCrew"],
        "updated": texts["changed"] % {"at": moment_text(_parse(document["updated_at"]), now)},
        "checked": texts["checked"] % {"at": clock_text(now)},
    }


def receipt(document: Document, texts: dict[str, Any], now: datetime) -> str:
    """Return the price and the day of a completed job, like "$600 all-in, Friday, Nov 20"."""
    return f"{document['price'] or texts['noPrice']}, {day_text(_ended(document), now)}"


def steps(document: Document, end: str, now: datetime) -> list[dict[str, Any]]:
    """Return the steps with `state` ("done", "now", "stopped", or "" if ahead) and `when`."""
    codes = [step["code"] for step in document["flow"]]
    current = codes.index(document["status"])
    return [
        {
            **step,
            "state": _state(place, current, end),
            "when": capfirst(moment_text(_parse(step["at"]), now)) if step["at"] else "",
        }
        for place, step in enumerate(document["flow"])
    ]


def on_day(at: datetime, texts: dict[str, Any], now: datetime) -> str:
    """Return a day as part of a sentence, like "today" or "on Saturday, Nov 21"."""
    day = day_text(at, now)
    near = day in map(str, NEAR_DAYS.values())
    return day.lower() if near else str(texts["on"]) % {"day": day}


def between(start: datetime, end: datetime, day: str, texts: dict[str, Any], now: datetime) -> str:
    """Return a window as a sentence, like "tomorrow between 9 and 11 AM"; `day` is its first."""
    if day_text(start, now) != day_text(end, now):
        return f"{day}, {clock_text(start)} {DASH} {moment_text(end, now)}"
    same_half = _is_morning(start) == _is_morning(end)
    begins = _hour(start) if same_half else _without_minutes(clock_text(start))
    ends = _without_minutes(clock_text(end))
    values = {"day": day, "begins": begins, "ends": ends}
    return str(texts["between"]) % values


def _hello(document: Document, texts: dict[str, Any]) -> str:
    name = document.get("first_name")
    return texts["hi"] % {"name": name} if name else str(texts["hiThere"])


def _when(
    document: Document, about: dict[str, Any], texts: dict[str, Any], now: datetime, *, late: bool
) -> str:
    if about["end"]:
        pattern = texts.get(document.get("cancelled_by") or "") or about["when"]
        return str(pattern) % {"day": on_day(_ended(document), texts, now)}
    window = _window(document, about)
    if late and window and (minutes := _delay(document, window, now)):
        return str(texts["lateBy"]) % {"minutes": minutes}
    if about["when"]:
        return str(about["when"])
    if late or not window:
        return str(texts["late"] if late else about["unplanned"])
    if not document.get("placed"):
        return capfirst(between(*window, day_text(window[0], now), texts, now))
    # The crew comes to fetch the dumpster.
    when = between(*window, on_day(window[0], texts, now), texts, now)
    return str(texts["pickup"]) % {"when": when}


def _delay(document: Document, window: tuple[datetime, datetime], now: datetime) -> int:
    """Return by how many minutes the crew says it is late, until they are over too."""
    minutes: int = document.get("late_by") or 0
    return minutes if now < window[1] + timedelta(minutes=minutes) else 0


def _question(document: Document, texts: dict[str, Any]) -> str:
    question = document.get("price_question")
    return texts["question"] % question if question else ""


def _window(document: Document, row: dict[str, Any]) -> tuple[datetime, datetime] | None:
    window = document.get("window")
    if not window or row["end"] or document.get("on_hold"):
        return None
    return _parse(window["start"]), _parse(window["end"])


def _state(place: int, current: int, end: str) -> str:
    if place < current:
        return "done"
    return (end or "now") if place == current else ""


def _ended(document: Document) -> datetime:
    return _parse(document["flow"][-1]["at"] or document["updated_at"])


def _hour(at: datetime) -> str:
    local = timezone.localtime(at)
    return _without_minutes(f"{local.hour % NOON or NOON}:{local:%M}")


def _without_minutes(clock: str) -> str:
    return clock.replace(":00", "")


def _is_morning(at: datetime) -> bool:
    return timezone.localtime(at).hour < NOON


def _parse(text: str) -> datetime:
    return datetime.fromisoformat(text)
