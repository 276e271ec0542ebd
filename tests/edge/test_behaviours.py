"""The origin that answers a path."""

import pytest

from edge.behaviours import BEHAVIOURS, PRIVATE_HEADERS, PUBLIC_HEADERS, Origin, behaviour_for


@pytest.mark.parametrize(
    "path",
    ["/api/jobs", "/admin/", "/crew/x", "/static/a.css", "/media/a.jpg", "/book/request/", "/t/x/",
     "/healthz"],
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
