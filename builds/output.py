"""What a command prints, as text that a page and a terminal can show."""

import codecs
import re

# A line that is longer is passed on in pieces.
LINE_AT_MOST = 8192
# Colours, movements of the cursor and titles of terminals.
_ESCAPES = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?|\x1b[^\[\]]")
_CONTROLS = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029]")


class Cleaner:
    """Makes clean lines of bytes that arrive in pieces."""

    def __init__(self) -> None:
        self._decoder = codecs.getincrementaldecoder("utf-8")("replace")
        self._rest = ""

    def feed(self, data: bytes) -> str:
        """Return the lines that are complete."""
        text = self._rest + self._decoder.decode(data)
        end = text.rfind("\n") + 1 or (len(text) if len(text) > LINE_AT_MOST else 0)
        self._rest = text[end:]
        if len(self._rest) > LINE_AT_MOST:
            end, self._rest = len(text), ""
        return clean(text[:end])

    def finish(self) -> str:
        """Return what is left, as a line."""
        text = self._rest + self._decoder.decode(b"", final=True)
        self._rest = ""
        return clean(f"{text}\n") if text else ""


def clean(text: str) -> str:
    """Remove what only a terminal understands. A progress bar becomes lines."""
    text = _ESCAPES.sub("", text).replace("\r\n", "\n").replace("\r", "\n")
    return _CONTROLS.sub("", text)
