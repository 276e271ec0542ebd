"""What a release was built from."""

import re
from dataclasses import dataclass

from deployments.errors import Refused

_COMMIT = re.compile(r"[0-9a-f]{7,64}")
LONGEST = 200


@dataclass(frozen=True, slots=True)
class Provenance:
    """The commit (hex), its branch and its author (`Name <address>`); empty if unknown.

    Raises Refused if one of them cannot be kept.
    """

    commit: str = ""
    branch: str = ""
    author: str = ""

    def __post_init__(self) -> None:
        if self.commit and not _COMMIT.fullmatch(self.commit):
            raise Refused(
                "commit-invalid",
                f"Expected a commit as 7 to 64 hexadecimal digits, found '{self.commit}'.",
                "Use the output of: git rev-parse HEAD",
            )
        if not all(
            len(text) <= LONGEST and text.isprintable() for text in (self.branch, self.author)
        ):
            raise Refused(
                "origin-invalid",
                f"Expected a branch and an author of at most {LONGEST} printable characters each.",
                "Shorten them.",
            )


UNKNOWN = Provenance()
