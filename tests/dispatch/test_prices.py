"""Parsing prices."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dispatch.errors import ValueRefused
from dispatch.models import Price
from dispatch.prices import ParsedPrice, parse_price

KIND = Price.Kind


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("600 all-in", (KIND.ALL_IN, 60_000, None)),
        ("$600 all in", (KIND.ALL_IN, 60_000, None)),
        ("600", (KIND.ALL_IN, 60_000, None)),
        (" $1,250.50 Estimate ", (KIND.ESTIMATE, 125_050, None)),
        ("400-600", (KIND.RANGE, 40_000, 60_000)),
        ("400 to 600 range", (KIND.RANGE, 40_000, 60_000)),
        ("$400 to $600", (KIND.RANGE, 40_000, 60_000)),
        ("400\u2013600", (KIND.RANGE, 40_000, 60_000)),
        ("1000000", (KIND.ALL_IN, 100_000_000, None)),
    ],
)
def test_price_is_parsed(text, expected):
    assert parse_price(text) == ParsedPrice(*expected)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cheap",
        "600 euros",
        "-600",
        "0",
        "0.00",
        "600.5",
        "1,00",
        "600 range",
        "600-400",
        "400-400",
        "400 to 600 all-in",
        "1000000.01",
        "9" * 5000,
        "٣٠٠ x",
    ],
)
def test_invalid_price_is_refused(text):
    with pytest.raises(ValueRefused) as refusal:
        parse_price(text)
    assert refusal.value.code == "value-refused"
    assert "600 all-in" in refusal.value.hint


AMOUNTS = st.integers(1, 100_000_000)


@given(kind=st.sampled_from([KIND.ALL_IN, KIND.ESTIMATE]), cents=AMOUNTS)
def test_formatted_price_parses_back(kind, cents):
    assert parse_price(str(Price(kind=kind, cents=cents))) == ParsedPrice(kind, cents)


@given(st.tuples(AMOUNTS, AMOUNTS).filter(lambda ends: ends[0] != ends[1]).map(sorted))
def test_formatted_range_parses_back(ends):
    low, high = ends
    written = str(Price(kind=KIND.RANGE, cents=low, upper_cents=high))
    assert parse_price(written) == ParsedPrice(KIND.RANGE, low, high)
