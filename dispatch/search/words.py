"""The words of streets, towns and names, to find the one that was meant by one mistyped.

There are few of them: an archive of a million jobs has the streets of its towns, and common names.
Words are added when a job is written and never taken away; alone, they say
nothing of any customer.
"""

from collections.abc import Iterable

from django.apps import apps

from dispatch.search.query import TRIGRAM, any_of
from dispatch.search.text import normalized

# Shorter words are near too many others.
SHORTEST, LONGEST = 4, 40
# A word of this many letters may have two mistakes, a shorter one has one.
TWO_MISTAKES_FROM = 7
# Words that are equally near to the one typed.
AT_MOST = 3


def learn_words(texts: Iterable[str]) -> None:
    """Add the words of texts that are new. In order: two transactions must not cross."""
    words = apps.get_model("dispatch", "Word")._default_manager
    found = {f" {word} " for word in words_of(texts)}
    known = words.filter(search_text__in=found).values_list("search_text", flat=True)
    missing = sorted(found.difference(known)) if found else []
    if missing:
        words.bulk_create(
            [words.model(search_text=word) for word in missing], ignore_conflicts=True
        )


def words_of(texts: Iterable[str]) -> set[str]:
    """Return the words of texts that are learned: of letters only, and not too short."""
    return {word for text in texts for word in normalized(text).split() if is_learned(word)}


def is_learned(word: str) -> bool:
    """Whether a word may be a mistyped one, or what was meant by it."""
    return word.isalpha() and SHORTEST <= len(word) <= LONGEST


def nearest_words(word: str) -> tuple[str, ...]:
    """Return the known words that a mistyped one is nearest to, or nothing if all are far."""
    most = 2 if len(word) >= TWO_MISTAKES_FROM else 1
    words = apps.get_model("dispatch", "Word")._default_manager
    sharing = words.filter(search_text__matches=any_of(_parts(word)))
    near: dict[int, list[str]] = {}
    for text in sharing.values_list("search_text", flat=True):
        known = text.strip()
        if abs(len(known) - len(word)) <= most and (far := mistakes(word, known)) <= most:
            near.setdefault(far, []).append(known)
    return tuple(sorted(near[min(near)])[:AT_MOST]) if near else ()


def _parts(word: str) -> tuple[str, ...]:
    """Return what a word with a mistake shares with the one meant: three letters in a row.

    With two letters swapped, a short word may share none.
    """
    padded = f" {word} "
    trigrams = {padded[at : at + TRIGRAM] for at in range(len(padded) - TRIGRAM + 1)}
    swapped = {
        f" {word[:at]}{word[at + 1]}{word[at]}{word[at + 2 :]} " for at in range(len(word) - 1)
    }
    return tuple(sorted(trigrams | swapped))


def mistakes(one: str, other: str) -> int:
    """Count the letters to add, drop, replace or swap with the next to turn one into the other.

    https://en.wikipedia.org/wiki/Damerau-Levenshtein_distance, without changes to a swapped pair.
    """
    before: list[int] = []
    row = list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        before, last, row = row, before, [i]
        for j, found in enumerate(other, 1):
            least = min(row[j - 1] + 1, before[j] + 1, before[j - 1] + (letter != found))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == found:
                least = min(least, last[j - 2] + 1)
            row.append(least)
    return row[-1]
