"""The host that a viewer asked for, in the form in which routing keys name it."""

from functools import lru_cache
from typing import NamedTuple

# The same machine under IPv6. Environments name it once.
_ALIASES = {"[::1]": "localhost"}


class Host(NamedTuple):
    """A Host header for the edge function, and its name alone, in lower case."""

    header: str
    name: str


@lru_cache(maxsize=512)
def read_host(header: str) -> Host:
    """Read a Host header.

    A trailing dot, which says that a name is complete, is left out. An IPv6 address keeps its
    brackets.
    """
    name, colon, port = header.lower().rpartition(":")
    if not colon or port.endswith("]"):
        name, colon, port = header.lower(), "", ""
    name = name.removesuffix(".")
    name = _ALIASES.get(name, name)
    return Host(f"{name}{colon}{port}", name)
