"""The form of the job page, and what it shares with the one for booking by phone."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.db.models import Q
from unfold.widgets import UnfoldAdminTextInputWidget

from dispatch.admin.conflicts import Others, changed_by_others, form_field, rebase
from dispatch.admin.moments import same_day
from dispatch.admin.window_choice import offer_windows, window_field
from dispatch.details import FIELDS, check_details
from dispatch.errors import DispatchError, ValueRefused
from dispatch.guards import GuardRefused
from dispatch.models import Crew, Job, ServiceType
from dispatch.prices import ParsedPrice, parse_price
from dispatch.statuses import Status
from dispatch.windows.capacity import WindowFull, check_room


class PricedForm(forms.ModelForm):  # type: ignore[type-arg]  # not subscriptable when run
    """The fields of both forms. `new_price` is the parsed price, or None if left empty.

    `refused` is set if the caller could not do what a valid form asked for: the form shows it.
    """

    price_text = forms.CharField(
        label="Price",
        required=False,
        max_length=60,
        widget=UnfoldAdminTextInputWidget,
        help_text="For example “600 all-in”, “250 estimate” or “400 to 600”.",
    )
    new_price: ParsedPrice | None = None
    refused: DispatchError | None = None

    class Meta:
        model = Job
        fields = FIELDS

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        same_day(self)

    def clean_price_text(self) -> str:
        text: str = self.cleaned_data["price_text"].strip()
        try:
            self.new_price = parse_price(text) if text else None
        except ValueRefused as refusal:
            raise forms.ValidationError(str(refusal), code=refusal.code) from None
        return text

    def refuse(self, refusal: ValueRefused | WindowFull) -> None:
        """Show a refusal at its field, or above the form if it has none."""
        field = refusal.field if refusal.field in self.fields else None
        self.add_error(field, forms.ValidationError(str(refusal), code=refusal.code))

    def show_refusal(self) -> None:
        if isinstance(self.refused, GuardRefused):
            for one in self.refused.missing:
                self.add_error(one.field, forms.ValidationError(one.message, code=one.code))
        elif self.refused is not None:
            self.add_error(None, forms.ValidationError(str(self.refused), code=self.refused.code))

    def check(self, job: Job, changes: Mapping[str, Any]) -> None:
        try:
            check_room(job, check_details(job=job, changes=changes))
        except (ValueRefused, WindowFull) as refusal:
            self.refuse(refusal)


def offer_active(form: PricedForm, job: Job) -> None:
    """Offer active crews and services, and the job's own."""
    crew, service = form.fields.get("crew"), form.fields.get("service")
    if isinstance(crew, forms.ModelChoiceField):
        crew.queryset = Crew.objects.filter(Q(active=True) | Q(pk=job.crew_id))
    if isinstance(service, forms.ModelChoiceField):
        service.queryset = ServiceType.objects.filter(Q(active=True) | Q(pk=job.service_id))


class JobForm(PricedForm):
    """Edits one revision of a job, and may move it in the same step.

    The caller writes `changes` and `new_price`, then moves the job to `target` or, with
    `steps_back`, takes its last step back. Edits of a job that others changed meanwhile are put on
    top of theirs where they do not touch.
    """

    # The values of the buttons: a move, a move in spite of what is missing, and a step back.
    move_to = forms.ChoiceField(choices=Status.choices, required=False)
    force_to = forms.ChoiceField(choices=Status.choices, required=False)
    step_back = forms.BooleanField(required=False)
    move_reason = forms.CharField(
        label="Reason", required=False, max_length=300, widget=UnfoldAdminTextInputWidget
    )
    back_reason = forms.CharField(
        label="Why step back?", required=False, max_length=300, widget=UnfoldAdminTextInputWidget
    )
    others = Others()
    free_window = window_field()
    seen_revision = forms.IntegerField(widget=forms.HiddenInput)
    reason = forms.CharField(
        label="Reason for change",
        required=False,
        max_length=300,
        widget=UnfoldAdminTextInputWidget,
        help_text="For the history. Required when the price changes.",
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        job = self.instance
        self.price_before = job.price if job.pk else None
        self.initial["seen_revision"] = job.revision
        self.initial["price_text"] = str(self.price_before or "")
        if isinstance(window := self.fields.get("free_window"), forms.ModelChoiceField):
            offer_windows(window, job)
        offer_active(self, job)

    @property
    def target(self) -> Status | None:
        """The status to move to, or None if the form is only saved."""
        to = self.cleaned_data.get("force_to") or self.cleaned_data.get("move_to")
        return Status(to) if to else None

    @property
    def forced(self) -> bool:
        return bool(self.cleaned_data.get("force_to"))

    @property
    def steps_back(self) -> bool:
        return bool(self.cleaned_data.get("step_back"))

    @property
    def why(self) -> str:
        """The reason of the move, or else of the change."""
        values = self.cleaned_data
        return str(values["move_reason"] or values["reason"])

    @property
    def changes(self) -> dict[str, Any]:
        """The details that were edited."""
        edited = {
            name: self.cleaned_data[name]
            for name in self.changed_data
            if name in FIELDS and name in self.cleaned_data
        }
        if window := self.cleaned_data.get("free_window"):
            edited |= {"window_start": window.start, "window_end": window.end}
        return edited

    @property
    def also_changed(self) -> str:
        """What others changed that this form was put on top of, like "olga: crew", or ""."""
        return changed_by_others(self, self.others)

    def full_clean(self) -> None:
        if self.is_bound:
            self.others = rebase(self)
            self.__dict__.pop("changed_data", None)  # may have been read, for other data
        super().full_clean()

    def clean(self) -> dict[str, Any]:
        super().clean()
        if self.others.touching:
            self._show_what_others_changed()
        elif not self.errors:
            self.check(self.instance, self.changes)
            self._check_price()
            self._check_step_back()
            self.show_refusal()
        return self.cleaned_data

    def _check_step_back(self) -> None:
        if self.steps_back and not self.cleaned_data["back_reason"].strip():
            self.refuse(
                ValueRefused("A step back needs a reason.", "Enter one.", field="back_reason")
            )

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
        """Report what others changed in the fields edited here. The next save goes through."""
        self.add_error(
            None,
            forms.ValidationError(
                f"{self.instance.label} was changed by {self.others.names} in the meantime, so "
                "nothing was saved. Your input is kept below. Check it and save again.",
                code="job-changed",
            ),
        )
        for event in self.others.events:
            for name, (_, value) in event.changes.items():
                field = form_field(name)
                if field in self.fields and field in self.others.touching:
                    self.add_error(field, f"{event.actor} changed this to “{value or 'empty'}”.")
