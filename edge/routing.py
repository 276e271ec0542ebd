"""Routing documents: the small JSON that says which release an environment serves.

The edge function reads one per request from the key-value store. Keys: `host:<hostname>` and
`env:<environment>`; both hold the same document.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

PREVIEW_KEY = "preview"
PREVIEW_COOKIE = "qdn_release"


@dataclass(frozen=True, slots=True)
class Canary:
    """A release that `percent` of viewers see.

    `salt`, up to eight digits in base 36, selects which viewers.
    """

    release: str
    percent: int
    salt: str


@dataclass(frozen=True, slots=True)
class RoutingDocument:
    """The release that an environment serves.

    During maintenance every page answers 503 with `message`, or with the function's own text if it
    is empty; then `release` may be empty.
    """

    environment: str
    release: str
    previous: str = ""
    canary: Canary | None = None
    maintenance: bool = False
    message: str = ""

    def to_json(self) -> str:
        """Return the short form that the edge function reads."""
        document: dict[str, Any] = {
            "e": self.environment,
            "r": self.release,
            "p": self.previous,
            "m": int(self.maintenance),
        }
        if self.canary:
            document["c"] = {
                "r": self.canary.release,
                "pct": self.canary.percent,
                "s": self.canary.salt,
            }
        if self.message:
            document["t"] = self.message
        # The size of a value is limited, and an escaped letter takes six bytes.
        return json.dumps(document, ensure_ascii=False, separators=(",", ":"), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "RoutingDocument":
        """Read the short form. Raises ValueError or KeyError if it is malformed."""
        document = json.loads(text)
        canary = document.get("c")
        return cls(
            environment=document["e"],
            release=document["r"],
            previous=document.get("p", ""),
            canary=Canary(canary["r"], canary["pct"], canary["s"]) if canary else None,
            maintenance=bool(document.get("m")),
            message=document.get("t", ""),
        )


def routing_keys(environment: str, hosts: Iterable[str]) -> list[str]:
    """Return all keys that hold an environment's routing document."""
    return [f"env:{environment}", *(f"host:{host.lower()}" for host in hosts)]
