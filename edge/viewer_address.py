"""The client's address, as consent, canaries, limits and the login's lock-out use it.

Behind a proxy, REMOTE_ADDR is the proxy's. Each proxy appends the address that it saw to
X-Forwarded-For, so the entries from the right are those of our own proxies; all further left is
what the client sent, and could be anything.
"""

import re
from collections.abc import Mapping
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Any

# A line has at least this network of IPv6 addresses to choose from.
IPV6_PREFIX = 64
# [2001:db8::1], [2001:db8::1]:443 and 192.0.2.1:443. An IPv6 address with a port needs brackets.
_BRACKETED = re.compile(r"\[(?P<address>[^\]]+)\](?::\d{1,5})?")
_WITH_PORT = re.compile(r"(?P<address>[^:]+):\d{1,5}")


def viewer_address(environ: Mapping[str, Any], *, trusted_proxies: int) -> str:
    """Return the client's IP address in its shortest form, or "" if the server knows none.

    `environ` is a WSGI environ or Django's request.META; `trusted_proxies` the number of proxies
    in front of the application that append to X-Forwarded-For. With 0 the header is ignored, for
    anyone can send it. A header with too few entries, or without an address at the place where
    the outermost proxy wrote one, is not from our proxies: the address is then REMOTE_ADDR.
    """
    if trusted_proxies > 0:
        entries = environ.get("HTTP_X_FORWARDED_FOR", "").split(",")
        if len(entries) >= trusted_proxies and (address := _address(entries[-trusted_proxies])):
            return address
    return _address(environ.get("REMOTE_ADDR", ""))


def viewer_network(environ: Mapping[str, Any], *, trusted_proxies: int) -> str:
    """Return what to count a client's requests by: its IPv4 address, or its IPv6 network's first.

    "" if the server knows no address.
    """
    address = viewer_address(environ, trusted_proxies=trusted_proxies)
    if ":" in address:
        return str(ip_network((address, IPV6_PREFIX), strict=False).network_address)
    return address


def _address(text: str) -> str:
    """Return an address without port, brackets, zone and IPv4 mapping; "" if it is not one."""
    text = text.strip()
    match = _BRACKETED.fullmatch(text) or _WITH_PORT.fullmatch(text)
    try:
        found: IPv4Address | IPv6Address = ip_address(
            (match["address"] if match else text).partition("%")[0]
        )
    except ValueError:
        return ""
    return str(getattr(found, "ipv4_mapped", None) or found)
