"""Calling a hook's address: https only, public addresses only, and no redirects.

An operator's address must not make the server call what only the server can reach, such as the
cloud's credentials at 169.254.169.254. So the name is resolved here, every address it has is
checked, and the connection goes to a checked one: a second look-up could answer differently.
"""

import socket
import ssl
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from threading import Timer
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from deployments.errors import Refused
from deployments.hooks.answers import Answer

READ_BYTES = 64 * 1024
CONNECT_SECONDS = 5
PORTS = {"https": 443, "http": 80}
OK = range(200, 300)
REDIRECTS = range(300, 400)
# IPv6 addresses that lead to the IPv4 address in their last 32 bits (RFC 6052).
NAT64 = ip_network("64:ff9b::/96")
Address = IPv4Address | IPv6Address


class AddressRefused(Exception):
    """An address that is not called."""


def check_address(url: str) -> None:
    """Raise Refused if a URL cannot be a hook's, or leads to an address that is not public."""
    try:
        parts = _split(url)
        _addresses(parts)
    except (AddressRefused, OSError, ValueError) as error:
        raise Refused(
            "hook-address",
            f"The address cannot be called: {error}.",
            "Use an https address of a public host. For a host of your own network, set "
            "HOOKS_PRIVATE_ADDRESSES=true.",
        ) from error


def post(url: str, body: bytes, headers: Mapping[str, str], *, seconds: float) -> Answer:
    """Send a payload. Anything but an answer 2xx within the time is a failure."""
    ends = time.monotonic() + seconds
    try:
        status, said = _exchange(_split(url), body, headers, ends)
    except (AddressRefused, OSError, HTTPException, ValueError) as error:
        if time.monotonic() >= ends:
            return Answer.of(False, f"No answer within {seconds:.1f} s")
        return Answer.of(False, f"No answer: {error or type(error).__name__}")
    note = " (redirects are not followed)" if status in REDIRECTS else ""
    return Answer.of(status in OK, f"Status {status}{note}. {said}")


def _split(url: str) -> SplitResult:
    """Split a URL. Raises AddressRefused, ValueError."""
    parts = urlsplit(url)
    if not (url.isascii() and url.isprintable()) or " " in url:
        raise AddressRefused("it has characters that a URL cannot have")
    schemes = PORTS if settings.DEBUG else {"https"}
    if parts.scheme not in schemes or not parts.hostname:
        raise AddressRefused("it does not begin with https://")
    if parts.username is not None or parts.fragment:
        raise AddressRefused("it has a user name or a fragment")
    _ = parts.port  # raises ValueError
    return parts


def _addresses(parts: SplitResult) -> list[str]:
    """Resolve the host. Raises AddressRefused unless every address may be called; OSError."""
    port = parts.port or PORTS[parts.scheme]
    rows = socket.getaddrinfo(parts.hostname, port, type=socket.SOCK_STREAM)
    found = [str(row[4][0]) for row in rows]
    for text in found:
        _check(ip_address(text.partition("%")[0]), parts.scheme)
    return found


def _check(address: Address, scheme: str) -> None:
    """Raise AddressRefused for an address that may not be called."""
    if settings.DEBUG and address.is_loopback:
        return
    if scheme != "https":
        raise AddressRefused("it does not begin with https://")
    if not (settings.HOOKS_PRIVATE_ADDRESSES or is_public(address)):
        raise AddressRefused(f"{address} is not a public address")


def is_public(address: Address) -> bool:
    """Whether an address, and one that is embedded in it, is reachable from the internet."""
    leads_to = [address]
    if isinstance(address, IPv6Address):
        embedded = [address.ipv4_mapped, address.sixtofour, *(address.teredo or ())]
        if address in NAT64:
            embedded.append(IPv4Address(address.packed[-4:]))
        leads_to += [one for one in embedded if one]
    return all(one.is_global and not one.is_multicast for one in leads_to)


def _exchange(
    parts: SplitResult, body: bytes, headers: Mapping[str, str], ends: float
) -> tuple[int, str]:
    """Return the status and the beginning of the answer."""
    make = HTTPSConnection if parts.scheme == "https" else HTTPConnection
    assert parts.hostname is not None  # noqa: S101 - _split has checked it
    path = parts._replace(scheme="", netloc="").geturl() or "/"
    with closing(make(parts.hostname, parts.port)) as connection:
        connection.sock = _connected(parts)
        with _interrupted_at(ends, connection.sock):
            if isinstance(connection.sock, ssl.SSLSocket):
                connection.sock.do_handshake()
            connection.request("POST", path, body, dict(headers))
            answer = connection.getresponse()
            return answer.status, answer.read(READ_BYTES).decode(errors="replace")


def _connected(parts: SplitResult) -> socket.socket:
    """Connect to the first checked address that accepts. Raises AddressRefused, OSError."""
    port, fault = parts.port or PORTS[parts.scheme], OSError("no address")
    for address in _addresses(parts):
        try:
            plain = socket.create_connection((address, port), CONNECT_SECONDS)
        except OSError as error:
            fault = error
        else:
            return _secured(plain, parts)
    raise fault


def _secured(plain: socket.socket, parts: SplitResult) -> socket.socket:
    """Return a socket whose handshake checks the certificate against the name, not the address."""
    plain.settimeout(None)  # the whole exchange has one limit
    if parts.scheme != "https":
        return plain
    context = ssl.create_default_context()
    return context.wrap_socket(plain, server_hostname=parts.hostname, do_handshake_on_connect=False)


@contextmanager
def _interrupted_at(ends: float, connected: socket.socket) -> Iterator[None]:
    """Shut a connection down at a time: a limit on each read would not end one that trickles."""

    def interrupt() -> None:
        with suppress(OSError):
            socket.socket.shutdown(connected, socket.SHUT_RDWR)

    timer = Timer(max(ends - time.monotonic(), 0), interrupt)
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
