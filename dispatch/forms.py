"""The booking form. It checks the input; booking.py creates the job."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from phonenumber_field.formfields import PhoneNumberField

from dispatch import consent
from dispatch.addresses import parse_zip
from dispatch.booking import BookingRequest
from dispatch.details import one_newline
from dispatch.errors import ValueRefused
from dispatch.models import Job, ServiceType

BOOKING_HORIZON = timedelta(days=365)
# Pages built before these fields were renamed are live until the next promotion.
FORMER_NAMES = {"requested_day": "wished_day", "requested_time": "wished_part"}
BANNED_ITEMS = (
    "We cannot take paint, oil, chemicals, asbestos, propane tanks, car batteries, tires with "
    "rims, medical waste or anything explosive. By sending this form you confirm there is none."
)


def text_input(**attrs: str) -> forms.TextInput:
    return forms.TextInput(attrs=attrs)


class LinesField(forms.CharField):
    """A multi-line text whose length is counted as browsers count it."""

    def to_python(self, value: Any) -> Any:
        return super().to_python(one_newline(value) if isinstance(value, str) else value)


class BookingForm(forms.Form):
    """The booking form, its fields in the order of the questions.

    `to_request()` turns valid input into the request for booking.book().
    """

    zip_code = forms.CharField(
        label="ZIP code",
        max_length=10,
        widget=text_input(autocomplete="postal-code", inputmode="numeric"),
        error_messages={"required": "Enter the ZIP code, like 99709."},
    )
    service = forms.ModelChoiceField(
        label="What do you need?",
        queryset=ServiceType.objects.filter(active=True),
        to_field_name="code",
        empty_label="Choose one",
        error_messages={
            "required": "Choose what you need.",
            "invalid_choice": "Choose one of the services in the list.",
        },
    )
    load_size = forms.ChoiceField(
        label="How much do you have?",
        required=False,
        choices=[("", "Not sure"), *Job.LoadSize.choices],
        help_text="A guess is fine. For a dumpster, choose “Not sure”.",
    )
    details = LinesField(
        label="What is it, and where on the property?",
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": "4"}),
        help_text=BANNED_ITEMS,
    )
    requested_day = forms.DateField(
        label="Which day works for you?",
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text="We confirm an arrival window with you. Leave empty for the next free day.",
        error_messages={"invalid": "Enter a date like 2026-11-20, or leave this empty."},
    )
    requested_time = forms.ChoiceField(
        label="What time of day?",
        required=False,
        choices=[("", "Any time"), *Job.DayPart.choices],
    )
    name = forms.CharField(
        label="Your name",
        max_length=120,
        widget=text_input(autocomplete="name"),
        error_messages={"required": "Enter your name, so the crew knows who to ask for."},
    )
    phone = PhoneNumberField(
        label="Mobile phone",
        region="US",
        # No input mask: people paste numbers, and libphonenumber reads any format.
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
        error_messages={
            "required": "Enter a phone number where we can reach you.",
            "invalid": "Enter a 10-digit phone number, like 907-555-0142.",
        },
    )
    email = forms.EmailField(
        label="Email",
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
        help_text="So we can send you the link to your job. You also see it right after booking.",
        error_messages={"invalid": "Enter an address like name@example.com, or leave this empty."},
    )
    address_line = forms.CharField(
        label="Street address",
        max_length=120,
        widget=text_input(autocomplete="address-line1"),
        error_messages={"required": "Enter the street address."},
    )
    unit = forms.CharField(
        label="Apartment or unit",
        required=False,
        max_length=30,
        widget=text_input(autocomplete="address-line2"),
    )
    town = forms.CharField(
        label="City or town",
        max_length=80,
        widget=text_input(autocomplete="address-level2"),
        error_messages={"required": "Enter the city or town."},
    )
    access_notes = LinesField(
        label="How do we get in?",
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": "2", "autocomplete": "off"}),
        help_text="Gate code, dog, narrow driveway. Only our office and crew see this.",
    )
    text_consent = forms.BooleanField(label=consent.TEXTS[consent.CURRENT], required=False)
    # A honeypot: people do not see this field, but bots fill it in.
    website = forms.CharField(
        label="Leave this empty",
        required=False,
        widget=text_input(autocomplete="off", tabindex="-1"),
    )
    form_key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages={
            "required": "Please check your request and send it again.",
            "invalid": "Please check your request and send it again.",
        },
    )

    def add_prefix(self, field_name: str) -> str:
        """Return the name of a field in the data: its former one if only that was sent."""
        former = FORMER_NAMES.get(field_name)
        if former in self.data and field_name not in self.data:
            return str(former)
        return super().add_prefix(field_name)

    def clean_zip_code(self) -> str:
        try:
            return parse_zip(self.cleaned_data["zip_code"])
        except ValueRefused:
            raise ValidationError("Enter a 5-digit ZIP code, like 99709.", code="invalid") from None

    def clean_requested_day(self) -> Any:
        day, today = self.cleaned_data["requested_day"], timezone.localdate()
        if day and day < today:
            raise ValidationError("That day is in the past. Choose today or later.", code="past")
        if day and day > today + BOOKING_HORIZON:
            raise ValidationError("Choose a day within the next year.", code="too-far")
        return day

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise ValidationError("Leave this field empty and send the form again.", code="spam")
        return ""

    @property
    def looks_like_spam(self) -> bool:
        return self.has_error("website", "spam")

    def with_fresh_key(self) -> "BookingForm":
        """Return a form with the same input and a new form key."""
        data: Any = self.data
        again = data.copy()
        again["form_key"] = str(uuid4())
        return type(self)(again)

    def to_request(self, *, remote_address: str = "") -> BookingRequest:
        """Return the booking request. The form must be valid."""
        values = dict(self.cleaned_data)
        agreed = values.pop("text_consent")
        for name in ("website", "form_key"):
            del values[name]
        return BookingRequest(
            **values
            | {
                "service": values["service"].code,
                "phone": values["phone"].as_e164,
                "consent_version": consent.CURRENT if agreed else "",
                "remote_address": remote_address,
            }
        )
