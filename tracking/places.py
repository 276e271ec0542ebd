"""The public parts of an address and a name: street without number, and first name.

Both are free text, so this keeps only what is known to be harmless.
"""

import re

# "42nd Street" and "Highway 2" are street names; any other number may be a house number.
ORDINAL = re.compile(r"[0-9]{1,3}(st|nd|rd|th)", re.IGNORECASE)
NUMBERED_ROADS = frozenset({"highway", "hwy", "route", "rte", "interstate"})
ROAD_NUMBER = re.compile(r"[0-9]{1,3}")
UNIT = re.compile(
    r"(\b(apt|apartment|unit|suite|ste|lot|space|spc|room|rm|trailer|trlr|bldg|building|floor)\b"
    r"[.:]?\s*(#\s*)?|#\s*)[\w-]*",
    re.IGNORECASE,
)
CARE_OF = re.compile(r"\b(c/o|care of|attn)\b.*", re.IGNORECASE)
# May follow a name after a comma without being one: "Mark Halvorsen, Jr.".
SUFFIXES = frozenset(
    {"jr", "sr", "ii", "iii", "iv", "md", "phd", "dds", "esq", "llc", "inc", "ltd"}
)
HONORIFICS = frozenset({"mr", "mrs", "ms", "miss", "mx", "dr", "prof", "rev"})


def area_of(address_line: str, town: str) -> str:
    """Return street and town without house number or unit: "Soderblom Avenue, Fairbanks".

    If the line has commas, the first part that names a street counts.
    """
    parts = [_street(part) for part in CARE_OF.sub("", address_line).split(",")]
    street = next((part for part in parts if part), "")
    return ", ".join(filter(None, [street, _harmless(town)]))


def first_name_of(name: str) -> str:
    """Return the first name: "Mark" for "Mark Halvorsen" and for "Halvorsen, Mark".

    Returns "" if there is only a last name ("Mr. Halvorsen") or the text is not a name.
    """
    parts = [part for part in name.split(",") if not _is_suffix(part)]
    words = (parts[1] if len(parts) > 1 else "".join(parts)).split()
    plain = [word for word in words if word.strip(".").lower() not in HONORIFICS]
    if not plain or (len(plain) == 1 and len(words) > 1) or not _is_harmless(plain[0]):
        return ""
    return plain[0]


def _is_suffix(text: str) -> bool:
    bare = text.replace(".", "").strip().lower()
    return not bare or bare in SUFFIXES


def _street(text: str) -> str:
    words = UNIT.sub(" ", text).split()
    kept = []
    for before, word in zip(["", *words], words, strict=False):
        numbered = before.lower().strip(".") in NUMBERED_ROADS and ROAD_NUMBER.fullmatch(word)
        if _is_harmless(word) or ORDINAL.fullmatch(word) or numbered:
            kept.append(word)
    return " ".join(kept).strip(" -/.;:")


def _harmless(text: str) -> str:
    return " ".join(word for word in text.split() if _is_harmless(word))


def _is_harmless(word: str) -> bool:
    return "@" not in word and not any(character.isnumeric() for character in word)
