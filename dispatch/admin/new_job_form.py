"""The form for booking by phone."""

from typing import Any
from uuid import uuid4

from django import forms
from django.forms.utils import ErrorDict
from django.utils import timezone
from phonenumber_field.formfields import PhoneNumberField
from unfold.widgets import UnfoldAdminTextInputWidget

from dispatch.admin.job_forms import PricedForm, offer_active
from dispatch.admin.phone_booking import known_document, offer_document
from dispatch.booking import DEFAULT_SERVICE, BookingRequest
from dispatch.models import Job, ServiceWindow
from dispatch.phone_lookup import known_customers

# The buttons that look something up and book nothing; scripts do the same while one types.
LOOK_UP, SHOW_OFFER = "_look_up", "_offer"
# More crews than this are chosen from a list.
MOST_BUTTONS = 8
# What is filled in over what the form proposed.
PROPOSED = frozenset({"service", "language"})


class NewJobForm(PricedForm):
    """Books a job by phone. Saving the same form twice books one job.

    `known` are the customers found, and `offer` is what the firm offers for what was entered.
    """

    phone = PhoneNumberField(
        region="US",
        widget=UnfoldAdminTextInputWidget(
            attrs={"type": "tel", "autocomplete": "off", "autofocus": True}
        ),
        error_messages={
            "required": "Enter the customer's phone number.",
            "invalid": "Enter ten digits with the area code, like 907-555-0142.",
        },
    )
    free_window = forms.ModelChoiceField(
        ServiceWindow.objects.none(), label="Window", required=False, widget=forms.RadioSelect
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["key"] = uuid4()
        self.known: list[dict[str, Any]] = []
        offer_active(self, self.instance)
        self._propose_service()
        self.only_looks = self.is_bound and not {LOOK_UP, SHOW_OFFER}.isdisjoint(self.data)
        if self.is_bound and LOOK_UP in self.data:
            self._look_up()
        self._show_offer()
        self._show_few_crews()

    def full_clean(self) -> None:
        """Refuse nothing where only a look-up was asked for: the form is not finished."""
        super().full_clean()
        if self.only_looks:
            self._errors = ErrorDict()

    def is_valid(self) -> bool:
        return super().is_valid() and not self.only_looks

    def clean(self) -> dict[str, Any]:
        super().clean()
        if window := self.cleaned_data.get("free_window"):
            self.cleaned_data |= {"window_start": window.start, "window_end": window.end}
        if not self.errors:
            names = ("zip_code", "window_start", "window_end")
            work = {name: self.cleaned_data[name] for name in ("service", "load_size")}
            job = Job(**work)
            self.check(job, {name: self.cleaned_data[name] for name in names})
            self.show_refusal()
        return self.cleaned_data

    def to_request(self) -> BookingRequest:
        values = self.cleaned_data
        return BookingRequest(
            name=values["contact_name"],
            phone=values["phone"].as_e164,
            email=values["contact_email"],
            service=values["service"].code,
            address_line=values["address_line"],
            unit=values["unit"],
            town=values["town"],
            zip_code=values["zip_code"],
            load_size=values["load_size"],
            rental_days=values["rental_days"],
            place_on_site=values["place_on_site"],
            language=values["language"],
            details=values["details"],
            access_notes=values["access_notes"],
            agreed_price=self.new_price,
        )

    @property
    def planned(self) -> dict[str, Any]:
        """The given details that a booking request does not have: crew and window."""
        names = ("crew", "window_start", "window_end")
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data.get(name)}

    @property
    def has_window(self) -> bool:
        """Whether the job is to be scheduled at once."""
        return "window_start" in self.planned

    def _propose_service(self) -> None:
        services: Any = self.fields["service"]
        usual = services.queryset.filter(code=DEFAULT_SERVICE).first() or services.queryset.first()
        if usual is not None:
            self.initial.setdefault("service", usual.pk)

    def _look_up(self) -> None:
        """Fill in the customer of the phone, and the place chosen by the button, or the latest."""
        self.known = [known_document(one) for one in known_customers(self.data.get("phone", ""))]
        chosen = self.data[LOOK_UP]
        taken = [*_choices(self.known)]
        fields = dict(taken).get(chosen)
        if fields is None and len(self.known) == 1:
            fields = taken[0][1]
        posted: Any = self.data
        self.data = posted = posted.copy()  # request.POST is immutable
        for name, value in (fields or {}).items():
            if value and (name in PROPOSED or chosen in dict(taken) or not posted.get(name)):
                posted[name] = value

    def _show_offer(self) -> None:
        asked = {"service": "service", "load": "load_size", "days": "rental_days"}
        asked["zip"] = "zip_code"
        values = {key: str(self[name].value() or "") for key, name in asked.items()}
        self.offer = offer_document(values, timezone.now())
        windows: Any = self.fields["free_window"]
        # Wider than what is offered: a window that has filled up meanwhile is refused as full.
        windows.queryset = ServiceWindow.objects.filter(end__gt=timezone.now())
        found = [(one["id"], one["label"]) for one in self.offer["windows"]]
        windows.choices = [("", "No window yet"), *found]

    def _show_few_crews(self) -> None:
        crews: Any = self.fields["crew"]
        if crews.queryset.count() <= MOST_BUTTONS:
            crews.empty_label = "No crew yet"
            crews.widget = forms.RadioSelect()
            crews.widget.choices = crews.choices


def _choices(known: list[dict[str, Any]]) -> Any:
    """Yield what the page's buttons send, with the fields that each fills in."""
    for number, customer in enumerate(known):
        for place, choice in enumerate(customer["places"]):
            yield f"{number}-{place}", choice["fields"]
        if not customer["places"]:
            yield f"{number}-", customer["fields"]
