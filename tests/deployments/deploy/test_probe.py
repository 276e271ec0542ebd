"""Probing: an edge that answers wrongly, and one that does not answer."""

import pytest

from deployments.errors import PartlyChanged, Refused
from deployments.models import Deployment, Outcome
from edge.errors import BackendUnavailable
from edge.protocols import ViewerResponse

NOTHING = ViewerResponse(404, {}, b"")


class Viewer:
    """A viewer that gets answers for some paths only, except in previews."""

    def __init__(self, real, answers):
        self.real, self.answers = real, answers

    def fetch(self, host, path, **preview):
        if preview.get("cookie"):
            return self.real.fetch(host, path, **preview)
        if path not in self.answers:
            raise BackendUnavailable("no answer.")
        return self.answers[path] or self.real.fetch(host, path)


@pytest.mark.parametrize(
    ("answers", "error", "message"),
    [
        ({}, PartlyChanged, "Run: manage.py promote --release"),
        ({"/": None}, PartlyChanged, "/book/ did not answer: no answer"),
        ({"/": NOTHING}, Refused, "/ answered 404, expected 200"),
    ],
    ids=["silence", "half silence", "wrong answer"],
)
def test_live_release_is_restored(operator, backend, replaced, answers, error, message):
    first = operator.push("A")
    operator.promote()
    operator.push("B")
    operator.backend = replaced(viewer=Viewer(backend.viewer, answers))
    with pytest.raises(error) as failed:
        operator.promote()
    assert message in str(failed.value)
    assert ".." not in str(failed.value)
    assert f"production serves {first} as before" in failed.value.message
    operator.backend = backend
    assert operator.served() == first.name
    assert Deployment.objects.last().outcome.result == Outcome.Result.RESTORED
