"""Two people at one job page: what a form keeps and what it takes over from the other one."""

from collections.abc import Mapping
from typing import Any

from django import forms

from dispatch.details import NOT_IN_HISTORY, one_newline, spoken
from dispatch.models import Job, JobEvent


def field_of(name: str) -> str:
    """Name the form's field of what an event calls by its own name."""
    return "price_text" if name == "price" else name


def untouched(typed: Mapping[str, Any], later: list[JobEvent]) -> list[str]:
    """Name the fields that others changed and that still hold what stood there before.

    `typed` is cleaned data. Access notes are left as they were sent: no history tells what they
    were.
    """
    before: dict[str, Any] = {}
    for event in later:
        for name, (value, _) in event.changes.items():
            before.setdefault(name, value)
    return [
        field_of(name)
        for name, value in before.items()
        if field_of(name) in typed and _said(name, typed[field_of(name)]) == value
    ]


def take_over(form: forms.BaseForm, posted: Any, name: str) -> None:
    """Put the job's present value where a browser will send it from the next time."""
    field, key = form.fields[name], form.add_prefix(name)
    value = form.get_initial_for_field(field, name)
    if isinstance(field.widget, forms.MultiWidget):
        parts = zip(field.widget.widgets, field.widget.decompress(value) or [], strict=True)
        for place, (widget, part) in enumerate(parts):
            posted[f"{key}_{place}"] = widget.format_value(part) or ""
    elif value in (None, False):
        posted.pop(key, None)  # an empty choice, a box without its tick
    else:
        posted[key] = "on" if value is True else str(value)


def _said(name: str, value: Any) -> Any:
    if name == "price":
        return value
    if name in NOT_IN_HISTORY and value:
        return None
    job = Job()
    setattr(job, name, one_newline(value) if isinstance(value, str) else value)
    return spoken(job, name)
