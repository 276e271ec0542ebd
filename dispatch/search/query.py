"""What was typed into a search, as patterns that occur in a text of dispatch.search.text."""

import re
from collections.abc import Mapping
from dataclasses import dataclass

from dispatch.search.text import MIN_PHONE_DIGITS, normalized, phone_digits

# More words than this narrow nothing down, and each costs a look into the index.
MAX_WORDS = 16
# An index of trigrams finds nothing shorter.
TRIGRAM = 3
_NUMBER = re.compile(r"(?<!\w)(?:qdn[\s-]*#?|#)(\d{1,9})(?!\w)", re.IGNORECASE | re.ASCII)
Pattern = str
# Any of the patterns.
Choice = tuple[Pattern, ...]
Replaced = Mapping[str, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class Query:
    """Texts match if they contain a pattern of each choice of one of the `ways`.

    Patterns have letters, digits and spaces, at least three characters. Without a way nothing
    matches. `words` are those typed.
    """

    ways: tuple[tuple[Choice, ...], ...]
    words: tuple[str, ...] = ()


def parse_query(text: str, replaced: Replaced | None = None) -> Query:
    """Read what was typed: every word must occur, in any order; digits may be those of a phone.

    `replaced` are words to look for instead of some that were typed.
    """
    # "QDN-1042" and "#1042" are a whole number; its other digits are as likely a phone's.
    whole = _NUMBER.sub(r" qdn\1 ", text)
    words = tuple(dict.fromkeys(normalized(whole).split()))[:MAX_WORDS]
    numbers = {f"qdn{number}" for number in _NUMBER.findall(text)}
    choices = [_choice(word, replaced or {}, whole=word in numbers) for word in words]
    ways = [tuple(choices)] if choices else []
    digits = phone_digits(text)
    if len(digits) >= MIN_PHONE_DIGITS and digits not in words:
        ways.append(((digits,),))
    return Query(tuple(ways), words)


def any_of(patterns: Choice) -> Query:
    """Return the query for texts with any of the patterns."""
    return Query(((patterns,),) if patterns else ())


def _choice(word: str, replaced: Replaced, *, whole: bool) -> Choice:
    if whole:
        return (f" {word} ",)
    return tuple(_pattern(one) for one in replaced.get(word, (word,)))


def _pattern(word: str) -> Pattern:
    """Return the word as it may occur: one or two letters begin a word, one digit or letter is one.

    Anywhere in a word, they would match nearly every text.
    """
    if len(word) >= TRIGRAM:
        return word
    return f" {word}" if len(word) == TRIGRAM - 1 else f" {word} "
