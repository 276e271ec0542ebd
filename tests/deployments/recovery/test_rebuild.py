"""Rebuilding: the database is lost, and the bucket alone brings the history back."""

import json
from datetime import timedelta
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from deployments import audit
from deployments.deploy.targets import function_target, promote_target
from deployments.errors import DeploymentError, Refused
from deployments.models import (
    Deployment,
    Environment,
    Freeze,
    Release,
)
from deployments.recovery.rebuild import plan_rebuilding, restore
from deployments.retention import pin
from deployments.retention.plan import plan_prune
from deployments.verification.reports import status_rows
from deployments.verification.verify import verify
from edge.errors import BackendUnavailable
from tests.deployments.doubles import Counting, FaultPoint, Killed
from tests.deployments.losing import lose_history, rows


def rebuild(backend):
    restore(plan_rebuilding(backend.objects))


class FailingUpdate:
    """A key-value store of which one update arrives and its answer is lost."""

    def __init__(self, real, fault):
        self.real, self.update = real, fault.before(real).update

    def __getattr__(self, name):
        return getattr(self.real, name)


@pytest.fixture
def past(operator, production, backend, replaced, monkeypatch):
    """Live through promotions, a failure, another function, a canary and rollbacks."""
    production.hosts = ["localhost", "127.0.0.1", "www.example.com"]
    production.save()
    production.distributions.create(remote_id="E1", domain="d1.example.com", paths=["/*"])
    first = operator.push("A")
    operator.promote()
    source = production.live.function.source + "// newer\n"
    monkeypatch.setattr("deployments.routing.functions.function_source", lambda: source)
    operator.deploy(function_target(environment=production, actor="otto", reason="faster"))
    second = operator.push("B", extra=2)
    update_fails = FaultPoint(1, BackendUnavailable("503"), after=True)
    operator.backend = replaced(keyvalues=FailingUpdate(backend.keyvalues, update_fails))
    with pytest.raises(DeploymentError):
        operator.promote()
    operator.backend = backend
    operator.promote()
    operator.canary(5, operator.push("C"))
    operator.rollback()
    operator.rollback()
    return first, second


def test_history_comes_back_as_it_was(past, backend):
    before = rows()
    assert {"succeeded", "restored"} <= {row["outcome__result"] for row in before[0]}
    lose_history()
    assert rows() != before
    rebuild(backend)
    assert rows() == before


def test_edge_and_history_agree_afterwards(past, backend):
    lose_history()
    rebuild(backend)
    for environment in Environment.objects.all():
        assert verify(backend, environment)["drift"] == []
    assert [row["drift"] for row in status_rows(backend)] == [[], []]


def test_rollback_leads_to_what_was_live_before(operator, backend):
    first = operator.push("A")
    operator.promote()
    operator.push("B")
    operator.promote()
    lose_history()
    rebuild(backend)
    operator.rollback()
    assert operator.served() == first.name


def test_numbers_go_on_after_the_restored_ones(past, operator, backend):
    last = Deployment.objects.latest("pk").pk
    lose_history()
    rebuild(backend)
    operator.push("D")
    assert Deployment.objects.latest("pk").pk > last


def test_content_that_was_pushed_is_recognised(past, operator, backend):
    lose_history()
    rebuild(backend)
    assert operator.release("A").name == past[0].name


def test_what_a_rollback_left_is_frozen_again(past, operator, backend, production):
    left, at = production.live.replaced, production.live.at
    lose_history()
    rebuild(backend)
    (freeze,) = Freeze.objects.in_force().filter(environment__name="production")
    assert (freeze.release.name, freeze.at) == (left.name, at)


def test_rebuilding_only_reads_the_store(past, backend):
    lose_history()
    objects = Counting(backend.objects)
    restore(plan_rebuilding(objects))
    assert set(objects.calls) == {"list", "get", "head"}


def test_lost_edge_is_mended_by_what_verify_names(past, operator, backend):
    etag = backend.keyvalues.etag()
    backend.keyvalues.update(puts={}, deletes=list(backend.keyvalues.items()), if_match=etag)
    lose_history()
    rebuild(backend)
    for environment in Environment.objects.all():
        for command in {one["command"] for one in verify(backend, environment)["drift"]}:
            _, name, *arguments = command.split()
            call_command(name, *arguments, stdout=StringIO())
        assert verify(backend, environment)["drift"] == []
    assert operator.served() == past[0].name


def test_release_whose_manifest_is_gone_comes_back_as_removed(past, operator, backend):
    other = operator.release("X")
    backend.objects.delete([other.key("manifest.json")])
    lose_history()
    rebuild(backend)
    found = Release.objects.get(name=other.name)
    assert found.removed_at
    assert found not in Release.objects.complete()
    assert Release.objects.complete().count() == 3


def test_pins_and_removals_come_back(operator, backend):
    kept, gone = operator.release("A"), operator.release("B")
    pin.pin(objects=backend.objects, release=kept)
    gone.removed_at = timezone.now()
    audit.write_release(backend.objects, gone)
    lose_history()
    rebuild(backend)
    assert Release.objects.get(name=kept.name).pinned
    assert Release.objects.get(name=gone.name).removed_at == gone.removed_at


def test_interrupted_push_can_be_pushed_again(operator, backend, replaced):
    class NoManifest:
        def put(self, key, *args, **kwargs):
            if key.endswith("manifest.json"):
                raise Killed
            return backend.objects.put(key, *args, **kwargs)

        def __getattr__(self, name):
            return getattr(backend.objects, name)

    operator.backend = replaced(objects=NoManifest())
    with pytest.raises(Killed):
        operator.release("A")
    operator.backend = backend
    lose_history()
    rebuild(backend)
    assert not Release.objects.present().exists()
    Release.objects.update(name="20200101-000000-00000000")
    assert operator.push("A").completed_at


def test_environments_somebody_has_set_up_stay(past, backend):
    lose_history()
    Environment.objects.filter(name="production").update(hosts=["new.example.com"])
    rebuild(backend)
    assert Environment.objects.get(name="production").hosts == ["new.example.com"]


def test_environment_of_ones_own_comes_back(past, operator, backend):
    preview = Environment.objects.create(name="preview", hosts=["preview.example.com"])
    release = operator.release("A")
    operator.deploy(
        promote_target(source=preview, to=preview, release=release, actor="olga", reason="")
    )
    lose_history()
    rebuild(backend)
    found = Environment.objects.get(name="preview")
    assert (found.hosts, found.live.release.name) == (["preview.example.com"], release.name)


def test_histories_that_overlap_are_numbered_anew(past, operator, backend):
    numbers = Deployment.objects.count()
    taken = Deployment.objects.order_by("pk").first().pk  # no 1 where a sequence goes on
    lose_history()  # and nobody rebuilds
    operator.push("D")
    again = Deployment.objects.get()
    key = audit.deployment_key(again)
    told = json.loads(backend.objects.get(key).body) | {"deployment": taken}
    backend.objects.put(
        key, json.dumps(told).encode(), content_type="application/json", cache_control="no-store"
    )
    live = Release.objects.get().name
    lose_history()
    plan = plan_rebuilding(backend.objects)
    assert plan.is_renumbered
    restore(plan)
    assert list(Deployment.objects.values_list("pk", flat=True)) == list(range(1, numbers + 2))
    assert Environment.objects.get(name="staging").live.release.name == live


def rewrite(backend, deployment, /, **fields):
    """Let a deployment's audit object tell something else."""
    key = audit.deployment_key(deployment)
    told = json.loads(backend.objects.get(key).body) | fields
    body = json.dumps(told).encode()
    backend.objects.put(key, body, content_type="application/json", cache_control="no-store")


def test_clock_that_was_behind_does_not_change_the_order(operator, backend, production):
    """A colleague rolled back two minutes after a promotion; her clock was five minutes behind."""
    first = operator.push("A")
    operator.promote()
    operator.push("B")
    operator.promote()
    operator.rollback()
    last = production.live
    rewrite(backend, last, at=(last.at - timedelta(minutes=5)).isoformat())
    lose_history()
    plan = plan_rebuilding(backend.objects)
    assert not plan.is_renumbered
    restore(plan)
    live = Environment.objects.get(name="production").live
    assert (live.pk, live.release.name) == (last.pk, first.name)


def test_other_history_is_known_by_its_time_where_no_number_comes_twice(past, operator, backend):
    count, days = Deployment.objects.count(), timedelta(days=9)
    newest = Deployment.objects.latest("pk")
    rewrite(backend, newest, deployment=0, at=(newest.at + days).isoformat())
    lose_history()
    plan = plan_rebuilding(backend.objects)
    assert plan.is_renumbered
    assert plan.numbers == list(range(1, count + 1))
    assert plan.deployments[-1].number == 0


# What cannot be used


def test_database_with_a_history_is_refused(past, backend):
    with pytest.raises(Refused) as refused:
        plan_rebuilding(backend.objects)
    assert refused.value.code == "history-not-empty"
    assert "DATABASE_URL" in refused.value.hint


def test_empty_store_is_refused(backend):
    with pytest.raises(Refused) as refused:
        plan_rebuilding(backend.objects)
    assert refused.value.code == "nothing-to-restore"


def run(*arguments):
    out = StringIO()
    call_command("rebuild_history", *arguments, stdout=out)
    return out.getvalue()


def first_key(backend, prefix):
    return next(iter(backend.objects.list(prefix))).key


DAMAGES = {
    "no-json": ("audit/2", b"{"),
    "no-object": ("audit/2", b"[]"),
    "other-version": ("audit/2", b'{"v": 2}'),
    "lacks-all": ("audit/2", b'{"v": 1}'),
    "release": ("audit/releases/", b'{"v": 1, "release": "other"}'),
    "function": ("audit/functions/", b"function other() {}"),
    "function-bytes": ("audit/functions/", b"\xff"),
}


@pytest.mark.parametrize("damage", DAMAGES)
def test_damage_is_named_and_left_out_only_when_asked_for(past, backend, damage):
    deployments = Deployment.objects.count()
    prefix, body = DAMAGES[damage]
    key = first_key(backend, prefix)
    backend.objects.put(key, body, content_type="text/plain", cache_control="no-store")
    lose_history()
    with pytest.raises(CommandError) as refused:
        run()
    assert refused.value.returncode == 1
    assert key in str(refused.value)
    assert not Release.objects.exists()
    assert f"Cannot use {key}" in run("--dry-run")
    run("--skip-damaged")
    assert Release.objects.exists()
    lost = deployments - Deployment.objects.count()
    assert lost > 0 if prefix != "audit/releases/" else lost == 0  # its manifest tells enough


def test_release_nobody_deployed_is_read_from_its_manifest_when_its_audit_object_is_damaged(
    past, operator, backend
):
    other = operator.release("X")
    backend.objects.put(
        audit.release_key(other.name), b"{", content_type="text/plain", cache_control="no-store"
    )
    lose_history()
    run("--skip-damaged")
    found = Release.objects.complete().get(name=other.name)
    assert (found.digest, found.pages) == (other.digest, other.pages)
    assert other.name in plan_prune(backend).kept  # nothing is unknown to it


@pytest.mark.parametrize("field", ["at", "kind", "deployment", "identity", "percent"])
def test_fields_of_another_type_are_damage(past, backend, field):
    key = first_key(backend, "audit/2")
    told = json.loads(backend.objects.get(key).body) | {field: "odd"}
    body = json.dumps(told).encode()
    backend.objects.put(key, body, content_type="application/json", cache_control="no-store")
    lose_history()
    assert list(plan_rebuilding(backend.objects).trail.damaged) == [key]


def test_command_says_what_it_restores(past):
    lose_history()
    would = json.loads(run("--dry-run", "--json"))
    assert not Release.objects.exists()
    done = json.loads(run("--json"))
    assert {**would, "seconds": 0} == {**done, "seconds": 0}
    assert (done["releases"], done["removed"], done["functions"]) == (3, 0, 2)
    assert (done["deployments"], done["damaged"]) == (Deployment.objects.count(), [])
