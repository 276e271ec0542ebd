"""Two people who edit one job: edits that do not touch are merged, the others are a conflict."""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from django import forms
from django.core.exceptions import ValidationError

from dispatch.details import NOT_IN_HISTORY, history_value, one_newline
from dispatch.models import Job, JobEvent

# Fields that only make sense together: half of one person's and half of another's do not.
GROUPS = (
    ("window_start", "window_end", "free_window"),
    ("on_hold", "hold_reason"),
    ("address_line", "unit", "town", "zip_code"),
    ("service", "load_size", "rental_days"),
    ("status", "move_to", "force_to", "step_back"),
)


@dataclass(frozen=True)
class Others:
    """What others changed since the form was shown. `touching` are fields that both edited."""

    events: list[JobEvent] = field(default_factory=list)
    touching: frozenset[str] = frozenset()

    @property
    def names(self) -> str:
        return ", ".join(sorted({event.actor for event in self.events})) or "another user"


def rebase(form: Any) -> Others:
    """Put others' changes into a form that was shown before them, where this one has no edit.

    Afterwards the form is one of the newest revision. If fields are `touching`, it is not to be
    saved as it is: it keeps what was typed into them.
    """
    seen, revision = _typed(form, "seen_revision"), form.instance.revision
    if seen == revision:
        return Others()
    posted: Any = form.data
    form.data = posted = posted.copy()  # request.POST is immutable
    if seen is None or not 0 < seen < revision:  # shown with nothing that ever was
        posted[form.add_prefix("seen_revision")] = str(revision)
        return Others(touching=frozenset({"seen_revision"}))
    later = JobEvent.objects.filter(job=form.instance, revision__gt=seen)
    events = list(later.order_by("pk"))
    before = _before(events)
    edited = _edited(form, before)
    posted[form.add_prefix("seen_revision")] = str(revision)
    for name in before.keys() - edited:
        if name in form.fields:
            show_current(form, posted, name)
    return Others(events, frozenset(name for name in before if edited & _group(name)))


def changed_by_others(form: forms.BaseForm, others: Others) -> str:
    """Return who else changed what, like "olga: crew; dana: window starts"."""
    order = ["status", *form.fields]  # PostgreSQL keeps no order in an event's changes
    parts: dict[str, dict[str, None]] = {}
    for event in others.events:
        names = {form_field(name) for name in event.changes}.intersection(order)
        titles = [_title(form, name) for name in sorted(names, key=order.index)]
        if titles:
            parts.setdefault(event.actor, {}).update(dict.fromkeys(titles))
    return "; ".join(f"{actor}: {', '.join(titles)}" for actor, titles in parts.items())


def form_field(name: str) -> str:
    """Return the form's field for a name in an event's changes."""
    return "price_text" if name == "price" else name


def show_current(form: forms.BaseForm, posted: Any, name: str) -> None:
    """Put the job's current value into the posted data, which the form shows again."""
    shown, key = form.fields[name], form.add_prefix(name)
    value = form.get_initial_for_field(shown, name)
    if isinstance(shown.widget, forms.MultiWidget):
        parts = zip(shown.widget.widgets, shown.widget.decompress(value) or [], strict=True)
        for place, (widget, part) in enumerate(parts):
            posted[f"{key}_{place}"] = widget.format_value(part) or ""
    elif value in (None, False):
        posted.pop(key, None)  # an empty choice or an unticked box
    else:
        posted[key] = "on" if value is True else str(value)


def _before(events: Iterable[JobEvent]) -> dict[str, Any]:
    """Return the fields that events changed, with their values before the first change."""
    before: dict[str, Any] = {}
    for event in events:
        for name, (value, _) in event.changes.items():
            before.setdefault(form_field(name), value)
    return before


def _edited(form: Any, before: dict[str, Any]) -> set[str]:
    """Return the fields edited here: they differ from what this form was shown with."""
    edited = set()
    for name, shown in form.fields.items():
        if name == "seen_revision":
            continue
        if name in before:
            value = _in_history(name, _typed(form, name))
            # What both set to the same value needs no decision.
            if value != before[name] and value != _now(form, name):
                edited.add(name)
        elif shown.has_changed(form.get_initial_for_field(shown, name), _raw(form, name)):
            edited.add(name)
    return edited


def _raw(form: Any, name: str) -> Any:
    return form.fields[name].widget.value_from_datadict(
        form.data, form.files, form.add_prefix(name)
    )


def _typed(form: Any, name: str) -> Any:
    """Return the typed value; for one that cannot be read, the text itself, which is an edit."""
    try:
        return form.fields[name].clean(_raw(form, name))
    except ValidationError:
        return None if name == "seen_revision" else str(_raw(form, name))


def _now(form: Any, name: str) -> Any:
    shown = form.fields[name]
    return _in_history(name, shown.to_python(form.get_initial_for_field(shown, name)))


def _in_history(name: str, value: Any) -> Any:
    """Return a typed value as history has it. Filled-in access notes are in none: an edit."""
    if name == "price_text":
        return str(value or "").strip()
    if name in NOT_IN_HISTORY and value:
        return value
    job = Job()
    try:
        setattr(job, name, one_newline(value).strip() if isinstance(value, str) else value)
    except ValueError:  # the text of a choice that is none
        return value
    return history_value(job, name)


def _group(name: str) -> frozenset[str]:
    return next((frozenset(group) for group in GROUPS if name in group), frozenset({name}))


def _title(form: forms.BaseForm, name: str) -> str:
    """Return how the page names a field."""
    return "status" if name == "status" else str(form.fields[name].label or name).lower()
