"""How many segments a text message takes (3GPP TS 23.038).

The GSM alphabet has 160 characters in one segment and 153 in each of several. One character beyond
it, like an emoji, turns the whole message into UCS-2: 70 in one segment, 67 in each of several.
"""

from dataclasses import dataclass

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?¡"
    "ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
EXTENDED = frozenset("^{}\\[~]|€\f")  # two places each
GSM, UCS2 = "GSM-7", "UCS-2"
SIZES = {GSM: (160, 153), UCS2: (70, 67)}
# What reads the same in the GSM alphabet, which has é and ñ, but not á.
ALIKE = str.maketrans(
    {"á": "a", "í": "i", "ó": "o", "ú": "u", "Á": "A", "Í": "I", "Ó": "O", "Ú": "U"}
    | {
        "“": '"',
        "”": '"',
        "\N{LEFT SINGLE QUOTATION MARK}": "'",
        "\N{RIGHT SINGLE QUOTATION MARK}": "'",
        "…": "...",
    }
    | {"\N{EN DASH}": "-", "\N{EM DASH}": "-", "\N{NO-BREAK SPACE}": " "}
)


@dataclass(frozen=True, slots=True)
class Size:
    """The alphabet of a text message, its length in places, and its segments."""

    alphabet: str
    places: int
    segments: int

    def __str__(self) -> str:
        plural = "" if self.segments == 1 else "s"
        return f"{self.segments} segment{plural} ({self.places} characters, {self.alphabet})"


def size_of(text: str) -> Size:
    """Return how much a text takes."""
    if set(text) <= BASIC | EXTENDED:
        alphabet, places = GSM, sum(2 if char in EXTENDED else 1 for char in text)
    else:
        alphabet, places = UCS2, len(text.encode("utf-16-le")) // 2
    one, each = SIZES[alphabet]
    return Size(alphabet, places, 1 if places <= one else -(-places // each))


def to_gsm(text: str) -> str:
    """Return the text with characters that have a likeness in the GSM alphabet replaced."""
    return text.translate(ALIKE)
