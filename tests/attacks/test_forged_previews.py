"""No one sees a release that is not live without a ticket that we signed for just that."""

from itertools import product

import pytest

from edge.functions.shipped import function_source
from edge.runtime.event import viewer_event
from edge.runtime.quickjs import EdgeFunction
from edge.runtime.results import Generated
from tests.edge.functions.cases import LIVE, NOW, OLD, SECRET, STAGED, STORE, ticket

GOOD = ticket()
RELEASE, EXPIRY, SIGNATURE = GOOD.split(".")
EXPIRIES = (
    NOW + 3601, 10**11, 10**12, 0, -1, f"0{EXPIRY}", f"+{EXPIRY}", f"{EXPIRY}.0", "1e11",
    "Infinity", "NaN", "9" * 400, "", f" {EXPIRY}", hex(int(EXPIRY)),
)  # fmt: skip
RELEASES = (LIVE, STAGED, "..", "x", "releases/x", OLD.upper(), f"{OLD}%00", f"{OLD}/..")
SECRETS = ("", "preview", SECRET[:-1], f"{SECRET}\n", SECRET.upper(), "undefined", "null")
ENVIRONMENTS = ("staging", "", "Production", "production.", "undefined")
MALFORMED = (
    "", ".", "..", "true", "live.1.x", "[object Object]", GOOD[:-1], f"{GOOD}.", f".{GOOD}",
    GOOD.replace(".", ".."), f"{RELEASE}..{SIGNATURE}", f"{EXPIRY}.{RELEASE}.{SIGNATURE}",
)  # fmt: skip


def signatures():
    """Signatures with another letter, too short, too long, or spelled otherwise."""
    for place, letter in product(range(len(SIGNATURE)), "Ab0-_"):
        if SIGNATURE[place] != letter:
            yield SIGNATURE[:place] + letter + SIGNATURE[place + 1 :]
    yield from (SIGNATURE[:place] for place in range(1, len(SIGNATURE)))
    yield from (SIGNATURE.swapcase(), f"{SIGNATURE}=", SIGNATURE * 2, f"{SIGNATURE}A", "0")


def forged():
    """Return tickets that we did not sign, or signed for another environment or time."""
    return [
        *MALFORMED,
        *(ticket(signature=one) for one in signatures()),
        *(f"{one}.{EXPIRY}.{SIGNATURE}" for one in RELEASES),
        *(f"{RELEASE}.{one}.{SIGNATURE}" for one in EXPIRIES),
        *(ticket(expiry=one) for one in (NOW, NOW - 1, NOW - 86_400, 0)),
        *(ticket(secret=one) for one in SECRETS),
        *(ticket(environment=one) for one in ENVIRONMENTS),
    ]


COOKIES = (
    "qdn_release={}",
    'qdn_release="{}"',
    "a=b; qdn_release={}; qdn_preview=" + OLD,
    "qdn_release={}; qdn_release=x",
    "qdn_release=x; qdn_release={}",
)


@pytest.fixture(scope="module")
def function():
    return EdgeFunction(function_source())


@pytest.fixture
def is_accepted(function):
    """Return a function that says whether a viewer leaves the live release, or may later."""

    def is_accepted(query="", cookie="", host="localhost"):
        event = viewer_event(
            uri="/", querystring=query, headers={"host": host}, cookies=cookie, ip="192.0.2.1"
        )
        result = function.run(event, STORE, now=NOW)
        if isinstance(result, Generated):
            return any(OLD in value or STAGED in value for value in result.cookies)
        return result.uri != f"/releases/{LIVE}/index.html"

    return is_accepted


def test_no_forged_ticket_is_accepted(is_accepted):
    tickets = forged()
    assert len(tickets) > 250
    accepted = [one for one in tickets if is_accepted(query=f"release={one}")]
    for form in COOKIES:
        accepted += [form.format(one) for one in tickets if is_accepted(cookie=form.format(one))]
    assert accepted == []


def test_ticket_is_for_one_environment(is_accepted):
    for_staging = ticket(environment="staging", release=STAGED)
    assert not is_accepted(query=f"release={for_staging}")
    assert not is_accepted(cookie=f"qdn_release={for_staging}")


def test_name_for_the_banner_opens_nothing(is_accepted):
    assert not is_accepted(cookie=f"qdn_preview={OLD}")
    assert not is_accepted(cookie=f"qdn_preview={GOOD}")


def test_ticket_that_we_signed_is_accepted(is_accepted):
    assert is_accepted(query=f"release={GOOD}")
    assert is_accepted(cookie=f"qdn_release={GOOD}")
