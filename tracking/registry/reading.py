"""Reading a registry row by row, with the line of each, in memory that does not grow with it.

The standard library reads a JSON file only as a whole. But its decoder can read one value from a
text, so a part of the file is kept in a buffer, and a value that it cuts off is read again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from json import JSONDecodeError, JSONDecoder
from pathlib import Path
from typing import Any, TextIO

READ_AT_ONCE = 2**18
# A longer value is a quotation mark that is missing, not a row of a registry.
MOST_VALUE = 2**22
_SPACE = re.compile(r"[ \t\r\n]*")


class Number(str):
    """A number as it was written. No field has one, so its size is of no concern."""


# With `strict`, a text that is not closed is noticed at the end of its line.
_STRICT = JSONDecoder(parse_int=Number, parse_float=Number)
_LENIENT = JSONDecoder(parse_int=Number, parse_float=Number, strict=False)


@dataclass(frozen=True, slots=True)
class Entry:
    """A job's id with its row, which may be any JSON value, and the line of the id."""

    line: int
    id: str
    row: Any


class NotJson(Exception):
    """From this line on, the file is not a JSON object; the rows before it were read.

    `found` has at most one character of the file, which may hold tokens.
    """

    def __init__(self, line: int, found: str, expected: str) -> None:
        super().__init__(line, found, expected)
        self.line, self.found, self.expected = line, found, expected


def read_entries(path: Path) -> Iterator[Entry]:
    """Iterate over the entries of a file. Raises OSError, and NotJson at the first fault.

    Bytes that are not UTF-8 become lone surrogates, which the check of a row refuses.
    """
    with path.open(encoding="utf-8-sig", errors="surrogateescape", newline="") as file:
        yield from _Reader(file).entries()


class _Reader:
    """A file, of which `_text` from `_at` on is the part to be read next."""

    def __init__(self, file: TextIO) -> None:
        self._file = file
        self._text, self._at, self._lines = "", 0, 1
        self._ended = False

    def entries(self) -> Iterator[Entry]:
        self._take("{")
        more = self._following('"}') == '"'
        while more:
            line, name = self._line(self._at), self._value()
            self._take(":")
            yield Entry(line, name, self._value())
            more = self._following(",}") == ","
            if more:
                self._take(",")
                self._following('"')
        self._take("}")
        self._following("")

    def _following(self, expected: str) -> str:
        """Return the next character, which is one of these; "" is the end of the file."""
        while True:
            self._at = self._space()
            if self._at < len(self._text) or not self._grow():
                break
        found = self._text[self._at : self._at + 1]
        if found not in expected or bool(found) != bool(expected):
            wanted = " or ".join(expected) or "nothing more"
            raise NotJson(self._line(self._at), _shown(found), wanted)
        return found

    def _take(self, expected: str) -> str:
        found = self._following(expected)
        self._at += 1
        return found

    def _space(self) -> int:
        match = _SPACE.match(self._text, self._at)
        return match.end() if match else self._at

    def _value(self) -> Any:
        while True:
            self._at = self._space()
            try:
                value, end = self._decoded()
            except RecursionError:
                raise NotJson(self._line(self._at), "a row nested too deeply", "a row") from None
            except JSONDecodeError as error:
                fault = self._fault(error)  # before growing moves the text
                if self._grow():
                    continue
                raise fault from None
            if end == len(self._text) and self._grow():  # a number may be cut off
                continue
            self._at = end
            return value

    def _decoded(self) -> tuple[Any, int]:
        try:
            return _STRICT.raw_decode(self._text, self._at)
        except JSONDecodeError as error:
            if "control character" in error.msg and self._text[error.pos] not in "\r\n":
                return _LENIENT.raw_decode(self._text, self._at)
            raise

    def _grow(self) -> bool:
        """Read more of the file, and drop what was read. Returns False if that is of no use."""
        if self._ended or len(self._text) - self._at > MOST_VALUE:
            return False
        more = self._file.read(READ_AT_ONCE)
        self._ended = not more
        self._lines = self._line(self._at)
        self._text, self._at = self._text[self._at :] + more, 0
        return bool(more)

    def _line(self, at: int) -> int:
        return self._lines + self._text.count("\n", 0, at)

    def _fault(self, error: JSONDecodeError) -> NotJson:
        found = _shown(self._text[error.pos : error.pos + 1])
        return NotJson(self._line(error.pos), found, f"JSON ({error.msg.lower()})")


def _shown(character: str) -> str:
    if not character:
        return "the end of the file"
    return character if character.isprintable() else f"the character U+{ord(character):04X}"
