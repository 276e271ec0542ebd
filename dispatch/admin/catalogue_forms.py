"""The forms of prices and ZIP codes: people type dollars, rows have cents."""

from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.forms import BaseInlineFormSet
from django.utils import timezone
from unfold.widgets import UnfoldAdminTextInputWidget

from dispatch.addresses import parse_zip
from dispatch.errors import ValueRefused
from dispatch.models import LoadSize, PriceKind, PriceRule, ServedZip, ServiceType, dollars
from dispatch.prices import ParsedPrice, parse_dollars, parse_price
from dispatch.statuses import ServiceKind


class DollarsField(forms.Field):
    """An amount that is typed in dollars and kept in cents; empty is 0."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        """Return what the input shows: cents as dollars, or what was typed."""
        return dollars(value) if isinstance(value, int) else value

    def to_python(self, value: Any) -> int:
        """Return cents. Raises ValidationError."""
        if isinstance(value, int):
            return value
        try:
            return parse_dollars(value or "0")
        except ValueRefused as refusal:
            raise ValidationError(str(refusal), code=refusal.code) from None


class PriceField(forms.Field):
    """A price as people write it, like "600 all-in"; its value is a ParsedPrice."""

    widget = UnfoldAdminTextInputWidget

    def prepare_value(self, value: Any) -> Any:
        """Return what the input shows: the price as text, or what was typed."""
        return str(value) if isinstance(value, ParsedPrice) else value

    def to_python(self, value: Any) -> ParsedPrice | None:
        """Return the price. Raises ValidationError."""
        if value is None or isinstance(value, ParsedPrice):
            return value
        try:
            return parse_price(value) if value.strip() else None
        except ValueRefused as refusal:
            raise ValidationError(str(refusal), code=refusal.code) from None


class PriceRuleForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """A rule that has not begun before today; older ones are shown and cannot be edited."""

    price = PriceField(help_text="For example “600 all-in”, “250 estimate” or “400 to 600”.")
    extra_day = DollarsField(
        required=False, help_text="In dollars, for each day beyond the included ones."
    )

    class Meta:
        model = PriceRule
        fields = ("load_size", "valid_from")

    def __init__(self, *args: Any, service: ServiceType, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.service, rule, today = service, self.instance, timezone.localdate()
        self.initial.setdefault("valid_from", today)
        if isinstance(size := self.fields.get("load_size"), forms.ChoiceField):
            size.choices = [("", "Any other size"), *LoadSize.choices]
        if rule.pk:
            self.initial["price"] = ParsedPrice(PriceKind(rule.kind), rule.cents, rule.upper_cents)
            self.initial["extra_day"] = rule.extra_day_cents
        if rule.pk and rule.valid_from < today:
            for field in self.fields.values():
                field.disabled = True

    def clean_valid_from(self) -> Any:
        day = self.cleaned_data["valid_from"]
        if day < timezone.localdate() and not self.fields["valid_from"].disabled:
            raise ValidationError("Choose today or a later day.", code="past")
        return day

    def clean_load_size(self) -> Any:
        size = self.cleaned_data["load_size"]
        if size and self.service.kind == ServiceKind.DUMPSTER:
            raise ValidationError("A dumpster has one price: leave this empty.", code="dumpster")
        return size

    def clean_extra_day(self) -> Any:
        cents = self.cleaned_data["extra_day"]
        if cents and self.service.kind != ServiceKind.DUMPSTER:
            raise ValidationError("Only dumpsters have days of rental: enter 0.", code="haul")
        return cents

    def clean(self) -> dict[str, Any]:
        super().clean()
        price = self.cleaned_data.get("price")
        if isinstance(price, ParsedPrice):
            rule = self.instance
            rule.kind, rule.cents, rule.upper_cents = price.kind, price.cents, price.upper_cents
            rule.extra_day_cents = self.cleaned_data.get("extra_day") or 0
        return self.cleaned_data


class PriceRuleFormSet(BaseInlineFormSet):  # type: ignore[type-arg]  # not subscriptable when run
    """The rules of one service."""

    def get_form_kwargs(self, index: int | None) -> dict[str, Any]:
        """Return what each form gets: the service as it is being saved."""
        return {**super().get_form_kwargs(index), "service": self.instance}


class ServedZipForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """A ZIP code and its surcharge."""

    surcharge_cents = DollarsField(
        label="Surcharge",
        required=False,
        help_text="In dollars, added to the price of every job here.",
    )

    class Meta:
        model = ServedZip
        fields = ("zip_code", "town", "surcharge_cents")

    def clean_zip_code(self) -> str:
        try:
            return parse_zip(self.cleaned_data["zip_code"])
        except ValueRefused as refusal:
            raise ValidationError(str(refusal), code=refusal.code) from None
