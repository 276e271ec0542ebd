"""The booking form. It checks the input; booking.py creates the job."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

from django import forms
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.text import get_text_list
from django.utils.translation import gettext as _

from dispatch import consent
from dispatch.addresses import parse_zip
from dispatch.booking import BookingRequest
from dispatch.errors import ValueRefused
from dispatch.form_fields import ANOTHER_TIME, ANOTHER_TIME_TEXT, ServiceField
from dispatch.languages import LANGUAGES
from dispatch.models import Job, ServiceWindow, dollars
from dispatch.offers import Offer, offer_for, window_label
from dispatch.questions import Questions
from dispatch.statuses import ServiceKind

BOOKING_HORIZON = timedelta(days=365)
# Pages built before these fields were renamed are live until the next promotion.
FORMER_NAMES = {"requested_day": "wished_day", "requested_time": "wished_part"}
# What the offer depends on.
WHAT = ("zip_code", "service", "load_size", "rental_days")
CHOICES = ("first_choice", "second_choice", "third_choice")
NOT_IN_REQUEST = (*CHOICES, "photos", "text_consent", "website", "form_key")


class BookingForm(Questions):
    """The booking form. `offer` is the price and the free windows, once they can be known.

    `to_request()` turns valid input into the request for booking.book().
    """

    offer: Offer | None = None
    uses_database = True
    another_time = ANOTHER_TIME_TEXT

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
            raise ValidationError(
                _("Enter a 5-digit ZIP code, like 99709."), code="invalid"
            ) from None

    def clean_requested_day(self) -> Any:
        day, today = self.cleaned_data["requested_day"], timezone.localdate()
        if day and day < today:
            raise ValidationError(_("That day is in the past. Choose today or later."), code="past")
        if day and day > today + BOOKING_HORIZON:
            raise ValidationError(_("Choose a day within the next year."), code="too-far")
        return day

    def clean_language(self) -> str:
        language: str = self.cleaned_data["language"]
        return language if language in LANGUAGES else Job.Language.ENGLISH.value

    def clean_website(self) -> str:
        if self.cleaned_data["website"]:
            raise ValidationError(_("Leave this field empty and send the form again."), code="spam")
        return ""

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or self.cleaned_data
        self._ask_by_kind(values)
        if self.uses_database and "zip_code" in values:
            self._make_offer(values, timezone.now())
        return values

    @property
    def looks_like_spam(self) -> bool:
        return self.has_error("website", "spam")

    @property
    def is_outside(self) -> bool:
        """Whether the firm does not come to the ZIP code."""
        return self.has_error("zip_code", "outside")

    @property
    def lacks_window(self) -> bool:
        """Whether windows are free and none was chosen. A page without the field had none."""
        if self._chosen or CHOICES[0] not in self.data or self.offer is None:
            return False
        return bool(self.offer.windows)

    @property
    def price_differs(self) -> bool:
        """Whether the page showed another price. One without the field did not show any."""
        shown = self.cleaned_data.get("price")
        return "price" in self.data and self.offer is not None and shown != self.offer.price

    @property
    def is_complete(self) -> bool:
        """Whether to book. Whether a price shown and a window are still right, book() decides."""
        if not self.is_valid() or self.lacks_window:
            return False
        return self.cleaned_data["price"] is not None or not self.price_differs

    @property
    def shows_windows(self) -> bool:
        """Whether the page asks for windows rather than for a day."""
        if self.offer is None:
            return bool(self.data.get(CHOICES[0]))
        return bool(self.offer.windows) or self.has_error(CHOICES[0])

    @property
    def shows_days(self) -> bool:
        """Whether the page asks for a day: no window is free, or the database does not say."""
        return not self.shows_windows and (self.offer is not None or not self.uses_database)

    @property
    def shown_price(self) -> str | None:
        """What the page that is made from this form shows; "" for no price, None for no answer."""
        if self.offer is not None:
            return str(self.offer.price or "")
        return "" if self.uses_database else self.data.get("price")

    @property
    def price_label(self) -> str:
        """`shown_price` as customers read it."""
        price = self.offer.price if self.offer else self.cleaned_data.get("price")
        return price.shown if price else self.shown_price or ""

    @property
    def surcharge(self) -> str:
        """The surcharge of the ZIP code, or ""."""
        cents = self.offer.surcharge_cents if self.offer else 0
        return dollars(cents) if cents else ""

    def keep_errors_of(self, *names: str) -> None:
        """Drop the errors of all other fields."""
        for name in set(self.errors) - set(names):
            del self.errors[name]

    def refuse_windows(self, free: Iterable[ServiceWindow]) -> None:
        """Add the error that none of the chosen windows is free, with others that are."""
        now = timezone.now()
        times = get_text_list([window_label(window, now) for window in free], _("and"))
        said = _("That time is no longer free.")
        if times:
            said += " " + _("The next free times: %(times)s.") % {"times": times}
        self.add_error(CHOICES[0], ValidationError(said, code="window-full"))

    def with_fresh_key(self) -> "BookingForm":
        """Return a form with the same input but photos, and a new form key."""
        data: Any = self.data
        again = data.copy()
        again["form_key"] = str(uuid4())
        return type(self)(again)

    def without_database(self) -> "BookingForm":
        """Return a form with the same input that is checked and shown without the database.

        Of the services and windows it offers what was chosen, by its code if no name is remembered.
        """
        form = type(self)(self.data)
        form.uses_database = False
        code = str(self.data.get("service", ""))
        name = ServiceField.names.get(code) or code.replace("-", " ").capitalize()
        before: Any = self.fields["service"]
        form.fields["service"] = forms.ChoiceField(
            label=before.label,
            choices=[("", before.empty_label), *([(code, _(name))] if code else [])],
            error_messages={"required": before.error_messages["required"]},
        )
        for choice in CHOICES:
            if chosen := str(self.data.get(choice, "")):
                choices = [(chosen, _("The time that you chose"))]
                form._field(choice).offer(lambda choices=choices: choices)
        return form

    def to_request(self, *, remote_address: str = "") -> BookingRequest:
        """Return the booking request. The form must be valid."""
        values = self.cleaned_data
        return BookingRequest(
            **{name: value for name, value in values.items() if name not in NOT_IN_REQUEST}
            | {
                "service": values["service"].code,
                "phone": values["phone"].as_e164,
                "windows": tuple(int(one) for one in self._chosen if one != ANOTHER_TIME),
                "consent_version": consent.CURRENT_IN[values["language"]]
                if values["text_consent"]
                else "",
                "remote_address": remote_address,
            }
        )

    def _ask_by_kind(self, values: dict[str, Any]) -> None:
        """Ignore the answer to the question that is not asked for this kind of service."""
        service = values.get("service")
        if isinstance(service, str) or service is None:
            return
        ignored = "load_size" if service.kind == ServiceKind.DUMPSTER else "rental_days"
        self.errors.pop(ignored, None)
        values[ignored] = "" if ignored == "load_size" else None

    def _make_offer(self, values: dict[str, Any], now: datetime) -> None:
        self.offer = offer_for(
            zip_code=values["zip_code"],
            service=values.get("service"),
            load_size=values.get("load_size") or "",
            rental_days=values.get("rental_days"),
            now=now,
        )
        if not self.offer.served:
            place = values["zip_code"]
            self.add_error(
                "zip_code",
                ValidationError(
                    _("We do not come to %(place)s yet.") % {"place": place}, code="outside"
                ),
            )
        choices = self.offer.choices
        for name in CHOICES:
            self._field(name).offer(choices, other=name == CHOICES[0])

    @property
    def _chosen(self) -> list[str]:
        """The chosen windows, the first choice first, or ["other"]. book() knows which are free."""
        values = [self.cleaned_data.get(name, "") for name in CHOICES]
        chosen = list(dict.fromkeys(value for value in values if value))
        return chosen[:1] if chosen[:1] == [ANOTHER_TIME] else chosen

    def _field(self, name: str) -> Any:
        return self.fields[name]
