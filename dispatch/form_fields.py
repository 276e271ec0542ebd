"""The kinds of fields of the booking form."""

import re
from collections.abc import Callable
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.choices import CallableChoiceIterator
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from dispatch.details import one_newline
from dispatch.errors import ValueRefused
from dispatch.models import ServiceType
from dispatch.prices import ParsedPrice, parse_price

Choices = list[tuple[str, str]]
# The choice of a customer whom no window suits.
ANOTHER_TIME = "other"
WINDOW_KEY = re.compile(r"\d{1,9}", re.ASCII)
ANOTHER_TIME_TEXT = _("None of these: call me to agree on a time")


def text_input(**attrs: str) -> forms.TextInput:
    """Return a text input with HTML attributes."""
    return forms.TextInput(attrs=attrs)


class LinesField(forms.CharField):
    """A multi-line text whose length is counted as browsers count it."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(one_newline(value) if isinstance(value, str) else value)


class ServiceSelect(forms.Select):
    """A list of services; each has its kind, by which the stylesheet asks for a load or days."""

    def create_option(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        option: dict[str, Any] = super().create_option(*args, **kwargs)
        if service := getattr(option["value"], "instance", None):
            option["attrs"]["data-kind"] = service.kind
        return option


class ServiceField(forms.ModelChoiceField):  # type: ignore[type-arg]  # not subscriptable when run
    """A choice of services. Remembers the names chosen in this process, see `names`."""

    widget = ServiceSelect
    names: dict[str, str] = {}

    def label_from_instance(self, obj: Any) -> str:
        return str(obj.shown_name)

    def to_python(self, value: Any) -> Any:
        service = super().to_python(value)
        if service is not None:
            self.names[service.code] = service.name
        return service


def service_by_code() -> ServiceField:
    """Return the question for one of the active services."""
    return ServiceField(
        label=_("What do you need?"),
        queryset=ServiceType.objects.filter(active=True),
        to_field_name="code",
        empty_label=_("Choose one"),
        error_messages={
            "required": _("Choose what you need."),
            "invalid_choice": _("Choose one of the services in the list."),
        },
    )


class ChosenWindow(forms.CharField):
    """The number of a window, "other", or "". Which windows are free depends on other answers."""

    def __init__(self, *, label: Any, empty: str | Promise, **kwargs: Any) -> None:
        self.empty = empty
        widget = forms.Select(choices=[("", empty)])
        super().__init__(label=label, required=False, widget=widget, **kwargs)

    def clean(self, value: Any) -> str:
        chosen = str(super().clean(value))
        if chosen and chosen != ANOTHER_TIME and not WINDOW_KEY.fullmatch(chosen):
            raise ValidationError(_("Choose one of the times in the list."), code="invalid_choice")
        return chosen

    def offer(self, choices: Callable[[], Choices], *, other: bool = False) -> None:
        """Show these windows, and with `other` the choice of none; called only to show them."""
        last = [(ANOTHER_TIME, ANOTHER_TIME_TEXT)] if other else []
        select: Any = self.widget
        select.choices = CallableChoiceIterator(lambda: [("", self.empty), *choices(), *last])


class ShownPrice(forms.CharField):
    """The price that the page showed, as a hidden field. Other text means none."""

    def __init__(self) -> None:
        super().__init__(required=False, widget=forms.HiddenInput)

    def clean(self, value: Any) -> ParsedPrice | None:
        try:
            return parse_price(super().clean(value))
        except ValueRefused:
            return None
