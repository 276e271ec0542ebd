"""Consent to text messages: the texts people agree to, and the proof that they did."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_ipv46_address

from dispatch.errors import ValueRefused
from dispatch.models import Job, TextConsent

# A text that somebody agreed to is never edited: a new wording gets a new version.
TEXTS = {
    "2026-11": (
        "Text me about this job. Up to 10 messages per job; message and data rates may apply. "
        "Reply STOP to end, HELP for help. You can book without this."
    ),
}
CURRENT = "2026-11"


def record_consent(*, job: Job, version: str, ip_address: str) -> TextConsent:
    """Keep which text was agreed to, now, from which address (none if it cannot be read).

    Raises ValueRefused for a version that no text has.
    """
    if version not in TEXTS:
        raise ValueRefused(
            f"No consent text has the version '{version}'.", f"Use one of: {', '.join(TEXTS)}."
        )
    return TextConsent.objects.create(
        job=job, version=version, text=TEXTS[version], ip_address=_readable(ip_address)
    )


def _readable(ip_address: str) -> str | None:
    try:
        validate_ipv46_address(ip_address)
    except ValidationError:
        return None
    return ip_address
