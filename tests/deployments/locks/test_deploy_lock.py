"""The deploy lock: one deployment per environment; stale locks are taken over."""

import os
import re
import subprocess
import sys
import time
from datetime import timedelta
from socket import gethostname

import pytest
import time_machine
from django.utils import timezone

from deployments.deploy.deploy import deploy
from deployments.deploy.targets import promote_target
from deployments.errors import ChangedMeanwhile
from deployments.locks import lease
from deployments.locks.deploy_lock import Patience, deploy_lock, renew
from deployments.models import DeployLock, Deployment, Environment, Outcome
from edge.errors import BackendUnavailable
from edge.protocols import ViewerResponse
from tests.deployments.doubles import Counting

pytestmark = pytest.mark.django_db


def lock(environment, reason="Promotion of B"):
    return deploy_lock(environment=environment, actor="olga@desk", reason=reason)


def hold(environment, **fields):
    now = timezone.now()
    return DeployLock.objects.create(
        environment=environment,
        **{
            "holder": "otto@van",
            "reason": "Promotion of A",
            "host": "elsewhere",
            "pid": 1,
            "acquired_at": now,
            "expires_at": now + DeployLock.LASTS,
            **fields,
        },
    )


def promotion_to(production):
    return promote_target(source=Environment.objects.named("staging"), to=production, actor="olga")


def steal_lock(line):
    """Lose the lock during the rehearsal."""
    if line.startswith("Rehearse"):
        DeployLock.objects.all().delete()


def test_is_held_for_the_block_and_gone_after_it(production):
    with lock(production) as held:
        assert held.holder == "olga@desk"
        assert DeployLock.objects.count() == 1
    assert not DeployLock.objects.exists()


def test_is_released_when_the_work_fails(production):
    with pytest.raises(ZeroDivisionError), lock(production):
        raise ZeroDivisionError
    assert not DeployLock.objects.exists()


def test_environments_do_not_block_each_other(production, staging):
    with lock(production), lock(staging):
        assert DeployLock.objects.count() == 2


def test_second_operator_learns_who_holds_it_and_why(production):
    hold(production)
    with pytest.raises(ChangedMeanwhile) as refused, lock(production):
        pass
    assert refused.value.code == "lock-held"
    assert "otto@van" in str(refused.value)
    assert "Promotion of A" in str(refused.value)
    assert DeployLock.objects.get().holder == "otto@van"


def test_takes_over_when_the_lease_has_run_out(production, database_clock):
    hold(production)
    database_clock.shift(DeployLock.LASTS + timedelta(seconds=1))
    with lock(production):
        assert DeployLock.objects.get().holder == "olga@desk"


@pytest.mark.parametrize("ahead", [timedelta(minutes=10, seconds=1), timedelta(hours=3)])
def test_machine_whose_clock_is_ahead_takes_no_live_lock(production, ahead):
    hold(production)
    with (
        time_machine.travel(timezone.now() + ahead),
        pytest.raises(ChangedMeanwhile) as refused,
        lock(production),
    ):
        pass
    assert refused.value.code == "lock-held"
    assert re.search(r"\b[0-5] s ago", refused.value.message)


@pytest.mark.parametrize("is_renewed", [False, True])
def test_lock_of_a_machine_whose_clock_is_behind_is_live(production, is_renewed):
    with time_machine.travel(timezone.now() - timedelta(hours=3)), lock(production) as held:
        if is_renewed:
            renew(held)
        held.refresh_from_db()
        elsewhere = held.expires_at - timezone.now()
        assert not lease.is_stale(held)
    assert elsewhere > timedelta(hours=3)


def test_lease_that_its_holder_renews_just_now_is_not_taken(production, monkeypatch):
    held = hold(production, expires_at=timezone.now() - timedelta(seconds=1))

    def renewed_after_it_was_read(one):
        lease.renew(held)
        return True

    monkeypatch.setattr(lease, "is_stale", renewed_after_it_was_read)
    with pytest.raises(ChangedMeanwhile), lock(production):
        pass
    assert DeployLock.objects.get() == held


def test_takes_over_from_a_process_that_has_ended(production):
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    hold(production, host=gethostname(), pid=ended.pid)
    with lock(production):
        assert DeployLock.objects.get().pid == os.getpid()


def test_takes_over_from_a_process_that_was_killed_and_not_reaped(production):
    killed = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    killed.kill()
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
    hold(production, host=gethostname(), pid=killed.pid)
    with lock(production):
        assert DeployLock.objects.get().pid == os.getpid()
    killed.wait()


def test_a_running_process_keeps_its_lock(production):
    hold(production, host=gethostname(), pid=os.getppid())
    with pytest.raises(ChangedMeanwhile), lock(production):
        pass


def test_waits_until_the_lock_is_free(production, monkeypatch):
    other = hold(production)
    monkeypatch.setattr(time, "sleep", lambda seconds: other.delete())
    said = []
    patience = Patience(wait_seconds=30)
    with deploy_lock(
        environment=production, actor="olga", reason="Promotion", patience=patience, say=said.append
    ) as lock:
        assert lock.holder == "olga"
    assert len(said) == 1
    assert said[0].startswith("Wait up to 30 s: production is locked by ")


def test_run_that_lost_its_lock_finds_out_before_the_switch(operator, backend, production):
    first = operator.push("A")
    operator.promote()
    operator.push("B")
    with pytest.raises(ChangedMeanwhile) as lost:
        deploy(backend, promotion_to(production), say=steal_lock)
    assert lost.value.code == "lock-lost"
    assert operator.served() == first.name


def test_run_that_lost_its_lock_leaves_no_record(operator, backend, production):
    operator.push("A")
    operator.promote()
    operator.push("B")
    rows = production.deployments.count()
    with pytest.raises(ChangedMeanwhile):
        deploy(backend, promotion_to(production), say=steal_lock)
    assert production.deployments.count() == rows


@pytest.mark.parametrize("probe", ["fails", "is wrong", "is right"])
def test_run_that_lost_its_lock_does_not_undo_the_other_runs_switch(
    operator, backend, replaced, production, probe
):
    """A hung run is given up and its command repeated; then it wakes, and its probe ends."""
    operator.push("A")
    operator.promote()
    second = operator.push("B")

    class Hanging(Counting):
        def fetch(self, *args, cookie="", **kwargs):
            if cookie:
                return backend.viewer.fetch(*args, cookie=cookie, **kwargs)
            if not self.calls["fetch"]:
                self.calls["fetch"] += 1
                patience = Patience(take_over=True)
                deploy(backend, promotion_to(production), say=print, patience=patience)
            if probe == "fails":
                raise BackendUnavailable("No answer.")
            if probe == "is right":
                return backend.viewer.fetch(*args, **kwargs)
            return ViewerResponse(200, {"x-amz-meta-release": "another"}, b"")

    hung = replaced(viewer=Hanging(backend.viewer))
    with pytest.raises(ChangedMeanwhile) as lost:
        deploy(hung, promotion_to(production), say=print)
    assert lost.value.code == "lock-lost"
    assert operator.served() == second.name
    assert production.live.release == second
    assert not production.deployments.unfinished().exists()


class OvertakenAtAudit:
    """An object store in which another run acts just before an audit object is written."""

    def __init__(self, real, act):
        self._real, self._act = real, act

    def put(self, key, *args, **kwargs):
        if re.match(r"audit/\d", key):
            self._act()
        return self._real.put(key, *args, **kwargs)

    def __getattr__(self, name):
        return getattr(self._real, name)


@pytest.mark.parametrize("probe", ["is right", "is wrong"])
def test_deployment_that_another_run_settled_keeps_that_outcome(
    operator, backend, replaced, production, probe
):
    """The other run takes the lock over when this one is about to record how it ended."""
    operator.push("A")
    operator.promote()
    operator.push("B")
    overtaken, third = promotion_to(production), operator.push("C")

    def overtake():
        patience = Patience(take_over=True)
        deploy(backend, promotion_to(production), say=print, patience=patience)

    class Wrong(Counting):
        def fetch(self, *args, cookie="", **kwargs):
            if cookie or probe == "is right":
                return backend.viewer.fetch(*args, cookie=cookie, **kwargs)
            return ViewerResponse(200, {"x-amz-meta-release": "another"}, b"")

    slow = replaced(
        objects=OvertakenAtAudit(backend.objects, overtake), viewer=Wrong(backend.viewer)
    )
    with pytest.raises(ChangedMeanwhile) as lost:
        deploy(slow, overtaken, say=print)
    assert lost.value.code == "settled-meanwhile"
    assert "manage.py status" in lost.value.hint
    assert operator.served() == third.name
    recorded = {one.pk: one.outcome.result for one in Deployment.objects.all()}
    assert {one["deployment"]: one["result"] for one in operator.audits()} == recorded
    expected = Outcome.Result.SUCCEEDED if probe == "is right" else Outcome.Result.ABANDONED
    assert (
        Deployment.objects.get(release=overtaken.release, environment=production).outcome.result
        == expected
    )


@pytest.mark.parametrize("error", [ProcessLookupError, FileNotFoundError])
def test_process_that_ends_while_it_is_checked(production, monkeypatch, error):
    lock = hold(production, host=gethostname(), pid=os.getppid())

    def end(path):
        raise error

    monkeypatch.setattr(lease.Path, "read_text", end)
    assert lease.is_stale(lock) == (error is ProcessLookupError)


def test_long_reason_is_cut_at_its_end(production):
    with lock(production, reason="Promotion of B: " + "x" * 300) as held:
        assert len(held.reason) == 300
