"""Plans of invalidations cover what is wanted, and nothing that the distribution does not route."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from deployments.invalidation.fold import (
    address,
    addresses,
    concerns,
    fold,
    narrowed,
)
from edge.limits import CLOUDFRONT

NAMES = st.sampled_from(["a", "b", "book", "book-old", "track", "x y", "müll", "1*2", "index.html"])
PATHS = st.lists(NAMES, min_size=1, max_size=4).map("/".join)
PATTERNS = st.lists(
    st.sampled_from(["/book/*", "/book*", "/track/*", "*", "/a/?/*", "*.html", "b/*", "/a"]),
    max_size=3,
)


def covers(entry, url):
    return url.startswith(entry[:-1]) if entry.endswith("*") else url == entry


def planned(wanted, **options):
    """Return the plan for a distribution that nothing was sent to."""
    return fold(wanted, wildcards=CLOUDFRONT.invalidation_wildcards, **options)


def site(folder, count):
    return {f"/{folder}/{number}.html" for number in range(count)}


def test_changed_folder_becomes_one_wildcard():
    assert planned(site("blog", 900)) == ["/blog/*"]


def test_unchanged_neighbours_do_not_prevent_a_wildcard_that_saves_much():
    wanted = site("blog", 900)
    assert planned(wanted, unchanged=site("blog", 2_000) - wanted) == ["/blog/*"]


def test_few_changes_among_many_files_are_listed():
    wanted = {"/blog/1.html", "/blog/2.html"}
    assert planned(wanted, unchanged=site("blog", 1_000) - wanted) == sorted(wanted)


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
    assert planned(wanted, unchanged=["/index.html"]) == ["/book*"]
    assert planned(wanted, unchanged=["/index.html"], patterns=["/book/*"]) == ["/book/*"]


def test_each_distribution_gets_its_own_paths():
    wanted = [url for name in ("book", "track", "dashboard") for url in addresses(f"{name}/a.html")]
    assert planned(wanted, patterns=["/track/*", "/book/*"]) == ["/book/a.html", "/track/a.html"]


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
def test_patterns_match_as_in_cloudfront(pattern, url, routed):
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
def test_paths_are_narrowed_to_the_routed_ones(entry, patterns, expected):
    assert narrowed(entry, patterns) == expected


def test_many_folders_share_the_available_wildcards():
    wanted = set().union(*(site(f"news/{number}", 50) for number in range(40)))
    assert planned(wanted, unchanged=site("blog", 3_000)) == ["/news/*"]


def test_no_wildcard_if_none_is_available():
    assert fold(site("blog", 30), wildcards=0) == sorted(site("blog", 30))


@given(st.sets(PATHS, max_size=40), st.sets(PATHS, max_size=40), PATTERNS)
def test_plan_covers_all_changes_and_stays_within_the_patterns(changed, others, patterns):
    wanted = {url for path in changed for url in addresses(path)}
    entries = planned(wanted, unchanged=map(address, others - changed), patterns=patterns)
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
    assert sum(entry.endswith("*") for entry in entries) <= allowed
