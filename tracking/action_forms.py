"""The forms of what customers do to their job. Which answers are possible, dispatch decides."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from django import forms
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from dispatch.customer_actions.acting import Sent
from dispatch.customer_actions.adding import (
    MAX_CODE,
    MAX_NOTE,
    add_photos_and_note,
    answer_price,
    give_code,
)
from dispatch.customer_actions.planning import (
    MAX_WORDS,
    CancelReason,
    ask_pickup,
    cancel,
    move_window,
)
from dispatch.customer_actions.rules import Action
from dispatch.customer_actions.windows import windows_for
from dispatch.form_fields import ANOTHER_TIME, ChosenWindow, LinesField
from dispatch.models import Job, JobEvent, Photo
from dispatch.offers import window_label
from dispatch.photos.fields import PhotosField, PhotosInput
from dispatch.photos.intake import MOST_PHOTOS
from dispatch.price_questions import Answer

NO_CHOICE = _("Choose a time from the list.")


class ActionForm(forms.Form):
    """A form about a job, which is at `revision` on its page. `act` does what it asks for."""

    form_key = forms.UUIDField(widget=forms.HiddenInput)
    revision = forms.IntegerField(widget=forms.HiddenInput, min_value=1)

    def __init__(self, job: Job, now: datetime, data: Any = None, files: Any = None) -> None:
        self.job, self.now = job, now
        super().__init__(data, files, initial=self._fresh())
        self.prepare()

    def prepare(self) -> None:
        """Fill the fields with what the job allows."""

    def act(self) -> JobEvent:
        """Do it. Raises what dispatch.customer_actions raises."""
        raise NotImplementedError

    def as_typed(self) -> "ActionForm":
        """Return the form about the job as it is now, with what was typed, to be sent again."""
        data: Any = self.data
        data = data.copy()
        for name, value in self._fresh().items():
            data[name] = str(value)
        form = type(self)(self.job, self.now, data)
        form.full_clean()
        return form

    @property
    def sent(self) -> Sent:
        """The key and the revision, for actions that depend on what the page showed."""
        values = self.cleaned_data
        return Sent(key=values["form_key"], revision=values["revision"])

    def _fresh(self) -> dict[str, Any]:
        return {"form_key": uuid4(), "revision": self.job.revision}

    def _offer(self, field: Any, *, other: bool = False) -> None:
        field.offer(
            lambda: [
                (str(one.pk), window_label(one, self.now))
                for one in windows_for(self.job, self.now)
            ],
            other=other,
        )


class MoveForm(ActionForm):
    window = ChosenWindow(label=_("Which time works better?"), empty=_("Choose a time"))

    def prepare(self) -> None:
        self._offer(self.fields["window"])

    def clean_window(self) -> int:
        chosen = self.cleaned_data["window"]
        if not chosen or chosen == ANOTHER_TIME:
            raise forms.ValidationError(NO_CHOICE)
        return int(chosen)

    def act(self) -> JobEvent:
        return move_window(job=self.job, window=self.cleaned_data["window"], sent=self.sent)


class PickupForm(ActionForm):
    window = ChosenWindow(label=_("When can we come?"), empty=_("Choose a time"))

    def prepare(self) -> None:
        self._offer(self.fields["window"], other=True)
        if not windows_for(self.job, self.now, 1):
            self.initial["window"] = ANOTHER_TIME

    def clean_window(self) -> int | None:
        chosen = self.cleaned_data["window"]
        if not chosen:
            raise forms.ValidationError(NO_CHOICE)
        return None if chosen == ANOTHER_TIME else int(chosen)

    def act(self) -> JobEvent:
        return ask_pickup(job=self.job, window=self.cleaned_data["window"], sent=self.sent)


class CancelForm(ActionForm):
    reason = forms.ChoiceField(
        label=_("Why do you cancel?"),
        choices=CancelReason.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose a reason.")},
    )
    words = forms.CharField(
        label=_("Anything to add?"), required=False, max_length=MAX_WORDS, widget=forms.TextInput
    )

    def act(self) -> JobEvent:
        reason, words = CancelReason(self.cleaned_data["reason"]), self.cleaned_data["words"]
        return cancel(job=self.job, reason=reason, words=words, sent=self.sent)


class PriceForm(ActionForm):
    answer = forms.ChoiceField(
        label=_("Your answer"),
        choices=[
            (Answer.YES.value, _("Yes, the new price is fine")),
            (Answer.NO.value, _("No, I do not agree")),
            (Answer.CALL.value, _("Call me about it")),
        ],
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose an answer.")},
    )

    def act(self) -> JobEvent:
        answer = Answer(self.cleaned_data["answer"])
        return answer_price(job=self.job, answer=answer, sent=self.sent)


class PhotosForm(ActionForm):
    photos = PhotosField(label=_("Photos"), required=False)
    note = LinesField(
        label=_("Note to the crew"),
        required=False,
        max_length=MAX_NOTE,
        widget=forms.Textarea(attrs={"rows": "4"}),
    )

    def prepare(self) -> None:
        left = MOST_PHOTOS - Photo.objects.filter(job=self.job, stage="").count()
        field = self.fields["photos"]
        field.help_text = _help(left)
        field.widget = PhotosInput({"data-most": max(left, 0)})

    def act(self) -> JobEvent:
        photos, note = self.cleaned_data["photos"], self.cleaned_data["note"]
        key = self.cleaned_data["form_key"]
        return add_photos_and_note(job=self.job, photos=photos, note=note, key=key)


class GateForm(ActionForm):
    code = LinesField(
        label=_("Gate code, or how we get in"),
        max_length=MAX_CODE,
        widget=forms.Textarea(attrs={"rows": "2", "autocomplete": "off"}),
        error_messages={"required": _("Enter the code, or how we get in.")},
    )
    replace = forms.BooleanField(
        label=_("This replaces everything I wrote about it before."), required=False
    )

    def act(self) -> JobEvent:
        text, replace = self.cleaned_data["code"], self.cleaned_data["replace"]
        key = self.cleaned_data["form_key"]
        return give_code(job=self.job, text=text, replace=replace, key=key)


FORMS: dict[Action, type[ActionForm]] = {
    Action.MOVE: MoveForm,
    Action.CANCEL: CancelForm,
    Action.PICKUP: PickupForm,
    Action.PRICE: PriceForm,
    Action.PHOTOS: PhotosForm,
    Action.GATE: GateForm,
}


def _help(left: int) -> str:
    if left <= 0:
        return gettext("The job has six photos, which is the most. You can still write a note.")
    return gettext("Up to %(left)s more.") % {"left": left}
