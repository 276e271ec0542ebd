"""Pushes and the removal of shared assets see each other; so do a release's use and its removal."""

import time
from datetime import timedelta
from socket import gethostname

import pytest
from django.utils import timezone

from deployments.deploy.targets import push_target
from deployments.errors import ChangedMeanwhile, Refused
from deployments.locks import asset_sweep, lease
from deployments.locks.asset_sweep import enter_push, renew, sweep_lock
from deployments.models import AssetSweep, Deployment, Release


def remove(release):
    Release.objects.filter(pk=release.pk).update(removed_at=timezone.now())


def test_push_waits_until_the_removal_is_over(operator, monkeypatch):
    with sweep_lock(holder="otto") as sweep:
        monkeypatch.setattr(time, "sleep", lambda seconds: lease.release(sweep))
        assert operator.release("A").completed_at
    assert not AssetSweep.objects.exists()


def test_push_gives_up_waiting_and_can_be_run_again(operator, monkeypatch):
    monkeypatch.setattr(asset_sweep, "PATIENCE_SECONDS", 0)
    with sweep_lock(holder="otto"), pytest.raises(ChangedMeanwhile) as refused:
        operator.release("A")
    assert "otto" in refused.value.message
    assert Release.objects.underway().count() == 1
    assert operator.release("A").completed_at


@pytest.mark.parametrize("end", ["expired", "killed"])
def test_killed_removal_blocks_no_one(operator, end):
    left = {
        "expired": {"pid": 1, "expires_at": timezone.now()},
        "killed": {"pid": 2**22 + 1, "expires_at": timezone.now() + timedelta(minutes=5)},
    }[end]
    AssetSweep.objects.create(holder="otto", host=gethostname(), **left)
    assert operator.release("A").completed_at
    with sweep_lock(holder="olga"):
        pass


def test_one_removal_at_a_time(db):
    with sweep_lock(holder="otto"), pytest.raises(ChangedMeanwhile), sweep_lock(holder="olga"):
        pass


def test_removal_that_was_taken_over_from_stops(db):
    with sweep_lock(holder="otto") as sweep:
        renew(sweep)
        AssetSweep.objects.all().delete()
        with pytest.raises(ChangedMeanwhile):
            renew(sweep)


def test_push_of_a_marked_release_removes_the_mark(operator):
    release = operator.release("A")
    Release.objects.update(marked_at=timezone.now())
    operator.release("A")
    release.refresh_from_db()
    assert release.marked_at is None


def test_resumed_push_counts_as_begun_now(operator):
    release = operator.release("A")
    long_ago = timezone.now() - timedelta(days=9)
    Release.objects.update(completed_at=None, created_at=long_ago)
    enter_push(release)
    assert Release.objects.underway().get() == release


def test_content_of_a_removed_release_is_a_new_release(operator, time_machine):
    release = operator.release("A")
    remove(release)
    time_machine.move_to(timezone.now() + timedelta(hours=2))
    again = operator.release("A")
    assert again.name != release.name
    assert again.digest == release.digest
    assert operator.push("A") == again


def test_removed_between_planning_and_pushing(operator):
    release = operator.release("A")
    remove(release)
    with pytest.raises(ChangedMeanwhile) as refused:
        enter_push(release)
    assert "same push again" in refused.value.hint


def test_deployment_of_a_removed_release_is_refused(operator, staging):
    release = operator.release("A")
    target = push_target(environment=staging, release=release, actor="olga")
    remove(release)  # after it was looked up
    with pytest.raises(Refused) as refused:
        operator.deploy(target)
    assert refused.value.code == "release-removed"
    assert not Deployment.objects.exists()
    with pytest.raises(Refused) as refused:
        Release.objects.named(release.name)
    assert refused.value.code == "release-removed"


def test_deployment_removes_the_mark(operator):
    release = operator.release("A")
    Release.objects.update(marked_at=timezone.now())
    operator.push("A")
    release.refresh_from_db()
    assert release.marked_at is None
