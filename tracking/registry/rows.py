"""Checking a row of a registry, and turning it into a job of ours with its token."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.core.exceptions import ValidationError

from dispatch.addresses import split_address
from dispatch.booking import parse_phone
from dispatch.errors import ValueRefused
from dispatch.importing import FormerJob
from dispatch.models import Job, ServiceType
from dispatch.prices import ParsedPrice, parse_price
from dispatch.statuses import ServiceKind, Status, flow_for
from tracking.links import hash_token
from tracking.models import MAX_TOKEN_LENGTH
from tracking.registry.mapping import Tables
from tracking.registry.reading import Entry, Number

FIELDS = frozenset(
    {"name", "phone", "email", "address", "service", "price", "status", "token", "token_sha256"}
)
OUR_NUMBER = re.compile(r"QDN-([1-9]\d*)", re.ASCII)
# The counter continues above it, and numbers have at most nine digits.
MOST_NUMBER = 99_999_999
SHA256 = re.compile(r"[0-9a-f]{64}")
NO_PRICE = frozenset({"", "to be agreed", "tba", "tbd", "n/a", "none", "-"})
MOST_SHOWN = 60
TYPES = {dict: "an object", list: "a list", bool: "true or false", Number: "a number"}


class RowRefused(Exception):
    """A row cannot be taken. `found` never holds a token."""

    def __init__(self, field: str, found: str, expected: str) -> None:
        super().__init__(field, found, expected)
        self.field, self.found, self.expected = field, found, expected


@dataclass(frozen=True, slots=True)
class Row:
    """A row that was checked. `token` is "" if only its SHA-256 is known."""

    line: int
    id: str
    job: FormerJob
    token: str
    token_sha256: str


def parse_row(entry: Entry, tables: Tables) -> Row:
    """Return the row of an entry. Raises RowRefused with its first fault."""
    number, former_id = _id(entry.id)
    values = _texts(entry.row)
    token, digest = _token(values)
    service = _service(values.get("service", ""), tables)
    status, side = _status(values.get("status", ""), service, tables)
    address = split_address(values.get("address", ""))
    job = FormerJob(
        number=number,
        former_id=former_id,
        name=_cleaned("name", "contact_name", values.get("name", "")),
        phone=_phone(values.get("phone", "")),
        email=_cleaned("email", "contact_email", values.get("email", "")),
        address=address,
        service=service,
        status=status,
        cancel_side=side,
        price=_price(values.get("price", "")),
    )
    for part, field in (
        (address.line, "address_line"), (address.unit, "unit"), (address.town, "town"),
    ):  # fmt: skip
        _cleaned("address", field, part, optional=field != "address_line")
    return Row(entry.line, entry.id, job, token, digest)


def shown(text: str) -> str:
    """Return a text on one line, cut, with characters that do not print as escapes."""
    cut = text if len(text) <= MOST_SHOWN else f"{text[: MOST_SHOWN - 3]}..."
    return "".join(one if one.isprintable() else ascii(one)[1:-1] for one in cut)


def _id(text: str) -> tuple[int | None, str]:
    _check_storable("id", text)
    most = Job._meta.get_field("former_id").max_length or 0
    if not 0 < len(text) <= most:
        raise RowRefused("id", _length(text), f"1 to {most} characters")
    ours = OUR_NUMBER.fullmatch(text)
    if ours is None:
        return None, text
    if len(ours[1]) > len(str(MOST_NUMBER)):
        raise RowRefused("id", shown(text), f"a number up to QDN-{MOST_NUMBER}")
    return int(ours[1]), ""


def _texts(row: Any) -> dict[str, str]:
    """Return the fields that we know and that are not empty, trimmed; a token as it is."""
    if not isinstance(row, Mapping):
        raise RowRefused("", _type(row), "an object with the fields of a job")
    values = {}
    for field in FIELDS & row.keys():
        value = row[field]
        if value is None:
            continue
        if not isinstance(value, str) or isinstance(value, Number):
            raise RowRefused(field, _type(value), "text")
        _check_storable(field, value)
        if text := value if field == "token" else value.strip():
            values[field] = text
    return values


def _check_storable(field: str, text: str) -> None:
    if "\x00" in text:
        raise RowRefused(field, "a NUL character", "text without it")
    try:
        text.encode()
    except UnicodeEncodeError:
        raise RowRefused(field, "bytes that are not UTF-8", "text in UTF-8") from None


def _token(values: Mapping[str, str]) -> tuple[str, str]:
    token, digest = values.get("token", ""), values.get("token_sha256", "").lower()
    if len(token) > MAX_TOKEN_LENGTH:
        raise RowRefused("token", _length(token), f"1 to {MAX_TOKEN_LENGTH} characters")
    if digest and not SHA256.fullmatch(digest):
        raise RowRefused("token_sha256", _length(digest), "64 hexadecimal digits")
    if not (token or digest):
        raise RowRefused("token", "nothing", "a token, or token_sha256")
    if token and digest and hash_token(token) != digest:
        raise RowRefused("token_sha256", "another digest", "the SHA-256 of the row's token")
    return token, digest or hash_token(token)


def _service(text: str, tables: Tables) -> ServiceType:
    service = tables.service(text)
    if service is None:
        known = f"one of {tables.known_services}; or a line for it in the map"
        raise RowRefused("service", shown(text) or "nothing", known)
    return service


def _status(text: str, service: ServiceType, tables: Tables) -> tuple[Status, str]:
    found = tables.status(text)
    if found is None:
        known = f"one of {tables.known_statuses}; or a line for it in the map"
        raise RowRefused("status", shown(text) or "nothing", known)
    flow = flow_for(ServiceKind(service.kind))
    if found[0] != Status.CANCELLED and found[0] not in flow:
        raise RowRefused("status", shown(text), f"for {service}, one of {', '.join(flow)}")
    return found


def _price(text: str) -> ParsedPrice | None:
    if text.casefold() in NO_PRICE:
        return None
    try:
        return parse_price(text)
    except ValueRefused:
        expected = 'a price like "600 all-in", "250 estimate" or "400 to 600"'
        raise RowRefused("price", shown(text), expected) from None


def _phone(text: str) -> str:
    if not text:
        return ""
    try:
        return parse_phone(text)
    except ValueRefused:
        expected = "a US number like 907-555-0142, or nothing"
        raise RowRefused("phone", shown(text), expected) from None


def _cleaned(name: str, field: str, text: str, *, optional: bool = False) -> str:
    """Return a value of a job's field, which is refused under the name that it has in the row."""
    if optional and not text:
        return text
    model_field: Any = Job._meta.get_field(field)
    try:
        return str(model_field.clean(text, None))
    except ValidationError:
        found = shown(text) if len(text) <= model_field.max_length else _length(text)
        expected = f"1 to {model_field.max_length} characters"
        what = "an email address, or nothing" if name == "email" else expected
        raise RowRefused(name, found or "nothing", what) from None


def _type(value: Any) -> str:
    return TYPES.get(type(value), "null" if value is None else "text")


def _length(text: str) -> str:
    return f"{len(text):,} characters" if text else "nothing"
