"""What the log shows: secrets are masked wherever the text is divided, control codes removed."""

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from builds.output import Cleaner
from builds.secrets import Mask, known_secrets

SECRETS = ["hunter2-secret", "hunter2", "two\nlines of a key"]
TEXT = "a hunter2 b hunter2-secret c two\nlines of a key d hunter2-secre"
SHOWN = "a *** b *** c *** d ***-secre"


def masked(pieces):
    mask = Mask(SECRETS)
    return "".join([*map(mask.feed, pieces), mask.finish()])


@given(st.lists(st.integers(0, len(TEXT)), max_size=8).map(sorted))
def test_masked_however_the_text_is_divided(cuts):
    edges = [0, *cuts, len(TEXT)]
    assert masked(TEXT[a:b] for a, b in pairwise(edges)) == SHOWN


@given(st.lists(st.text("ab\n", max_size=3)))
def test_other_text_arrives_whole(pieces):
    mask = Mask(["abab", "aab"])
    shown = "".join([*map(mask.feed, pieces), mask.finish()])
    assert shown.replace("***", "") in {"".join(pieces), shown.replace("***", "")}
    assert ("abab" in "".join(pieces) or "aab" in "".join(pieces)) == ("***" in shown)


def test_only_the_beginning_of_a_secret_is_held_back():
    mask = Mask(SECRETS)
    assert mask.feed("Install hun") == "Install "
    assert mask.feed("dred packages") == "hundred packages"


def test_without_secrets_all_is_shown():
    assert Mask([]).feed("text") == "text"


def test_our_secrets_are_known(settings, monkeypatch):
    settings.SECRET_KEY = "key of the / sessions"
    settings.REDIS_URL = "redis://:redis-word@127.0.0.1:1/0"
    settings.BUILD_ENVIRONMENT = ["SHOP"]
    monkeypatch.setenv("SHOP", "shop-word")
    monkeypatch.setenv("WEBHOOK_SECRET", "webhook-word")
    monkeypatch.setenv("OTHER_TOKEN", "short")
    found = known_secrets()
    assert {"redis-word", "shop-word", "webhook-word", "key of the / sessions"} <= found
    assert "key%20of%20the%20%2F%20sessions" in found
    assert "short" not in found


@pytest.mark.parametrize(
    ("pieces", "shown"),
    [
        ([b"\x1b[32mgreen\x1b[0m\n"], "green\n"),
        ([b"10%\r20%\r\n"], "10%\n20%\n"),
        (["é\n".encode()[:1], "é\n".encode()[1:]], "é\n"),
        ([b"\xff\x00\x07nul\n"], "\ufffdnul\n"),
        ([b"\x1b]0;title\x07x\n"], "x\n"),
        ([b"no ", b"end"], "no end\n"),
        ([b"x" * 9000], "x" * 9000),
        ([b"x" * 100 + b"\n" + b"y" * 9000], "x" * 100 + "\n" + "y" * 9000),
    ],
)
def test_output_becomes_lines(pieces, shown):
    cleaner = Cleaner()
    assert "".join([*map(cleaner.feed, pieces), cleaner.finish()]) == shown
