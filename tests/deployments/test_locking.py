import os
import subprocess
import sys
from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from deployments.deploying import deploy
from deployments.errors import ChangedMeanwhile
from deployments.locking import LEASE, Patience, deploy_lock
from deployments.models import DeployLock, Environment
from deployments.promotion import promote_target

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
            "expires_at": now + LEASE,
            **fields,
        },
    )


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


def test_second_operator_is_told_who_and_why(production):
    hold(production)
    with pytest.raises(ChangedMeanwhile) as refused, lock(production):
        pass
    assert refused.value.code == "lock-held"
    assert "otto@van" in str(refused.value)
    assert "Promotion of A" in str(refused.value)
    assert DeployLock.objects.get().holder == "otto@van"


def test_takes_over_when_the_lease_has_run_out(production):
    hold(production)
    with time_machine.travel(timezone.now() + LEASE + timedelta(seconds=1)), lock(production):
        assert DeployLock.objects.get().holder == "olga@desk"


def test_takes_over_from_a_process_that_is_gone(production, monkeypatch):
    gone = subprocess.Popen([sys.executable, "-c", ""])
    gone.wait()
    with lock(production) as mine:
        host = mine.host
    hold(production, host=host, pid=gone.pid)
    with lock(production):
        assert DeployLock.objects.get().pid == os.getpid()


def test_takes_over_from_a_process_that_was_killed_and_not_reaped(production):
    with lock(production) as mine:
        host = mine.host
    killed = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    killed.kill()
    os.waitid(os.P_PID, killed.pid, os.WEXITED | os.WNOWAIT)
    hold(production, host=host, pid=killed.pid)
    with lock(production):
        assert DeployLock.objects.get().pid == os.getpid()
    killed.wait()


def test_a_running_process_keeps_its_lock(production):
    with lock(production) as mine:
        host = mine.host
    hold(production, host=host, pid=os.getppid())
    with pytest.raises(ChangedMeanwhile), lock(production):
        pass


def test_waits_until_the_lock_is_free(production, monkeypatch):
    other = hold(production)
    monkeypatch.setattr("deployments.locking.time.sleep", lambda seconds: other.delete())
    said = []
    patience = Patience(wait_seconds=30)
    with deploy_lock(
        environment=production, actor="olga", reason="Promotion", patience=patience, say=said.append
    ) as lock:
        assert lock.holder == "olga"
    assert len(said) == 1
    assert said[0].startswith("Wait up to 30 s: production is locked by ")


def test_whoever_was_taken_over_from_finds_out_before_the_switch(operator, backend, production):
    first = operator.push("A")
    operator.promote()
    operator.push("B")

    def steal(line):
        if line.startswith("Rehearse"):
            DeployLock.objects.all().delete()

    target = promote_target(
        source=Environment.objects.named("staging"), to=production, actor="olga"
    )
    with pytest.raises(ChangedMeanwhile) as lost:
        deploy(backend, target, say=steal)
    assert lost.value.code == "lock-lost"
    assert operator.served() == first.name
