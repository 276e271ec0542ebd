"""The firm's details on every page: name, phone and service area."""

from django import template
from django.conf import settings
from phonenumbers import PhoneNumberFormat, format_number, parse

register = template.Library()


@register.simple_tag
def firm() -> dict[str, str]:
    """Return `name`, `phone` for display, `phone_link` for a tel: link, and `area`."""
    number = parse(settings.FIRM_PHONE, settings.PHONENUMBER_DEFAULT_REGION)
    return {
        "name": settings.FIRM_NAME,
        "phone": format_number(number, PhoneNumberFormat.NATIONAL),
        "phone_link": format_number(number, PhoneNumberFormat.E164),
        "area": settings.FIRM_AREA,
    }
