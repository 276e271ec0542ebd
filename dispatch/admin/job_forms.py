"""The forms of the job page: editing a job, and booking one by phone."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.db.models import Q
from phonenumber_field.formfields import PhoneNumberField
from unfold.widgets import UnfoldAdminTextInputWidget

from dispatch.admin.conflicts import form_field, show_current, untouched
from dispatch.booking import BookingRequest
from dispatch.details import FIELDS, check_details
from dispatch.errors import ValueRefused
from dispatch.models import Crew, Job, JobEvent, ServiceType
from dispatch.prices import ParsedPrice, parse_price


class PricedForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """The fields of both forms. `new_price` is the parsed price, or None if left empty."""

    price_text = forms.CharField(
        label="Price",
        required=False,
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        help_text="For example “600 all-in”, “250 estimate” or “400 to 600”.",
    )
    new_price: ParsedPrice | None = None

    class Meta:
        model = Job
        fields = FIELDS

    def clean_price_text(self) -> str:
        text: str = self.cleaned_data["price_text"].strip()
        try:
            self.new_price = parse_price(text) if text else None
        except ValueRefused as refusal:
            raise forms.ValidationError(str(refusal), code=refusal.code) from None
        return text

    def refuse(self, refusal: ValueRefused) -> None:
        """Show a refusal at its field, or above the form if it has none."""
        field = refusal.field if refusal.field in self.fields else None
        self.add_error(field, forms.ValidationError(str(refusal), code=refusal.code))

    def check(self, job: Job, changes: Mapping[str, Any]) -> None:
        try:
            check_details(job=job, changes=changes)
        except ValueRefused as refusal:
            self.refuse(refusal)


class JobForm(PricedForm):
    """Edits one revision of a job. The caller writes `changes` and `new_price`."""

    seen_revision = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Reason for change",
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text="Kept in the history. Required when the price changes.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        job = self.instance
        self.price_before = job.price if job.pk else None
        self.initial["seen_revision"] = job.revision
        self.initial["price_text"] = str(self.price_before or "")
        _offer_active(self, job)

    @property
    def changes(self) -> dict[str, Any]:
        """The details that were edited."""
        return {
            name: self.cleaned_data[name]
            for name in self.changed_data
            if name in FIELDS and name in self.cleaned_data
        }

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.cleaned_data.get("seen_revision") != self.instance.revision:
            self._show_what_others_changed()
        elif not self.errors:
            self.check(self.instance, self.changes)
            self._check_price()
        return self.cleaned_data

    def _check_price(self) -> None:
        before = self.price_before
        if before is None:
            return
        if self.new_price is None:
            self.refuse(
                ValueRefused(
                    f"The customer was quoted {before}.",
                    "Enter another price instead of removing it.",
                    field="price_text",
                )
            )
        elif not self.new_price.matches(before) and not self.cleaned_data["reason"].strip():
            self.refuse(
                ValueRefused(
                    f"The price was {before}. Changing it needs a reason.",
                    "Enter one; the customer may ask.",
                    field="reason",
                )
            )

    def _show_what_others_changed(self) -> None:
        """Report the other edits, keep the input, and let the next save through.

        Fields not edited here show the new values, so that the next save does not undo them.
        """
        seen = self.cleaned_data.get("seen_revision") or 0
        later = list(JobEvent.objects.filter(job=self.instance, revision__gt=seen))
        # Before add_error, which takes fields out of cleaned_data.
        unedited = untouched(self.cleaned_data, later)
        people = ", ".join(sorted({event.actor for event in later})) or "another user"
        self.add_error(
            None,
            forms.ValidationError(
                f"{self.instance.label} was changed by {people} in the meantime, so nothing was "
                "saved. Your input is kept below. Check it and save again.",
                code="job-changed",
            ),
        )
        for event in later:
            for name, (_, value) in event.changes.items():
                field = form_field(name)
                if field in self.fields:
                    self.add_error(field, f"{event.actor} changed this to “{value or 'empty'}”.")
        posted: Any = self.data
        self.data = posted = posted.copy()  # request.POST is immutable
        posted[self.add_prefix("seen_revision")] = str(self.instance.revision)
        for name in unedited:
            show_current(self, posted, name)


class NewJobForm(PricedForm):
    """Books a job by phone. Saving the same form twice books one job."""

    phone = PhoneNumberField(
        region="US",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "tel"}),
        error_messages={
            "required": "Enter the customer's phone number.",
            "invalid": "Enter ten digits with the area code, like 907-555-0142.",
        },
    )
    key = forms.UUIDField(widget=forms.HiddenInput)

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.initial["key"] = uuid4()
        _offer_active(self, self.instance)

    def clean(self) -> dict[str, Any]:
        super().clean()
        if not self.errors:
            names = ("zip_code", "window_start", "window_end")
            job = Job(service=self.cleaned_data["service"])
            self.check(job, {name: self.cleaned_data[name] for name in names})
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
            details=values["details"],
            access_notes=values["access_notes"],
        )

    @property
    def planned(self) -> dict[str, Any]:
        """The given details that a booking request does not have: crew and window."""
        names = ("crew", "window_start", "window_end")
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data.get(name)}


def _offer_active(form: PricedForm, job: Job) -> None:
    """Offer active crews and services, and the job's own."""
    crew, service = form.fields.get("crew"), form.fields.get("service")
    if isinstance(crew, forms.ModelChoiceField):
        crew.queryset = Crew.objects.filter(Q(active=True) | Q(pk=job.crew_id))
    if isinstance(service, forms.ModelChoiceField):
        service.queryset = ServiceType.objects.filter(Q(active=True) | Q(pk=job.service_id))
