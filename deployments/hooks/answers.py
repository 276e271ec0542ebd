"""What a hook answered."""

from dataclasses import dataclass
from typing import Any

LONGEST = 500


@dataclass(frozen=True, slots=True)
class Answer:
    """Whether a hook agreed, and why or why not, in one line."""

    ok: bool
    detail: str

    @classmethod
    def of(cls, ok: bool, detail: str) -> "Answer":
        """Return an answer; the detail may be any output."""
        shown = "".join(char if char.isprintable() else " " for char in detail)
        return cls(ok, " ".join(shown.split())[:LONGEST])


Payload = dict[str, Any]
