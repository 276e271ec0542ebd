"""Edit conflicts on the job page: which fields keep the input and which show the other edit."""

from collections.abc import Mapping
from typing import Any

from django import forms

from dispatch.details import NOT_IN_HISTORY, history_value, one_newline
from dispatch.models import Job, JobEvent


def form_field(name: str) -> str:
    """Return the form's field for a name in an event's changes."""
    return "price_text" if name == "price" else name


def untouched(typed: Mapping[str, Any], later: list[JobEvent]) -> list[str]:
    """Return the fields that others changed and this form did not.

    `typed` is cleaned data. Filled-in access notes never count: history does not hold them.
    """
    before: dict[str, Any] = {}
    for event in later:
        for name, (value, _) in event.changes.items():
            before.setdefault(name, value)
    return [
        form_field(name)
        for name, value in before.items()
        if form_field(name) in typed and _as_in_history(name, typed[form_field(name)]) == value
    ]


def show_current(form: forms.BaseForm, posted: Any, name: str) -> None:
    """Put the job's current value into the posted data, which the form shows again."""
    field, key = form.fields[name], form.add_prefix(name)
    value = form.get_initial_for_field(field, name)
    if isinstance(field.widget, forms.MultiWidget):
        parts = zip(field.widget.widgets, field.widget.decompress(value) or [], strict=True)
        for place, (widget, part) in enumerate(parts):
            posted[f"{key}_{place}"] = widget.format_value(part) or ""
    elif value in (None, False):
        posted.pop(key, None)  # an empty choice or an unticked box
    else:
        posted[key] = "on" if value is True else str(value)


def _as_in_history(name: str, value: Any) -> Any:
    if name == "price":
        return value
    if name in NOT_IN_HISTORY and value:
        return None
    job = Job()
    setattr(job, name, one_newline(value) if isinstance(value, str) else value)
    return history_value(job, name)
