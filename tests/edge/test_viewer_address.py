"""The client's address, behind any number of proxies."""

import pytest

from edge.viewer_address import viewer_address

PROXY = "10.0.0.7"


def address(forwarded, *, trusted_proxies=1, remote=PROXY):
    environ = {"REMOTE_ADDR": remote, "HTTP_X_FORWARDED_FOR": forwarded}
    return viewer_address(environ, trusted_proxies=trusted_proxies)


def test_header_of_an_untrusted_client_is_ignored():
    assert address("203.0.113.9", trusted_proxies=0) == PROXY


@pytest.mark.parametrize(
    ("proxies", "expected"), [(1, "198.51.100.3"), (2, "203.0.113.9"), (3, "192.0.2.66")]
)
def test_entries_are_counted_from_the_right(proxies, expected):
    sent_by_the_client = "192.0.2.66"
    forwarded = f"{sent_by_the_client}, 203.0.113.9, 198.51.100.3"
    assert address(forwarded, trusted_proxies=proxies) == expected


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("  203.0.113.9  ", "203.0.113.9"),
        ("203.0.113.9:51234", "203.0.113.9"),
        ("2001:DB8:0:0:0:0:0:1", "2001:db8::1"),
        ("[2001:db8::1]", "2001:db8::1"),
        ("[2001:db8::1]:443", "2001:db8::1"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("[::ffff:203.0.113.9]:443", "203.0.113.9"),
        ("fe80::1%eth0", "fe80::1"),
    ],
)
def test_ways_to_write_an_address(written, expected):
    assert address(written) == expected
    assert viewer_address({"REMOTE_ADDR": written}, trusted_proxies=0) == expected


@pytest.mark.parametrize(
    "forwarded",
    ["", "unknown", "_hidden", "203.0.113", "203.0.113.9 x", "[2001:db8::1", "203.0.113.9:", "a,",
     "\u0661.2.3.4", "203.0.113.9,", "1" * 100_000],
)  # fmt: skip
def test_malformed_header_gives_the_proxys_address(forwarded):
    assert address(forwarded) == PROXY


def test_fewer_entries_than_proxies_give_the_peers_address():
    assert address("203.0.113.9", trusted_proxies=2) == PROXY


@pytest.mark.parametrize("environ", [{}, {"REMOTE_ADDR": ""}, {"REMOTE_ADDR": "unix:"}])
def test_server_without_an_address(environ):
    """Behind a Unix socket there is no REMOTE_ADDR."""
    assert viewer_address(environ, trusted_proxies=0) == ""
    environ = {**environ, "HTTP_X_FORWARDED_FOR": "203.0.113.9"}
    assert viewer_address(environ, trusted_proxies=1) == "203.0.113.9"
