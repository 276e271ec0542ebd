"""Probing: an edge that answers wrongly is one thing, an edge that does not answer another."""

import pytest

from deployments.errors import PartlyChanged, Refused
from deployments.models import Deployment, Outcome
from edge.errors import BackendUnavailable
from edge.protocols import ViewerResponse

NOTHING = ViewerResponse(404, {}, b"")


class Viewer:
    """A viewer who gets an answer for some paths only; previews are answered as ever."""

    def __init__(self, real, answers):
        self.real, self.answers = real, answers

    def fetch(self, host, path, **preview):
        if preview.get("cookie"):
            return self.real.fetch(host, path, **preview)
        if path not in self.answers:
            raise BackendUnavailable("no answer.")
        return self.answers[path] or self.real.fetch(host, path)


@pytest.mark.parametrize(
    ("answers", "error", "told"),
    [
        ({}, PartlyChanged, "Run: manage.py promote --release"),
        ({"/": None}, PartlyChanged, "/book/ did not answer: no answer"),
        ({"/": NOTHING}, Refused, "/ answered 404, expected 200"),
    ],
    ids=["silence", "half silence", "wrong answer"],
)
def test_what_was_live_is_put_back(operator, backend, replaced, answers, error, told):
    first = operator.push("A")
    operator.promote()
    operator.push("B")
    operator.backend = replaced(viewer=Viewer(backend.viewer, answers))
    with pytest.raises(error) as failed:
        operator.promote()
    assert told in str(failed.value)
    assert ".." not in str(failed.value)
    assert f"production serves {first} as before" in failed.value.message
    operator.backend = backend
    assert operator.served() == first.name
    assert Deployment.objects.last().outcome.result == Outcome.Result.RESTORED
