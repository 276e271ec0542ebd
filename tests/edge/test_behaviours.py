"""The origin that answers a path."""

import pytest

from edge.behaviours import BEHAVIOURS, PRIVATE_HEADERS, PUBLIC_HEADERS, Origin, behaviour_for


@pytest.mark.parametrize(
    "path",
    ["/api/jobs", "/api/v1/windows", "/admin/", "/crew/x", "/static/a.css", "/media/a.jpg",
     "/book/request/", "/t/x/", "/healthz", "/readyz", "/book/request/area/"],
)  # fmt: skip
def test_application_paths(path):
    assert behaviour_for(path).origin is Origin.APPLICATION


@pytest.mark.parametrize(
    "path",
    ["/", "/book/", "/book/request", "/admin", "/healthz/", "/healthz2", "/API/x", "/%61pi/x",
     "/dashboard/", "/assets/a.css", "//admin/", "", "/x\n/api/"],
)  # fmt: skip
def test_storage_paths(path):
    behaviour = behaviour_for(path)
    assert (behaviour.origin, behaviour.headers) == (Origin.STORAGE, PUBLIC_HEADERS)


@pytest.mark.parametrize("path", ["/track/x", "/track-staging/x", "/track.html", "/track"])
def test_tracking_paths_are_private(path):
    behaviour = behaviour_for(path)
    assert (behaviour.origin, behaviour.headers) == (Origin.STORAGE, PRIVATE_HEADERS)


def test_every_storage_behaviour_has_a_policy():
    for behaviour in BEHAVIOURS:
        names = [name for name, _ in behaviour.headers]
        if behaviour.origin is Origin.STORAGE:
            assert {"content-security-policy", "x-content-type-options"} <= set(names)
        else:
            assert names == [], "Django sends its own"


def test_only_prices_and_windows_are_kept_of_the_application():
    kept = [item.pattern for item in BEHAVIOURS if item.cached_by]
    assert kept == ["/api/v1/windows"]
    assert behaviour_for("/api/v1/windows").cached_by == ("zip", "service", "load", "days", "lang")
