"""Planning invalidations: everything wanted is covered, nothing beyond the distribution's paths."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.invalidation.fold import (
    address,
    addresses,
    batches,
    bill,
    concerns,
    fold,
    narrowed,
    price,
)
from edge.limits import INVALIDATION_PATHS, INVALIDATION_WILDCARDS

NAMES = st.sampled_from(["a", "b", "book", "book-old", "track", "x y", "müll", "1*2", "index.html"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PATTERNS = st.lists(
    st.sampled_from(["/book/*", "/book*", "/track/*", "*", "/a/?/*", "*.html", "b/*", "/a"]),
    max_size=3,
)


def covers(entry, url):
    return url.startswith(entry[:-1]) if entry.endswith("*") else url == entry


def site(folder, count):
    return {f"/{folder}/{number}.html" for number in range(count)}


def test_a_folder_that_changed_folds_to_one_wildcard():
    assert fold(site("blog", 900)) == ["/blog/*"]


def test_unchanged_neighbours_do_not_stop_a_fold_that_saves_much():
    wanted = site("blog", 900)
    assert fold(wanted, unchanged=site("blog", 2_000) - wanted) == ["/blog/*"]


def test_a_few_changes_among_many_files_are_named():
    wanted = {"/blog/1.html", "/blog/2.html"}
    assert fold(wanted, unchanged=site("blog", 1_000) - wanted) == sorted(wanted)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("more/1.txt", ["/more/1.txt"]),
        ("book/index.html", ["/book/index.html", "/book/", "/book"]),
        ("index.html", ["/index.html", "/"]),
        ("x y/1*2.txt", ["/x%20y/1%2A2.txt"]),
        ("müll.html", ["/m%C3%BCll.html"]),
    ],
)
def test_addresses_of_a_file(path, expected):
    assert addresses(path) == expected


def test_addresses_of_a_page_fold_to_one_path():
    wanted = addresses("book/index.html")
    assert fold(wanted, unchanged=["/index.html"]) == ["/book*"]
    assert fold(wanted, unchanged=["/index.html"], patterns=["/book/*"]) == ["/book/*"]


def test_each_distribution_gets_its_own_paths():
    wanted = [url for name in ("book", "track", "dashboard") for url in addresses(f"{name}/a.html")]
    assert fold(wanted, patterns=["/track/*", "/book/*"]) == ["/book/a.html", "/track/a.html"]


@pytest.mark.parametrize(
    ("pattern", "url", "routed"),
    [
        ("/book/*", "/book/", True),
        ("/book/*", "/book", False),
        ("book/*", "/book/x", True),
        ("*.html", "/a/b.html", True),
        ("/a?c", "/abc", True),
        ("/a?c", "/ac", False),
        ("/a.c", "/abc", False),
    ],
)
def test_patterns_are_cloudfronts(pattern, url, routed):
    assert concerns([pattern], url) is routed


@pytest.mark.parametrize(
    ("entry", "patterns", "expected"),
    [
        ("/*", [], ["/*"]),
        ("/*", ["/book/*", "track/*", "*.html", "/a?/*"], ["/book/*", "/track/*"]),
        ("/book/x*", ["/book/*"], ["/book/x*"]),
        ("/book/*", ["/book/request/*", "/book/a"], ["/book/request/*", "/book/a"]),
        ("/book/", ["/book/*"], ["/book/"]),
        ("/", ["/book/*"], []),
        ("/blog/*", ["/book/*"], []),
    ],
)
def test_what_is_asked_for_is_narrowed_to_what_is_routed(entry, patterns, expected):
    assert narrowed(entry, patterns) == expected


def test_many_folders_share_the_wildcards_there_are():
    wanted = set().union(*(site(f"news/{number}", 50) for number in range(40)))
    assert fold(wanted, unchanged=site("blog", 3_000)) == ["/news/*"]


def test_no_wildcard_where_none_is_left():
    assert fold(site("blog", 30), wildcards=0) == sorted(site("blog", 30))


@given(st.sets(PATHS, max_size=40), st.sets(PATHS, max_size=40), PATTERNS)
def test_plan_covers_what_it_must_and_stays_within(changed, others, patterns):
    wanted = {url for path in changed for url in addresses(path)}
    entries = fold(wanted, unchanged=map(address, others - changed), patterns=patterns)
    routed = {url for url in wanted if concerns(patterns, url)}
    for url in routed:
        assert any(covers(entry, url) for entry in entries), url
    for entry in entries:
        assert any(covers(entry, url) for url in routed), f"{entry} drops nothing that changed"
        assert "*" not in entry[:-1]
        start = entry.removesuffix("*")
        for tail in ("", "x", "/x/y.z", "-old") if entry.endswith("*") else ("",):
            assert concerns(patterns, start + tail), f"{entry} reaches beyond {patterns}"
    assert len(entries) <= len(routed)


@given(st.sets(PATHS, max_size=60), st.integers(0, 3))
def test_wildcards_stay_within_the_limit(changed, allowed):
    entries = fold(map(address, changed), wildcards=allowed)
    assert sum(entry.endswith("*") for entry in entries) <= allowed <= INVALIDATION_WILDCARDS


def test_batches_hold_what_one_request_takes():
    entries = [f"/{number}" for number in range(2 * INVALIDATION_PATHS + 1)]
    cut = batches(entries)
    assert [len(batch) for batch in cut] == [INVALIDATION_PATHS, INVALIDATION_PATHS, 1]
    assert [entry for batch in cut for entry in batch] == entries


@pytest.mark.parametrize(
    ("paths", "used", "dollars"),
    [(12, 0, "0"), (1_000, 0, "0"), (1_001, 0, "0.005"), (12, 995, "0.035"), (12, 4_000, "0.06")],
)
def test_first_thousand_of_a_month_is_free(paths, used, dollars):
    assert price(paths, used=used) == Decimal(dollars)


def test_bill():
    assert bill(12, used=0) == "12 paths, $0.00 of 1,000 free"
    assert bill(1, used=1_200) == "1 path, $0.01 of 1,000 free"
    assert bill(1_200, used=0) == "1,200 paths, $1.00 of 1,000 free"
