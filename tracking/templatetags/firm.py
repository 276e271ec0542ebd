"""The firm's details on every page: name, phone and service area."""

from django import template
from django.conf import settings
from django.utils.html import format_html
from django.utils.translation import gettext
from phonenumbers import PhoneNumberFormat, format_number, parse

register = template.Library()


@register.simple_tag
def firm() -> dict[str, str]:
    """Return `name`, `phone` for display, `phone_link` for a tel: link, `call`, `area` and `site`.

    `call` is a link with both. The area of a fresh installation is translated.
    """
    number = parse(settings.FIRM_PHONE, settings.PHONENUMBER_DEFAULT_REGION)
    phone = format_number(number, PhoneNumberFormat.NATIONAL)
    phone_link = format_number(number, PhoneNumberFormat.E164)
    return {
        "name": settings.FIRM_NAME,
        "phone": phone,
        "phone_link": phone_link,
        "call": format_html('<a href="tel:{}">{}</a>', phone_link, phone),
        "area": gettext(settings.FIRM_AREA) if settings.FIRM_AREA else "",
        "site": settings.SITE_URL,
    }
