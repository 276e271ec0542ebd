"""Values that break programs, and ways to break values."""

import random
from urllib.parse import quote

ODD = (
    "", " ", "0", "-1", "-0", "00", "1e309", "NaN", "inf", "1.5", "0x10", "1_000", "+5", "9" * 9,
    "9" * 19, "9" * 40, "9" * 4_400, "-" + "9" * 4_400, "2147483648", "9223372036854775808",
    "\u0663", "\u00b2", "\uff11\uff12", "\u2460",
    "\x00", "a\x00b", "\x1f", "\x7f", "\r\n", "\u2028", "\ufeff", "\u202e", "\U0001f4a9", "e\u0301",
    "\u0130", "\ufffe", "None", "null", "true", "undefined", "[]", "{}", '{"a":1}', "[[[[", "on",
    "..", "../../etc/passwd", "%2e%2e%2f", "%00", "%ff", "%", "%zz", "%25", "//", "\\", "/", "?",
    "#", "&", "=", ";", "'", '"', "`", "' OR 1=1 --", "<script>", "{{7*7}}", "${7*7}", "%s%n", "*",
    "a" * 300, "a" * 5_000, "a," * 500, "a " * 60, "((((((((((", "QDN-1001", "QDN-" + "9" * 20,
    "2026-13-45", "9999-12-31", "0001-01-01", "10000-01-01", "0000-00-00", "24:61", "23:59:60",
    "2026-02-30T10:00", "99999999", "__proto__", "__class__", "id", "password", "0" * 64,
)  # fmt: skip


def odd(rng: random.Random) -> str:
    """Return an odd value, now and then one that is random or long."""
    if rng.random() < 0.1:
        return "".join(
            chr(rng.choice((rng.randrange(1, 256), rng.randrange(256, 0xD800))))
            for _ in range(rng.randrange(40))
        )
    return rng.choice(ODD)


def broken(text: str, rng: random.Random) -> str:
    """Return a text with one thing wrong with it."""
    place = rng.randrange(len(text) + 1)
    kind = rng.randrange(6)
    if kind == 0:
        return odd(rng)
    if kind == 1:
        return text[:place] + odd(rng) + text[place:]
    if kind == 2:
        return text[:place]
    if kind == 3:
        return text[:place] + text[place + 1 :]
    return text.swapcase() if kind == 4 else text * 2


def in_url(text: str, rng: random.Random) -> str:
    """Encode a text for a request line: rightly, twice, as Latin-1, or hardly at all."""
    kind = rng.random()
    if kind < 0.7:
        return quote(text, safe="")
    if kind < 0.8:
        return quote(quote(text, safe=""), safe="")
    if kind < 0.9:
        return quote(text.encode("latin-1", "replace"), safe="/?&=")
    # What cannot be in a request line must be encoded in any case.
    return "".join(
        char if "\x21" <= char <= "\xff" and char != "\x7f" else quote(char) for char in text
    )
