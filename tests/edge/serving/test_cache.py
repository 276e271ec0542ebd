"""The cache: lifetimes, size, invalidation."""

import pytest

from edge.protocols import ObjectInfo, StoredObject
from edge.serving.cache import EdgeCache
from edge.serving.lifetimes import time_to_live
from edge.serving.representation import Representation


class Clock:
    now = 0.0

    def __call__(self):
        return self.now


def representation(size=10) -> Representation:
    info = ObjectInfo("k", size, '"e"', "image/png", "public")
    return Representation(StoredObject(info, b"x" * size))


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cache(clock):
    return EdgeCache(max_bytes=100_000, clock=clock)


def put(cache, uri, *, size=10, ttl=60):
    cache.put(uri, representation(size), ttl=ttl, generation=cache.generation)


def test_entry_is_found_with_its_age_until_it_expires(cache, clock):
    put(cache, "/a", ttl=5)
    clock.now = 4.9
    assert cache.get("/a")[1] == 4
    clock.now = 5
    assert cache.get("/a") is None


def test_least_recently_used_entry_is_evicted_first(cache):
    for uri in ("/a", "/b", "/c", "/d"):
        put(cache, uri, size=20_000)
    cache.get("/a")
    put(cache, "/e", size=20_000)
    assert [uri for uri in ("/a", "/b", "/c", "/d", "/e") if cache.get(uri)] == [
        "/a", "/c", "/d", "/e",
    ]  # fmt: skip


def test_invalidation_is_exact_or_by_prefix(cache):
    for uri in ("/a", "/a/b", "/ab", "/c"):
        put(cache, uri)
    cache.drop(["/c", "/a/*"])
    assert [uri for uri in ("/a", "/a/b", "/ab", "/c") if cache.get(uri)] == ["/a", "/ab"]
    cache.drop(["/*"])
    assert cache.get("/a") is None


def test_asterisk_inside_a_uri_is_a_character(cache):
    put(cache, "/a*")
    cache.drop(["/a"])
    assert cache.get("/a*")


def test_replaced_entry_counts_once(cache):
    for _ in range(50):
        put(cache, "/a", size=20_000)
    put(cache, "/b", size=20_000)
    assert cache.get("/a")


def test_large_object_is_not_kept(cache):
    put(cache, "/a", size=30_000)
    assert cache.get("/a") is None


def test_entry_without_a_lifetime_is_not_kept(cache):
    put(cache, "/a", ttl=0)
    assert cache.get("/a") is None


def test_object_read_before_an_invalidation_is_not_kept(cache):
    generation = cache.generation
    cache.drop(["/a"])
    cache.put("/a", representation(), ttl=60, generation=generation)
    assert cache.get("/a") is None


def test_cache_of_size_zero_keeps_nothing():
    cache = EdgeCache(max_bytes=0)
    put(cache, "/a")
    assert cache.get("/a") is None


@pytest.mark.parametrize(
    ("header", "seconds"),
    [
        ("public, max-age=5", 5),
        ("public, max-age=0, must-revalidate, s-maxage=31536000", 31_536_000),
        ("S-MaxAge=0, max-age=60", 0),
        ('max-age="7"', 7),
        ("public", 0),
        ("", 0),
        ("no-store, max-age=5", 0),
        ("max-age=5, private", 0),
        ("no-cache, s-maxage=5", 0),
        ("max-age=-1", 0),
        ("max-age=soon", 0),
    ],
)
def test_time_to_live(header, seconds):
    assert time_to_live(header) == seconds
