"""What CloudFront takes at most."""

import pytest

from edge.errors import LimitExceeded
from edge.limits import check_function_source, check_update


def test_what_fits_passes():
    check_function_source("x" * 10_240)
    check_update(puts={"k" * 512: "v" * 512}, deletes=["x"] * 49)


def test_bytes_count_not_characters():
    with pytest.raises(LimitExceeded, match="10240 bytes"):
        check_function_source("é" * 5_121)
    with pytest.raises(LimitExceeded, match="1024 bytes"):
        check_update(puts={"k": "é" * 512}, deletes=[])


def test_puts_and_deletes_count_together():
    with pytest.raises(LimitExceeded, match="50 keys"):
        check_update(puts={"a": "1"}, deletes=["x"] * 50)
