"""The deploy lock: one deployment per environment; stale locks are taken over."""

import os
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
from deployments.locks.deploy_lock import Patience, deploy_lock
from deployments.models import DeployLock, Environment
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


def test_takes_over_when_the_lease_has_run_out(production):
    hold(production)
    with (
        time_machine.travel(timezone.now() + DeployLock.LASTS + timedelta(seconds=1)),
        lock(production),
    ):
        assert DeployLock.objects.get().holder == "olga@desk"


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


@pytest.mark.parametrize("goes_wrong", [True, False])
def test_run_that_lost_its_lock_does_not_undo_the_other_runs_switch(
    operator, backend, replaced, production, goes_wrong
):
    """A hung run is given up and its command repeated; then it wakes, and its probe fails."""
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
            if goes_wrong:
                raise BackendUnavailable("No answer.")
            return ViewerResponse(200, {"x-amz-meta-release": "another"}, b"")

    hung = replaced(viewer=Hanging(backend.viewer))
    with pytest.raises(ChangedMeanwhile) as lost:
        deploy(hung, promotion_to(production), say=print)
    assert lost.value.code == "lock-lost"
    assert operator.served() == second.name
    assert production.live.release == second
    assert not production.deployments.unfinished().exists()


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
