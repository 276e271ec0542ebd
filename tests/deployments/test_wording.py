"""Text that messages share."""

import pytest

from deployments.wording import plural


@pytest.mark.parametrize(
    ("count", "text"), [(0, "0 files"), (1, "1 file"), (2, "2 files"), (1204, "1,204 files")]
)
def test_nouns_agree_with_their_count(count, text):
    assert plural(count, "file") == text


def test_irregular_plural():
    assert plural(2, "entry", "entries") == "2 entries"
