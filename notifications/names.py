"""The names that a text may use, like {window}, and putting values in their place."""

import re
from collections.abc import Mapping

from django.core.exceptions import ValidationError

from notifications.errors import TemplateRefused

LINK = "link"
# Name to its meaning, as the admin explains it.
NAMES = {
    "greeting": "“Hi Mark,” or, without a first name, “Hi,”",
    "first_name": "the customer's first name; may be empty",
    "number": "the job's number, like QDN-1042",
    "service": "the service's name",
    "window": "the arrival window",
    "price": "the price, or that it is to be agreed",
    "crew": "the crew's name",
    "late": "“about 30 minutes late”, or “late” if the crew did not say; only while it is late",
    LINK: "the customer's tracking link",
    "firm": "the firm's name",
    "phone": "the firm's phone number",
}
_NAME = re.compile(r"\{([^{}]*)\}")


def check_text(text: str) -> None:
    """Raise TemplateRefused for an unknown name or a brace without a partner."""
    unknown = sorted(set(_NAME.findall(text)) - set(NAMES))
    allowed = ", ".join(f"{{{name}}}" for name in NAMES)
    if unknown:
        names = ", ".join(f"{{{name}}}" for name in unknown)
        raise TemplateRefused(f"A text cannot use {names}.", f"Use: {allowed}.")
    if re.search(r"[{}]", _NAME.sub("", text)):
        raise TemplateRefused(
            "The text has a brace without its partner.", f"Braces are only for names: {allowed}."
        )


def validate_text(text: str) -> None:
    """Do the same for a form field. Raises ValidationError."""
    try:
        check_text(text)
    except TemplateRefused as refused:
        raise ValidationError(str(refused), code=refused.code) from None


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return the text with values in place of names; names without a value stay."""
    return _NAME.sub(lambda found: values.get(found[1], found[0]), text)
