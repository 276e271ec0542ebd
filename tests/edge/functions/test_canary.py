"""Viewers of a canary: its share of 20,000, and the same ones as it grows."""

import itertools
import math

import pytest

from edge.functions.shipped import function_source
from edge.routing import Canary, RoutingDocument
from edge.runtime import quickjs
from edge.runtime.event import ViewerRequest
from edge.runtime.njs import NjsRun, njs_command, run_in_njs
from tests.edge.functions.cases import CANARY, LIVE, NOW

SALT, OTHER_SALT = "5f0c9a1e", "5f0c9a1f"
# Neighbours, as providers hand out addresses: the last part differs, or one in the middle.
NETWORKS = {
    "ipv4": [f"198.51.{number >> 8}.{number & 255}" for number in range(10_000)],
    "ipv4-networks": [f"10.{number >> 8}.{number & 255}.1" for number in range(10_000)],
    "ipv4-in-ipv6": [f"::ffff:198.51.{number >> 8}.{number & 255}" for number in range(10_000)],
    "ipv6": [f"2001:db8::{number:x}" for number in range(1, 10_001)],
    "ipv6-networks": [f"2001:db8:0:{number:x}::1" for number in range(10_000)],
    "ipv6-long": [f"2001:db8:85a3:{number:04x}:21f:5bff:fe3c:7a1d" for number in range(10_000)],
}
VIEWERS = NETWORKS["ipv4"] + NETWORKS["ipv6"]


@pytest.fixture(scope="module")
def function():
    return quickjs.EdgeFunction(function_source())


def store(percent, salt=SALT):
    document = RoutingDocument("production", LIVE, canary=Canary(CANARY, percent, salt))
    return {"host:localhost": document.to_json()}


def on_canary(function, percent, *, viewers=VIEWERS, salt=SALT):
    """Request the home page as each viewer; return for each whether it got the canary."""
    values = store(percent, salt)
    uris = [
        function.run_request(
            ViewerRequest("/", [("host", "localhost")], ip=ip), values, version=f"{percent} {salt}"
        ).uri
        for ip in viewers
    ]
    assert set(uris) <= {f"/releases/{LIVE}/index.html", f"/releases/{CANARY}/index.html"}
    return [CANARY in uri for uri in uris]


def deviation(hits, share, count):
    """Return by how many standard deviations a number of hits differs from a random draw."""
    return (hits - count * share) / math.sqrt(count * share * (1 - share))


def test_canary_gets_its_share_of_viewers(function):
    assert len(set(VIEWERS)) == 20_000
    for percent in (5, 25):
        share = sum(on_canary(function, percent)) / len(VIEWERS) * 100
        assert abs(share - percent) < 1, f"{share:.2f} % at {percent} %"


def test_viewers_stay_in_a_growing_canary(function):
    shares = [on_canary(function, percent) for percent in (5, 25)]
    for before, after in zip(*shares, strict=True):
        assert after or not before


def test_canary_grows_from_no_viewers_to_all(function):
    some = VIEWERS[::50]
    shares = [on_canary(function, percent, viewers=some) for percent in (0, 0.5, 20, 60, 99, 100)]
    assert not any(shares[0])
    assert all(shares[-1])
    for fewer, more in itertools.pairwise(shares):
        assert sum(fewer) < sum(more)
        assert all(after or not before for before, after in zip(fewer, more, strict=True))


@pytest.mark.parametrize("network", NETWORKS)
def test_neighbouring_addresses_are_spread_randomly(function, network):
    """The sum of squares of the hits in each hundred neighbours is as expected by chance."""
    hits = on_canary(function, 25, viewers=NETWORKS[network])
    assert abs(deviation(sum(hits), 0.25, len(hits))) < 3.5
    hundreds = [hits[start : start + 100] for start in range(0, len(hits), 100)]
    squares = [deviation(sum(part), 0.25, 100) ** 2 for part in hundreds]
    # Chi-square with 100 degrees of freedom: its standard deviation is the root of 200.
    assert abs(sum(squares) - len(squares)) < 3.5 * math.sqrt(2 * len(squares))


def test_another_salt_chooses_independently(function):
    one = on_canary(function, 25)
    other = on_canary(function, 25, salt=OTHER_SALT)
    both = sum(a and b for a, b in zip(one, other, strict=True))
    assert abs(deviation(both, 1 / 16, len(VIEWERS))) < 3.5


def test_salt_that_is_not_a_number_still_selects_a_share(function):
    viewers = VIEWERS[::10]
    assert abs(deviation(sum(on_canary(function, 25, viewers=viewers, salt="-")), 0.25, 2000)) < 3.5


def test_new_viewer_needs_no_second_run(function, monkeypatch):
    """Each question repeats a run; the routing document is the only one, once."""
    asked = []
    answer = quickjs._answer_to
    monkeypatch.setattr(quickjs, "_answer_to", lambda *args: asked.append(args) or answer(*args))
    on_canary(function, 7, viewers=VIEWERS[:50])
    assert len(asked) == 1


@pytest.mark.skipif(
    njs_command() is None, reason="the njs command is not installed; Debian's package is `njs`"
)
@pytest.mark.njs
def test_canary_is_the_same_in_njs(function):
    viewers = [ip for network in NETWORKS.values() for ip in network[::100]]
    runs = [
        NjsRun(
            event=ViewerRequest("/", [("host", "localhost")], ip=ip).event(),
            keyvalues=store(25),
            now=NOW,
        )
        for ip in viewers
    ]
    outputs = [result.output["uri"] for result in run_in_njs(function_source(), runs)]
    assert [CANARY in uri for uri in outputs] == on_canary(function, 25, viewers=viewers)
