"""The service area: which ZIP codes the firm serves, and what each costs more."""

from django.core.exceptions import ValidationError

from dispatch.addresses import parse_zip
from dispatch.errors import ValueRefused
from dispatch.models import AreaInterest, ServedZip

ZIP_DIGITS = 5


def surcharge_if_served(zip_code: str) -> int | None:
    """Return the surcharge of a ZIP code (or ZIP+4) in cents, or None outside the service area.

    Without any row the firm serves all.
    """
    found = ServedZip.objects.filter(zip_code=_five(zip_code))
    cents: int | None = found.values_list("surcharge_cents", flat=True).first()
    return 0 if cents is None and not ServedZip.objects.exists() else cents


def note_interest(zip_code: str, email: str) -> None:
    """Remember, once, who wants to hear when the firm serves a ZIP code. Raises ValueRefused.

    The caller limits how often a visitor may ask.
    """
    field = AreaInterest._meta.get_field("email")
    try:
        email = field.clean(email.strip().lower(), None)
    except ValidationError as error:
        raise ValueRefused(
            f"Expected an email address, found '{email}'.",
            "Enter one like name@example.com.",
            field="email",
        ) from error
    AreaInterest.objects.get_or_create(zip_code=_five(parse_zip(zip_code)), email=email)


def _five(zip_code: str) -> str:
    return zip_code.strip()[:ZIP_DIGITS]
