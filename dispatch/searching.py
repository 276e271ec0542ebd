"""Job search: numbers, names, phones in any format, addresses."""

import re

from django.db.models import Q

JOB_NUMBER = re.compile(r"(?:QDN-?|#)?(\d{1,9})", re.IGNORECASE | re.ASCII)
# Fewer digits than this match half of all phones.
MIN_PHONE_DIGITS = 3
LOCAL_PHONE_DIGITS = 7


def matching(text: str) -> Q:
    """Match jobs in which every word of `text` occurs: "mark soderblom", "(907) 555-0142"."""
    every_word = Q()
    for word in text.split():
        every_word &= _matching_word(word)
    digits = phone_digits(text)
    if len(digits) >= LOCAL_PHONE_DIGITS:  # "+1 907 555 0142": one number, not four words
        return every_word | Q(customer__phone__contains=digits)
    return every_word


def phone_digits(text: str) -> str:
    """Return the digits of a phone or part of one; "" for any other text."""
    if re.search(r"[^\d\s()+.\-]", text, flags=re.ASCII):
        return ""
    return re.sub(r"\D", "", text, flags=re.ASCII)


def _matching_word(word: str) -> Q:
    number = JOB_NUMBER.fullmatch(word)
    if number and word.upper().startswith("QDN"):
        return Q(number=int(number[1]))
    match = Q(zip_code__startswith=word)
    for field in ("contact_name", "customer__name", "address_line", "unit", "town"):
        match |= Q(**{f"{field}__icontains": word})
    if number:
        match |= Q(number=int(number[1]))
    if len(digits := phone_digits(word)) >= MIN_PHONE_DIGITS:
        match |= Q(customer__phone__contains=digits)
    return match
