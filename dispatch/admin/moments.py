"""The fields for a window's start and end: a day, and a time as people type it."""

from datetime import date, time
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from unfold.widgets import INPUT_CLASSES

from dispatch.errors import ValueRefused
from dispatch.windows.parsing import clock, parse_clock

CLASSES = {"class": " ".join(INPUT_CLASSES)}
NO_DAY = "Enter the day."
NO_TIME = "Enter the time, like 9am or 14:30."


class ClockInput(forms.TextInput):
    """Shows a time like "9:00 AM". Not the browser's own: that refuses "9am"."""

    supports_microseconds = False

    def __init__(self) -> None:
        super().__init__(attrs={**CLASSES, "autocomplete": "off", "size": 8})

    def format_value(self, value: Any) -> str | None:
        return clock(value) if isinstance(value, time) else super().format_value(value)


class DayInput(forms.DateInput):
    """The browser's own field for a day, which needs no script and knows of no time zone."""

    input_type = "date"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%d", attrs=CLASSES)


class ClockField(forms.TimeField):
    """A time of the day, to the minute."""

    widget = ClockInput

    def to_python(self, value: Any) -> Any:
        if isinstance(value, time):
            return value.replace(second=0, microsecond=0)
        if value in self.empty_values:
            return None
        try:
            return parse_clock(str(value))
        except ValueRefused as refusal:
            raise ValidationError(str(refusal), code=refusal.code) from None


class MomentInput(forms.SplitDateTimeWidget):
    """A day and a time. The day is left out of the field if it is `same_day`, as for most ends."""

    def __init__(self, attrs: Any = None) -> None:
        forms.MultiWidget.__init__(self, [DayInput(), ClockInput()], attrs)
        self.same_day = ""

    def get_context(self, name: str, value: Any, attrs: Any) -> dict[str, Any]:
        context = super().get_context(name, value, attrs)
        day = context["widget"]["subwidgets"][0]
        if day["value"] == self.same_day:
            day["value"] = None
        return context


class MomentField(forms.SplitDateTimeField):
    """A moment in TIME_ZONE."""

    def __init__(self, **kwargs: Any) -> None:
        for unused in ("input_date_formats", "input_time_formats"):
            kwargs.pop(unused, None)
        kwargs["widget"] = MomentInput
        kwargs["error_messages"] = {"invalid_date": NO_DAY, "invalid_time": NO_TIME}
        forms.MultiValueField.__init__(self, fields=(forms.DateField(), ClockField()), **kwargs)


def same_day(form: forms.BaseForm) -> None:
    """Let the window's end be on the day of its start unless another day is given."""
    end = form.fields.get("window_end")
    if end is None or not isinstance(end.widget, MomentInput):
        return
    start = form.initial.get("window_start")
    if not form.is_bound:
        shown = end.widget.decompress(start)
        end.widget.same_day = shown[0].isoformat() if isinstance(shown[0], date) else ""
        return
    start_day, end_day, end_time = (
        form.add_prefix(name) for name in ("window_start_0", "window_end_0", "window_end_1")
    )
    posted: Any = form.data
    end.widget.same_day = posted.get(start_day, "")
    if posted.get(end_time) and not posted.get(end_day):
        form.data = posted = posted.copy()  # request.POST is immutable
        posted[end_day] = end.widget.same_day
