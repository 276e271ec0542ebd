"""Routing documents: the small JSON that says which release an environment serves.

The edge function reads one per request from the key-value store. Keys: `host:<hostname>` and
`env:<environment>`; both hold the same document.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

PREVIEW_KEY = "preview"
PREVIEW_COOKIE = "qdn_release"


@dataclass(frozen=True, slots=True)
class Canary:
    """A release that `percent` of viewers see.

    `salt`, up to eight digits in base 36, selects which viewers. `has_site`: its site document is
    at its own key.
    """

    release: str
    percent: int
    salt: str
    has_site: bool = False


@dataclass(frozen=True, slots=True)
class RoutingDocument:
    """The release that an environment serves.

    `site` is the release's site document (edge/sites.py), empty if it needs none. `canonical` is
    the host that all others redirect to, or "". `access` says who is let in (edge/access.py); it is
    empty if everyone is.

    During maintenance every page answers 503 with `message`, or with the function's own text if it
    is empty; then `release` may be empty.
    """

    environment: str
    release: str
    previous: str = ""
    canary: Canary | None = None
    maintenance: bool = False
    message: str = ""
    site: Mapping[str, Any] = field(default_factory=dict)
    canonical: str = ""
    access: str = ""

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
                **({"d": 1} if self.canary.has_site else {}),
            }
        if self.site:
            document["d"] = self.site
        texts = {"t": self.message, "u": self.canonical, "a": self.access}
        document.update({name: text for name, text in texts.items() if text})
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
            canary=_canary(canary) if canary else None,
            maintenance=bool(document.get("m")),
            message=document.get("t", ""),
            site=document.get("d", {}),
            canonical=document.get("u", ""),
            access=document.get("a", ""),
        )


def _canary(row: Mapping[str, Any]) -> Canary:
    return Canary(row["r"], row["pct"], row["s"], bool(row.get("d")))


def routing_keys(environment: str, hosts: Iterable[str]) -> list[str]:
    """Return all keys that hold an environment's routing document."""
    return [f"env:{environment}", *(f"host:{host.lower()}" for host in hosts)]
