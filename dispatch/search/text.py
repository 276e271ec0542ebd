"""The text that a job or a customer is found by: words in lower case, without accents.

It begins and ends with a space, so that the start and the end of a word can be looked for. Notes,
details and reasons are never part of it: they hold gate codes, and what is about a customer rather
than who it is.
"""

import re
import unicodedata
from collections.abc import Iterable
from typing import Any

JOB_NUMBER = re.compile(r"(?:QDN-?|#)?(\d{1,9})", re.IGNORECASE | re.ASCII)
# Fewer digits than this match half of all phones.
MIN_PHONE_DIGITS = 3
# Letters that Unicode does not take apart into a letter and an accent.
_FOLDED = str.maketrans(
    {"ø": "o", "ł": "l", "æ": "ae", "œ": "oe", "đ": "d", "ð": "d", "þ": "th", "\u0131": "i"}
)
_APOSTROPHES = re.compile("['`\u2019\u02bc\u00b4]")
_NOT_OF_A_WORD = re.compile(r"[\W_]+")


def normalized(text: str) -> str:
    """Return the words of a text with single spaces between them: "Peña's Rd." is "pena s rd"."""
    # Twice: folding the case of some letters adds accents.
    letters = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", text).casefold())
    plain = "".join(one for one in letters if not unicodedata.combining(one)).translate(_FOLDED)
    return _NOT_OF_A_WORD.sub(" ", plain).strip()


def phone_digits(text: str) -> str:
    """Return the digits of a phone or part of one; "" for any other text."""
    if re.search(r"[^\d\s()+.\-]", text, flags=re.ASCII):
        return ""
    return re.sub(r"\D", "", text, flags=re.ASCII)


def text_of_customer(customer: Any) -> str:
    """Return the text that a customer is found by: name, digits of the phone, email."""
    return joined(_of_customer(customer))


def text_of_job(job: Any) -> str:
    """Return the text that a job is found by; its number is in it as "1042" and as "qdn1042"."""
    return joined(
        [
            f"qdn{job.number}",
            str(job.number),
            job.former_id,
            job.contact_name,
            *_of_customer(job.customer),
            job.address_line,
            job.unit,
            job.town,
            job.zip_code,
            job.contact_email,
        ]
    )


def joined(values: Iterable[str]) -> str:
    """Return each word of the values once, with a space before and after it.

    A word with an apostrophe is also in it without: O'Brien is "o", "brien" and "obrien".
    """
    words: dict[str, None] = {}
    for value in values:
        words |= dict.fromkeys(normalized(value).split())
        if _APOSTROPHES.search(value):
            words |= dict.fromkeys(normalized(_APOSTROPHES.sub("", value)).split())
    return f" {' '.join(words)} "


def _of_customer(customer: Any) -> list[str]:
    # The phone as it is stored: a migration's customer has no E.164 property.
    phone = re.sub(r"\D", "", str(getattr(customer.phone, "as_e164", customer.phone) or ""))
    return [customer.name, phone, customer.email]
