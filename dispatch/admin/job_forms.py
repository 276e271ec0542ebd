"""The forms of the job page: editing what is there, and booking by phone."""

from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from django import forms
from django.db.models import Q
from phonenumber_field.formfields import PhoneNumberField
from unfold.widgets import UnfoldAdminTextInputWidget

from dispatch.admin.conflicts import field_of, take_over, untouched
from dispatch.booking import BookingRequest
from dispatch.details import FIELDS, check_details
from dispatch.errors import ValueRefused
from dispatch.models import Crew, Job, JobEvent, ServiceType
from dispatch.prices import ParsedPrice, parse_price


class PricedForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """What both forms ask for. `new_price` is what was typed, or None for no change."""

    price_text = forms.CharField(
        label="Price",
        required=False,
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        help_text="Like “600 all-in”, “250 estimate” or “400 to 600”.",
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
        """Show a refusal at its field, or above the form."""
        field = refusal.field if refusal.field in self.fields else None
        self.add_error(field, forms.ValidationError(str(refusal), code=refusal.code))

    def check(self, job: Job, changes: Mapping[str, Any]) -> None:
        try:
            check_details(job=job, changes=changes)
        except ValueRefused as refusal:
            self.refuse(refusal)


class JobForm(PricedForm):
    """Edits a job from one revision of it; never saves it. See `changes` and `new_price`."""

    seen_revision = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Reason for the change",
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text="Goes into the history. Needed when a price changes.",
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
        if before is None or self.new_price is None or self.new_price.matches(before):
            if before is not None and self.new_price is None:
                self.refuse(
                    ValueRefused(
                        f"The customer was told {before}.",
                        "A price is replaced by another one, not removed.",
                        field="price_text",
                    )
                )
            return
        if not self.cleaned_data["reason"].strip():
            self.refuse(
                ValueRefused(
                    f"The price was {before}: a change needs a reason.",
                    "The customer may ask.",
                    field="reason",
                )
            )

    def _show_what_others_changed(self) -> None:
        """Keep all that was typed, name what changed meanwhile, and let a second look save it.

        Fields this page left alone show what others wrote: saving again must not undo that.
        """
        seen = self.cleaned_data.get("seen_revision") or 0
        later = list(JobEvent.objects.filter(job=self.instance, revision__gt=seen))
        followed = untouched(self.cleaned_data, later)
        people = ", ".join(sorted({event.actor for event in later})) or "somebody"
        self.add_error(
            None,
            forms.ValidationError(
                f"{self.instance.label} was changed meanwhile by {people}: nothing was saved. "
                "What you typed is kept below. Look it over and save again.",
                code="job-changed",
            ),
        )
        for event in later:
            for name, (_, value) in event.changes.items():
                field = field_of(name)
                if field in self.fields:
                    self.add_error(field, f"{event.actor} changed this to “{value or 'empty'}”.")
        posted: Any = self.data
        self.data = posted = posted.copy()  # what a request brought cannot be changed
        posted[self.add_prefix("seen_revision")] = str(self.instance.revision)
        for name in followed:
            take_over(self, posted, name)


class NewJobForm(PricedForm):
    """Books a job for somebody on the phone; a second click on Save books no second one."""

    phone = PhoneNumberField(
        region="US",
        widget=UnfoldAdminTextInputWidget(attrs={"type": "tel"}),
        error_messages={
            "required": "Give the customer's phone.",
            "invalid": "Give ten digits with the area code, like 907-555-0142.",
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
        typed = self.cleaned_data
        return BookingRequest(
            name=typed["contact_name"],
            phone=typed["phone"].as_e164,
            email=typed["contact_email"],
            service=typed["service"].code,
            address_line=typed["address_line"],
            unit=typed["unit"],
            town=typed["town"],
            zip_code=typed["zip_code"],
            load_size=typed["load_size"],
            details=typed["details"],
            access_notes=typed["access_notes"],
        )

    @property
    def planned(self) -> dict[str, Any]:
        """The details that a booking does not have: crew and window, where given."""
        names = ("crew", "window_start", "window_end")
        return {name: self.cleaned_data[name] for name in names if self.cleaned_data.get(name)}


def _offer_active(form: PricedForm, job: Job) -> None:
    """Offer active crews and services, and what the job has."""
    crew, service = form.fields.get("crew"), form.fields.get("service")
    if isinstance(crew, forms.ModelChoiceField):
        crew.queryset = Crew.objects.filter(Q(active=True) | Q(pk=job.crew_id))
    if isinstance(service, forms.ModelChoiceField):
        service.queryset = ServiceType.objects.filter(Q(active=True) | Q(pk=job.service_id))
