"""The command `preview`."""

import json
from datetime import UTC, datetime
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from deployments.models import Deployment, Release
from edge.backends import get_backend
from tests.deployments.sites import Operator

pytestmark = pytest.mark.django_db
NOW = datetime(2026, 11, 20, 12, 0, tzinfo=UTC)


@pytest.fixture
def release(settings, tmp_path):
    """Push a release that is live only in staging."""
    settings.EDGE_PROBE_SECONDS = 0
    operator = Operator(get_backend(), tmp_path)
    operator.push("A")
    operator.promote()
    return operator.push("B").name


def preview(*arguments, **options):
    out = StringIO()
    call_command("preview", *arguments, stdout=out, **options)
    return out.getvalue()


def refused(*arguments):
    with pytest.raises(CommandError) as failed:
        preview(*arguments)
    return failed.value.returncode, str(failed.value)


def test_prints_the_link_and_when_it_expires(release, database_clock):
    database_clock.stop(NOW)
    link, summary = preview(release).splitlines()
    assert link.startswith(
        f"http://localhost:8000/?release={release}.{int(NOW.timestamp()) + 86400}."
    )
    assert summary.startswith(
        f"Shows {release} in production to anyone who has the link, until 2026-"
    )


def test_json_is_as_documented(release, database_clock):
    database_clock.stop(NOW)
    text = preview(release, "--expires=12h", "--environment=staging", "--path=/book/", json=True)
    answer = json.loads(text)
    assert answer.pop("url").startswith("http://staging.localhost:8000/book/?release=")
    assert answer == {
        "release": release,
        "environment": "staging",
        "expires": "2026-11-21T00:00:00+00:00",
    }


def test_changes_nothing(release):
    store = get_backend().keyvalues
    before = (store.etag(), Deployment.objects.count())
    preview(release)
    assert (store.etag(), Deployment.objects.count()) == before


@pytest.mark.parametrize("text", ["1", "1w", "0d", "-1d", "1.5h", "d", "", "1 d", "999999d"])
def test_invalid_duration_is_a_usage_error(text, release):
    code, message = refused(release, f"--expires={text}")
    assert code != 0
    assert "use 30m, 12h or 7d" in message


def test_link_expires_after_30_days_at_most(release):
    assert preview(release, "--expires=30d")
    code, message = refused(release, "--expires=31d")
    assert (code, "at most 30 days" in message) == (1, True)


def test_unknown_and_removed_releases_are_refused(release):
    assert refused("20200101-000000-00000000")[0] == 1
    Release.objects.filter(name=release).update(removed_at=timezone.now())
    assert refused(release)[0] == 1


def test_unknown_environment_is_refused(release):
    assert refused(release, "--environment=moon")[0] == 1
