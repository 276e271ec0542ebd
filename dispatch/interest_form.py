"""The form of a visitor outside the service area: who wants to hear when the firm comes there."""

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from dispatch.addresses import parse_zip
from dispatch.errors import ValueRefused
from dispatch.form_fields import text_input


class InterestForm(forms.Form):
    """A ZIP code and an email address. `website` is a honeypot, as in the booking form."""

    # Its inputs are on the booking form's page, next to fields of the same names.
    prefix = "area"

    zip_code = forms.CharField(
        label=_("ZIP code"),
        max_length=10,
        widget=text_input(autocomplete="postal-code", inputmode="numeric"),
        error_messages={"required": _("Enter the ZIP code, like 99709.")},
    )
    email = forms.EmailField(
        label=_("Email"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
        error_messages={
            "required": _("Enter your email address, like name@example.com."),
            "invalid": _("Enter an address like name@example.com."),
        },
    )
    website = forms.CharField(
        label=_("Leave this empty"),
        required=False,
        widget=text_input(autocomplete="off", tabindex="-1"),
    )

    def clean_zip_code(self) -> str:
        try:
            return parse_zip(self.cleaned_data["zip_code"])
        except ValueRefused:
            raise ValidationError(
                _("Enter a 5-digit ZIP code, like 99709."), code="invalid"
            ) from None
