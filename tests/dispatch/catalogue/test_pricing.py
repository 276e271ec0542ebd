"""One pricing function: rules by date and load, ranges, days of rental, surcharges, no rule."""

from datetime import date, timedelta

import pytest

from dispatch.catalogue.pricing import from_prices, quote
from dispatch.models import LoadSize, PriceKind, PriceRule, ServedZip
from dispatch.prices import MAX_CENTS, ParsedPrice
from tests.builders import make_service

pytestmark = pytest.mark.django_db

DAY = date(2026, 11, 23)


@pytest.fixture(autouse=True)
def empty_list():
    PriceRule.objects.all().delete()
    ServedZip.objects.all().delete()


def rule(service="junk", cents=34_000, load_size="", *, day=DAY, **kwargs):
    return PriceRule.objects.create(
        service=make_service(service), cents=cents, load_size=load_size, valid_from=day, **kwargs
    )


def quoted(service="junk", load_size="", **kwargs):
    found = quote(service=make_service(service), load_size=load_size, **{"day": DAY, **kwargs})
    return None if found is None else str(found)


def test_rule_of_the_load_size_comes_first():
    rule(cents=12_000, upper_cents=60_000, kind=PriceKind.RANGE)
    rule(cents=34_000, load_size=LoadSize.HALF)
    assert quoted(load_size=LoadSize.HALF) == "$340 all-in"
    assert quoted(load_size=LoadSize.FULL) == "$120 to $600"
    assert quoted() == "$120 to $600"


def test_newest_rule_that_has_begun_applies():
    rule(cents=30_000, day=DAY - timedelta(days=300))
    rule(cents=34_000, day=DAY)
    rule(cents=38_000, day=DAY + timedelta(days=1))
    assert quoted(day=DAY - timedelta(days=301)) is None
    assert quoted(day=DAY - timedelta(days=1)) == "$300 all-in"
    assert quoted() == "$340 all-in"
    assert quoted(day=DAY + timedelta(days=1)) == "$380 all-in"


def test_newer_rule_for_any_load_leaves_those_of_a_load():
    rule(cents=34_000, load_size=LoadSize.HALF, day=DAY - timedelta(days=9))
    rule(cents=50_000)
    assert quoted(load_size=LoadSize.HALF) == "$340 all-in"


def test_service_without_a_rule_has_no_price():
    rule("cleanout")
    assert quoted("junk") is None


def test_rule_of_another_load_gives_no_price():
    rule(load_size=LoadSize.HALF)
    assert quoted(load_size=LoadSize.FULL) is None
    assert quoted() is None


@pytest.mark.parametrize(
    ("days", "price"),
    [(None, "$390"), (1, "$390"), (7, "$390"), (8, "$410"), (30, "$850")],
)
def test_days_beyond_the_included_ones_cost_more(days, price):
    rule("dumpster-10", cents=39_000, extra_day_cents=2_000)
    assert quoted("dumpster-10", rental_days=days) == f"{price} all-in"


def test_days_do_not_count_for_hauls():
    rule(extra_day_cents=2_000)
    assert quoted(rental_days=30) == "$340 all-in"


def test_surcharge_of_the_zip_is_added_to_both_ends():
    ServedZip.objects.create(zip_code="99714", surcharge_cents=2_550)
    rule(cents=12_000, upper_cents=60_000, kind=PriceKind.RANGE)
    assert quoted(zip_code="99714-1234") == "$145.50 to $625.50"
    assert quoted(zip_code="99709") == "$120 to $600"


def test_price_beyond_all_prices_is_to_be_agreed():
    rule("dumpster-10", cents=39_000, extra_day_cents=MAX_CENTS)
    assert quoted("dumpster-10", rental_days=32_767) is None


def test_quote_equals_the_price_as_parsed():
    rule(cents=25_000, kind=PriceKind.ESTIMATE)
    found = quote(service=make_service(), day=DAY)
    assert found == ParsedPrice(PriceKind.ESTIMATE, 25_000)


def test_lowest_prices_take_one_query(django_assert_num_queries):
    rule(cents=34_000, load_size=LoadSize.HALF)
    rule("cleanout", cents=32_000, load_size=LoadSize.HALF)
    rule("cleanout", cents=10_000)
    rule("dumpster-10", cents=39_000)
    rule("dumpster-20", cents=49_000)
    with django_assert_num_queries(1):
        found = {key: one.lowest for key, one in from_prices(DAY).items()}
        assert found == {"half": "$320", "dumpster": "$390"}


def test_lowest_prices_are_those_of_the_day_and_of_active_services():
    rule(cents=20_000, load_size=LoadSize.HALF, day=DAY - timedelta(days=9))
    rule(cents=34_000, load_size=LoadSize.HALF)
    rule(cents=10_000, load_size=LoadSize.HALF, day=DAY + timedelta(days=1))
    rule("cleanout", cents=5_000, load_size=LoadSize.HALF)
    cleanout = make_service("cleanout")
    cleanout.active = False
    cleanout.save()
    assert from_prices(DAY)["half"].lowest == "$340"
