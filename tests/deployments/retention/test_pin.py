"""Pins: in the row, which retention reads, and in the audit object."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from deployments.errors import PartlyChanged
from deployments.models import Release
from deployments.retention.pin import set_pinned
from edge.errors import BackendUnavailable
from tests.deployments.doubles import FaultPoint


def run(*arguments):
    out = StringIO()
    call_command(*arguments, stdout=out)
    return out.getvalue()


def pinned_in_store(backend, release):
    return json.loads(backend.objects.get(f"audit/releases/{release}.json").body)["pinned"]


def test_pinned_until_it_is_unpinned(operator, backend):
    release = operator.release("A")
    Release.objects.update(marked_at=timezone.now())
    assert json.loads(run("pin", release.name, "--json")) == {
        "release": release.name,
        "pinned": True,
        "before": False,
    }
    release.refresh_from_db()
    assert (release.pinned, release.marked_at) == (True, None)
    assert pinned_in_store(backend, release)
    assert "already pinned" in run("pin", release.name)
    run("unpin", release.name)
    release.refresh_from_db()
    assert (release.pinned, pinned_in_store(backend, release)) == (False, False)
    assert "is not pinned" in run("unpin", release.name)


@pytest.mark.parametrize("command", ["pin", "unpin"])
def test_dry_run_changes_nothing(operator, command):
    release = operator.release("A")
    run(command, release.name, "--dry-run")
    release.refresh_from_db()
    assert not release.pinned


def test_store_that_fails_leaves_it_pinned_and_shows_the_command(operator, backend):
    release = operator.release("A")
    objects = FaultPoint(1, BackendUnavailable("503")).before(backend.objects)
    with pytest.raises(PartlyChanged) as failed:
        set_pinned(objects=objects, release=release, pinned=True)
    assert f"manage.py pin {release}" in failed.value.hint
    assert Release.objects.get().pinned


def test_removed_release_cannot_be_pinned(operator):
    release = operator.release("A")
    Release.objects.update(removed_at=timezone.now())
    with pytest.raises(CommandError, match="removed") as refused:
        run("pin", release.name)
    assert refused.value.returncode == 1
