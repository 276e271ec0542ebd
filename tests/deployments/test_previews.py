"""Preview tickets, from signing to the page a viewer gets."""

from datetime import timedelta

import pytest
from django.utils import timezone

from deployments import previews
from deployments.errors import Refused

HOUR = timedelta(hours=1)


@pytest.fixture
def releases(operator):
    """Two releases, both pushed; production serves the first."""
    first = operator.push("A")
    operator.promote()
    return first, operator.push("B")


@pytest.fixture
def seen(backend):
    """Name the release that a viewer of production with a cookie sees."""

    def see(cookie, host="localhost"):
        answer = backend.viewer.fetch(host, "/", cookie=cookie)
        return answer.headers["x-amz-meta-release"]

    return see


def test_ticket_shows_the_release_and_nobody_else(releases, backend, production, seen):
    live, other = releases
    ticket = previews.ticket(backend.keyvalues, production, other, lifetime=HOUR)
    assert seen(previews.cookie(ticket)) == other.name
    assert seen("") == live.name


def test_ticket_is_refused_where_nothing_was_deployed(operator, backend, production):
    release = operator.release()
    with pytest.raises(Refused) as caught:
        previews.ticket(backend.keyvalues, production, release, lifetime=HOUR)
    assert caught.value.code == "no-preview-secret"


def test_expired_ticket_is_ignored(releases, backend, production, seen):
    live, other = releases
    earlier = timezone.now() - 2 * HOUR
    ticket = previews.ticket(backend.keyvalues, production, other, lifetime=HOUR, now=earlier)
    assert seen(previews.cookie(ticket)) == live.name


def test_ticket_of_another_environment_is_ignored(releases, backend, staging, seen):
    live, other = releases
    ticket = previews.ticket(backend.keyvalues, staging, other, lifetime=HOUR)
    assert seen(previews.cookie(ticket)) == live.name
