"""The text of a message: a template, filled with what the customer may read.

Everything typed into the booking form may come from a stranger, who could make us write to others.
So a message repeats only a name that looks like one.
"""

import re
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings
from django.utils import timezone, translation
from django.utils.formats import date_format
from phonenumbers import PhoneNumberFormat, format_number, parse

from dispatch.models import Job, Price
from notifications.kinds import Channel, Event
from notifications.models import MessageTemplate
from notifications.names import fill
from notifications.segments import to_gsm
from notifications.texts import Text, default_text
from tracking.places import first_name_of

MAX_NAME = 30
# Letters, with hyphens and apostrophes between them.
_PLAIN_NAME = re.compile(r"[^\W\d_]+(?:['\N{RIGHT SINGLE QUOTATION MARK}-][^\W\d_]+)*\.?")
SPANISH = Job.Language.SPANISH
TO_BE_AGREED = {Job.Language.ENGLISH: "to be agreed", SPANISH: "por acordar"}
OUR_CREW = {Job.Language.ENGLISH: "our crew", SPANISH: "nuestro equipo"}


@dataclass(frozen=True, slots=True)
class Rendered:
    """A finished text with {link} still in it; `subject` is "" for text messages."""

    subject: str
    body: str


def text_for(event: Event, channel: Channel, language: str) -> Text:
    """Return the firm's own text, or the one that ships."""
    own = MessageTemplate.objects.filter(event=event, channel=channel, language=language).first()
    return Text(own.subject, own.body) if own else default_text(event, channel, language)


def render(text: Text, *, job: Job, channel: Channel, language: str) -> Rendered:
    """Fill a text with a job's values, all but the link."""
    values = values_of(job, channel=channel, language=Job.Language(language))
    subject = " ".join(fill(text.subject, values).split())
    body = fill(text.body, values)
    return Rendered(subject, to_gsm(body) if channel == Channel.SMS else body)


def values_of(job: Job, *, channel: Channel, language: Job.Language) -> dict[str, str]:
    """Return the value of every name but `link`."""
    first_name = safe_first_name(job.contact_name)
    short = channel == Channel.SMS
    return {
        "greeting": greeting(first_name, language),
        "first_name": first_name,
        "number": job.label,
        "service": _plain(service_name(job, language)),
        "window": window_text(job, language, short=short) or TO_BE_AGREED[language],
        "price": price_text(job.price, language) if job.price else TO_BE_AGREED[language],
        "crew": _plain(job.crew.name) if job.crew else OUR_CREW[language],
        "late": late_text(job, language),
        "firm": settings.FIRM_NAME,
        "phone": firm_phone(),
    }


def firm_phone() -> str:
    """Return the firm's phone number for people: "(907) 555-0100"."""
    number = parse(settings.FIRM_PHONE, settings.PHONENUMBER_DEFAULT_REGION)
    return format_number(number, PhoneNumberFormat.NATIONAL)


def safe_first_name(name: str) -> str:
    """Return the first name if it is letters only, else "": it may be an advertisement."""
    first = first_name_of(name)
    return first if len(first) <= MAX_NAME and _PLAIN_NAME.fullmatch(first) else ""


def greeting(first_name: str, language: Job.Language) -> str:
    """Return "Hi Mark,", "Hi,", "Hola, Mark:" or "Hola:"."""
    if language == SPANISH:
        return f"Hola, {first_name}:" if first_name else "Hola:"
    return f"Hi {first_name}," if first_name else "Hi,"


def price_text(price: Price, language: Job.Language) -> str:
    """Return text like "$600 all-in", "$400 to $600" or "$600, todo incluido"."""
    with translation.override(language.value):
        return price.shown


def late_text(job: Job, language: Job.Language) -> str:
    """Return "about 30 minutes late", or "late"; in Spanish "unos 30 minutos de retraso"."""
    if language == SPANISH:
        return f"unos {job.late_by} minutos de retraso" if job.late_by else "retraso"
    return f"about {job.late_by} minutes late" if job.late_by else "late"


def service_name(job: Job, language: Job.Language) -> str:
    """Return the name of the job's service, in Spanish if a catalog has it."""
    with translation.override(language.value):
        return job.service.shown_name


def window_text(job: Job, language: Job.Language, *, short: bool = False) -> str:
    """Return the window in the firm's time zone, or "".

    "Tuesday, Nov 24, 9:00 to 11:00 AM", or short for a text message "Tue, Nov 24, 9:00-11:00 AM".
    Messages are read later than they are written, so it never says "tomorrow".
    """
    if job.window_start is None or job.window_end is None:
        return ""
    start, end = timezone.localtime(job.window_start), timezone.localtime(job.window_end)
    if start.date() != end.date():
        parts = [
            f"{_day(one, language, short=short)}, {_clock(one, language)}" for one in (start, end)
        ]
        return (" a " if language == SPANISH else " to ").join(parts)
    begins, ends = _clock(start, language), _clock(end, language)
    half = _half(start, language)
    if half == _half(end, language):
        begins = begins.removesuffix(f" {half}")
    day = _day(start, language, short=short)
    if language == SPANISH:
        return f"{day}, de {begins} a {ends}"
    return f"{day}, {begins}-{ends}" if short else f"{day}, {begins} to {ends}"


def _day(at: datetime, language: Job.Language, *, short: bool) -> str:
    with translation.override(language.value):
        if language == SPANISH:
            return date_format(at, "D j M" if short else r"l j \d\e F").lower()
        return date_format(at, "D, M j" if short else "l, M j")


def _clock(at: datetime, language: Job.Language) -> str:
    return f"{at.hour % 12 or 12}:{at:%M} {_half(at, language)}"


def _half(at: datetime, language: Job.Language) -> str:
    if language == SPANISH:
        return "a. m." if at.hour < 12 else "p. m."  # noqa: PLR2004
    return "AM" if at.hour < 12 else "PM"  # noqa: PLR2004


def _plain(text: str) -> str:
    """Return text that cannot be taken for a name in braces."""
    return text.replace("{", "(").replace("}", ")")
