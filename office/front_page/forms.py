"""The forms that snooze a need, and end a snooze."""

from typing import Any

from django import forms

from dispatch.models import Job, Snooze
from dispatch.needs.snoozing import HOURS


class RefusingForm(forms.Form):
    """A form whose errors are shown as messages, not at its fields."""

    def refusals(self) -> list[str]:
        """Return the messages of all errors."""
        errors: Any = self.errors.values()
        return [str(message) for messages in errors for message in messages]


class SnoozeForm(RefusingForm):
    """Which need to hide, for how long, and why."""

    rule = forms.CharField(max_length=30)
    job = forms.ModelChoiceField(
        Job.objects.all(),
        required=False,
        error_messages={"invalid_choice": "This job does not exist. Reload the page."},
    )
    hours = forms.TypedChoiceField(
        choices=[(hours, str(hours)) for hours in HOURS],
        coerce=int,
        error_messages={"invalid_choice": "Choose for how long to snooze."},
    )
    reason = forms.CharField(
        max_length=Snooze._meta.get_field("reason").max_length,
        error_messages={"required": "Snoozing needs a reason. Enter a reason."},
    )


class EndForm(RefusingForm):
    """Which snooze to end."""

    end = forms.ModelChoiceField(
        Snooze.objects.all(),
        error_messages={"invalid_choice": "This snooze does not exist. Reload the page."},
    )
