"""Whatever befalls a request of `push`: one whole release is served, and it can be finished."""

import pytest

from tests.aws.faults import CASES, walk
from tests.aws.proxy import Fault

pytestmark = [pytest.mark.django_db, pytest.mark.every_step]


@pytest.mark.parametrize(("kind", "lasting"), CASES)
def test_push(shop, proxy, kind, lasting):
    shop.push("first")
    requests, codes = walk(
        shop,
        proxy,
        "staging",
        lambda number: shop.pushing(f"new-{number}"),
        lambda number: Fault(number, kind(number), lasting),
    )
    assert requests > 25
    assert 4 in codes or not lasting
