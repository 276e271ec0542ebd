"""The questions of the booking form."""

from django import forms
from django.utils.functional import lazy
from django.utils.translation import gettext_lazy as _
from phonenumber_field.formfields import PhoneNumberField

from dispatch import consent
from dispatch.form_fields import (
    ChosenWindow,
    LinesField,
    ShownPrice,
    service_by_code,
    text_input,
)
from dispatch.models import Job
from dispatch.photos.fields import PhotosField

MAX_RENTAL_DAYS = 90
BANNED_ITEMS = _(
    "We cannot take paint, oil, chemicals, asbestos, propane tanks, car batteries, tires with "
    "rims, medical waste or anything explosive. By sending this form you confirm there is none."
)


class Questions(forms.Form):
    """The fields of the booking form, in the order of the questions."""

    zip_code = forms.CharField(
        label=_("ZIP code"),
        max_length=10,
        widget=text_input(autocomplete="postal-code", inputmode="numeric"),
        error_messages={"required": _("Enter the ZIP code, like 99709.")},
    )
    service = service_by_code()
    load_size = forms.ChoiceField(
        label=_("How much do you have?"),
        required=False,
        choices=[*Job.LoadSize.choices, ("", _("Not sure"))],
        widget=forms.RadioSelect,
        help_text=_("A guess is fine."),
    )
    rental_days = forms.IntegerField(
        label=_("For how many days?"),
        required=False,
        min_value=1,
        max_value=MAX_RENTAL_DAYS,
        help_text=_("Leave empty for the days that the price includes."),
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
        error_messages={"invalid": _("Enter a number of days, like 7, or leave this empty.")},
    )
    place_on_site = forms.ChoiceField(
        label=_("Where on the property?"),
        required=False,
        choices=[("", _("Choose one")), *Job.PlaceOnSite.choices],
    )
    details = LinesField(
        label=_("What is it?"),
        required=False,
        max_length=2000,
        widget=forms.Textarea(attrs={"rows": "4"}),
        help_text=BANNED_ITEMS,
    )
    photos = PhotosField(
        label=_("Photos"),
        required=False,
        help_text=_("Up to six. They help us bring what the job needs."),
    )
    first_choice = ChosenWindow(label=_("Which time works best?"), empty=_("Choose a time"))
    second_choice = ChosenWindow(label=_("Second choice"), empty=_("None"))
    third_choice = ChosenWindow(label=_("Third choice"), empty=_("None"))
    requested_day = forms.DateField(
        label=_("Which day works for you?"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("We confirm an arrival window with you. Leave empty for the next free day."),
        error_messages={"invalid": _("Enter a date like 2026-11-20, or leave this empty.")},
    )
    requested_time = forms.ChoiceField(
        label=_("What time of day?"),
        required=False,
        choices=[("", _("Any time")), *Job.DayPart.choices],
    )
    name = forms.CharField(
        label=_("Your name"),
        max_length=120,
        widget=text_input(autocomplete="name"),
        error_messages={"required": _("Enter your name, so the crew knows who to ask for.")},
    )
    phone = PhoneNumberField(
        label=_("Mobile phone"),
        region="US",
        # No input mask: people paste numbers, and libphonenumber reads any format.
        widget=forms.TextInput(attrs={"type": "tel", "autocomplete": "tel", "inputmode": "tel"}),
        error_messages={
            "required": _("Enter a phone number where we can reach you."),
            "invalid": _("Enter a 10-digit phone number, like 907-555-0142."),
        },
    )
    email = forms.EmailField(
        label=_("Email"),
        required=False,
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "email", "inputmode": "email"}),
        help_text=_(
            "So we can send you the link to your job. You also see it right after booking."
        ),
        error_messages={
            "invalid": _("Enter an address like name@example.com, or leave this empty.")
        },
    )
    address_line = forms.CharField(
        label=_("Street address"),
        max_length=120,
        widget=text_input(autocomplete="address-line1"),
        error_messages={"required": _("Enter the street address.")},
    )
    unit = forms.CharField(
        label=_("Apartment or unit"),
        required=False,
        max_length=30,
        widget=text_input(autocomplete="address-line2"),
    )
    town = forms.CharField(
        label=_("City or town"),
        max_length=80,
        widget=text_input(autocomplete="address-level2"),
        error_messages={"required": _("Enter the city or town.")},
    )
    access_notes = LinesField(
        label=_("How do we get in?"),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": "2", "autocomplete": "off"}),
        help_text=_(
            "Gate code, dog, narrow driveway. Only our office and crew see this, and we delete it "
            "a day after the job."
        ),
    )
    text_consent = forms.BooleanField(label=lazy(consent.current_text, str)(), required=False)
    price = ShownPrice()
    # Of the page that was sent; another text means English, as in pages without the field.
    language = forms.CharField(required=False, widget=forms.HiddenInput)
    # A honeypot: people do not see this field, but bots fill it in.
    website = forms.CharField(
        label=_("Leave this empty"),
        required=False,
        widget=text_input(autocomplete="off", tabindex="-1"),
    )
    form_key = forms.UUIDField(
        widget=forms.HiddenInput,
        error_messages={
            "required": _("Please check your request and send it again."),
            "invalid": _("Please check your request and send it again."),
        },
    )
