"""Consent to text messages: the texts customers agree to, and proof of their consent."""

from django.core.exceptions import ValidationError
from django.core.validators import validate_ipv46_address

from dispatch.errors import ValueRefused
from dispatch.models import Job, TextConsent

# Never edit a text that customers have agreed to: give new wording a new version.
TEXTS = {
    "2026-11": (
        "Text me about this job. Up to 10 messages per job; message and data rates may apply. "
        "Reply STOP to end, HELP for help. You can book without this."
    ),
}
CURRENT = "2026-11"


def record_consent(*, job: Job, version: str, ip_address: str) -> None:
    """Record consent to a version of the text, given now. An invalid IP address becomes None.

    Raises ValueRefused for an unknown version.
    """
    if version not in TEXTS:
        raise ValueRefused(
            f"There is no consent text '{version}'.", f"Use one of: {', '.join(TEXTS)}."
        )
    TextConsent.objects.create(
        job=job, version=version, text=TEXTS[version], ip_address=_valid_ip(ip_address)
    )


def _valid_ip(ip_address: str) -> str | None:
    try:
        validate_ipv46_address(ip_address)
    except ValidationError:
        return None
    return ip_address
