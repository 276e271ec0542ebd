"""The form field for several photos."""

import json
from collections.abc import Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext, gettext_noop

from dispatch.errors import ValueRefused
from dispatch.languages import current_language
from dispatch.photos.intake import MOST_BYTES, MOST_PHOTOS, ReadyPhoto, check_count, ready_photo

# What photos.js says, in its words.
SCRIPT_TEXTS = (
    gettext_noop("No photos."),
    gettext_noop("1 photo, {size} in all."),
    gettext_noop("{count} photos, {size} in all."),
    gettext_noop("Photo {number}: {name}"),
    gettext_noop("{size} is too large."),
    gettext_noop("Remove {name}"),
    gettext_noop("Remove"),
    gettext_noop("Making photo {number} of {count} smaller."),
    gettext_noop("A job can have {most} photos, so {left} were left out."),
    gettext_noop("A job can have {most} photos, so 1 was left out."),
)
ACCEPTED = "image/jpeg,image/png,image/webp,image/heic,image/heif,.heic,.heif"


class PhotosInput(forms.FileInput):
    """A file input for several photos. `data-photos` is where photos.js begins."""

    allow_multiple_selected = True

    def __init__(self, attrs: dict[str, Any] | None = None) -> None:
        limits = {"data-photos": "", "data-most": MOST_PHOTOS, "data-bytes": MOST_BYTES}
        super().__init__({"multiple": True, "accept": ACCEPTED, **limits, **(attrs or {})})

    def build_attrs(self, *args: Any, **kwargs: Any) -> dict[str, Any]:
        """Add the script's texts on pages that are not in English."""
        attrs: dict[str, Any] = super().build_attrs(*args, **kwargs)
        if current_language() != "en":
            texts = {text: gettext(text) for text in SCRIPT_TEXTS}
            attrs["data-texts"] = json.dumps(texts, ensure_ascii=False)
        return attrs

    def value_from_datadict(
        self, data: Any, files: Any, name: str
    ) -> Sequence["UploadedFile[Any]"]:
        """Return the files; text that was sent in their place counts as none."""
        if hasattr(files, "getlist"):
            return list(files.getlist(name))
        file = files.get(name) if files else None
        return [file] if file else []


class PhotosField(forms.Field):
    """Several photos. Cleans to a list of ReadyPhoto; each file that is refused has its message."""

    widget = PhotosInput

    def to_python(self, value: Sequence["UploadedFile[Any]"] | None) -> list[ReadyPhoto]:
        files = value or []
        try:
            check_count(len(files))
        except ValueRefused as refusal:
            raise _invalid(refusal) from None
        ready, problems = [], []
        for file in files:
            try:
                ready.append(ready_photo(file, name=file.name or ""))
            except ValueRefused as refusal:
                problems.append(_invalid(refusal))
        if problems:
            raise ValidationError(problems)
        return ready


def _invalid(refusal: ValueRefused) -> ValidationError:
    return ValidationError(str(refusal), code="invalid")
