"""Consent to text messages: the texts customers agree to, and proof of their consent."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_ipv46_address

from dispatch.errors import ValueRefused
from dispatch.languages import current_language
from dispatch.models import Job, TextConsent

# Never edit a text that customers have agreed to: give new wording a new version.
TEXTS = {
    "2026-11": (
        "Text me about this job. Up to 10 messages per job; message and data rates may apply. "
        "Reply STOP to end, HELP for help. You can book without this."
    ),
    "2026-11-es": (
        "Envíenme mensajes de texto sobre este trabajo. Hasta 10 mensajes por trabajo; pueden "
        "aplicarse tarifas de mensajes y datos. Responda STOP para terminar, HELP para ayuda. "
        "Puede reservar sin esto."
    ),
}
CURRENT = "2026-11"
# What the form asks, by the language of its page.
CURRENT_IN = {"en": CURRENT, "es": "2026-11-es"}


def current_text() -> str:
    """Return the text in the language that is active."""
    return TEXTS[CURRENT_IN[current_language()]]


def check_version(version: str) -> None:
    """Raise ValueRefused unless there is such a text; "" means no consent."""
    if version and version not in TEXTS:
        raise ValueRefused(
            f"There is no consent text '{version}'.", f"Use one of: {', '.join(TEXTS)}."
        )


def record_consent(*, job: Job, version: str, ip_address: str) -> None:
    """Record consent to a version of the text, given now. An invalid IP address becomes None.

    Raises ValueRefused for an unknown version.
    """
    check_version(version)
    TextConsent.objects.create(
        job=job, version=version, text=TEXTS[version], ip_address=_valid_ip(ip_address)
    )


def _valid_ip(ip_address: str) -> str | None:
    try:
        validate_ipv46_address(ip_address)
    except ValidationError:
        return None
    return ip_address
