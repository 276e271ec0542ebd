"""Rebuilding the history from the object store alone after the database was lost."""

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
from deployments.recovery.rebuild import plan_rebuild, rebuild_history
from deployments.retention.pin import set_pinned
from deployments.retention.plan import plan_prune
from deployments.routing import functions
from deployments.verification.reports import status_rows
from deployments.verification.verify import verify
from edge.errors import BackendUnavailable
from tests.deployments.doubles import Counting, FaultPoint, Killed, KilledAtManifest
from tests.deployments.losing import lose_history, rows


def rebuild(backend):
    return rebuild_history(backend.objects, say=print)


def rewrite(backend, key, **fields):
    """Change fields of an audit object."""
    document = json.loads(backend.objects.get(key).body) | fields
    body = json.dumps(document).encode()
    backend.objects.put(key, body, content_type="application/json", cache_control="no-store")


class FailingUpdate:
    """A key-value store that receives one update but loses its answer."""

    def __init__(self, real, fault):
        self.real, self.update = real, fault.before(real).update

    def __getattr__(self, name):
        return getattr(self.real, name)


@pytest.fixture
def past(operator, production, backend, replaced, monkeypatch):
    """A history of promotions, a failure, another function, a canary and rollbacks."""
    production.hosts = ["localhost", "127.0.0.1", "www.example.com"]
    production.save()
    production.distributions.create(remote_id="E1", domain="d1.example.com", paths=["/*"])
    first = operator.push("A")
    operator.promote()
    source = production.live.function.source + "// newer\n"
    monkeypatch.setattr(functions, "function_source", lambda: source)
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


def test_rollback_goes_to_the_release_live_before(operator, backend):
    first = operator.push("A")
    operator.promote()
    operator.push("B")
    operator.promote()
    lose_history()
    rebuild(backend)
    operator.rollback()
    assert operator.served() == first.name


def test_new_numbers_follow_the_restored_ones(past, operator, backend):
    last = Deployment.objects.latest("pk").pk
    lose_history()
    rebuild(backend)
    operator.push("D")
    assert Deployment.objects.latest("pk").pk > last


def test_restored_release_is_recognised_by_its_content(past, operator, backend):
    lose_history()
    rebuild(backend)
    assert operator.release("A").name == past[0].name


def test_release_that_a_rollback_left_is_frozen_again(past, operator, backend, production):
    left, at = production.live.replaced, production.live.at
    lose_history()
    rebuild(backend)
    (freeze,) = Freeze.objects.in_force().filter(environment__name="production")
    assert (freeze.release.name, freeze.at) == (left.name, at)


def test_rebuilding_only_reads_the_store(past, backend):
    lose_history()
    objects = Counting(backend.objects)
    rebuild_history(objects, say=print)
    assert set(objects.calls) == {"list", "get", "head"}


def test_lost_edge_is_repaired_by_the_commands_of_verify(past, operator, backend):
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
    set_pinned(objects=backend.objects, release=kept, pinned=True)
    gone.removed_at = timezone.now()
    audit.write_release(backend.objects, gone)
    lose_history()
    rebuild(backend)
    assert Release.objects.get(name=kept.name).pinned
    assert Release.objects.get(name=gone.name).removed_at == gone.removed_at


def test_interrupted_push_can_be_pushed_again(operator, backend, replaced):
    operator.backend = replaced(objects=KilledAtManifest(backend.objects))
    with pytest.raises(Killed):
        operator.release("A")
    operator.backend = backend
    lose_history()
    rebuild(backend)
    assert not Release.objects.present().exists()
    Release.objects.update(name="20200101-000000-00000000")
    assert operator.push("A").completed_at


def test_environment_that_was_set_up_already_stays(past, backend):
    lose_history()
    Environment.objects.filter(name="production").update(hosts=["new.example.com"])
    rebuild(backend)
    assert Environment.objects.get(name="production").hosts == ["new.example.com"]


def test_additional_environment_comes_back(past, operator, backend):
    preview = Environment.objects.create(name="preview", hosts=["preview.example.com"])
    release = operator.release("A")
    operator.deploy(
        promote_target(source=preview, to=preview, release=release, actor="olga", reason="")
    )
    lose_history()
    rebuild(backend)
    found = Environment.objects.get(name="preview")
    assert (found.hosts, found.live.release.name) == (["preview.example.com"], release.name)


def test_overlapping_histories_are_renumbered(past, operator, backend):
    numbers = Deployment.objects.count()
    taken = Deployment.objects.order_by("pk").first().pk  # not 1 if the sequence continues
    lose_history()  # and not rebuilt
    operator.push("D")
    again = Deployment.objects.get()
    rewrite(backend, audit.deployment_key(again), deployment=taken)
    live = Release.objects.get().name
    lose_history()
    assert rebuild(backend).is_renumbered
    assert list(Deployment.objects.values_list("pk", flat=True)) == list(range(1, numbers + 2))
    assert Environment.objects.get(name="staging").live.release.name == live


def test_clock_that_is_behind_does_not_change_the_order(operator, backend, production):
    """A colleague rolled back two minutes after a promotion; her clock was five minutes behind."""
    first = operator.push("A")
    operator.promote()
    operator.push("B")
    operator.promote()
    operator.rollback()
    last = production.live
    rewrite(backend, audit.deployment_key(last), at=(last.at - timedelta(minutes=5)).isoformat())
    lose_history()
    assert not rebuild(backend).is_renumbered
    live = Environment.objects.get(name="production").live
    assert (live.pk, live.release.name) == (last.pk, first.name)


def test_other_history_is_recognised_by_its_times(past, operator, backend):
    count, days = Deployment.objects.count(), timedelta(days=9)
    newest = Deployment.objects.latest("pk")
    key, at = audit.deployment_key(newest), newest.at + days
    rewrite(backend, key, deployment=0, at=at.isoformat())
    lose_history()
    plan = plan_rebuild(backend.objects)
    assert plan.is_renumbered
    assert list(plan.deployments) == list(range(1, count + 1))
    assert plan.deployments[count].number == 0


# Refusals and damage


def test_database_with_a_history_is_refused(past, backend):
    with pytest.raises(Refused) as refused:
        plan_rebuild(backend.objects)
    assert refused.value.code == "history-not-empty"
    assert "DATABASE_URL" in refused.value.hint


def test_empty_store_is_refused(backend):
    with pytest.raises(Refused) as refused:
        plan_rebuild(backend.objects)
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
def test_damage_is_listed_and_left_out_only_on_request(past, backend, damage):
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
    assert lost > 0 if prefix != "audit/releases/" else lost == 0  # read from its manifest


def test_release_with_a_damaged_audit_object_is_read_from_its_manifest(past, operator, backend):
    other = operator.release("X")
    backend.objects.put(
        audit.release_key(other.name), b"{", content_type="text/plain", cache_control="no-store"
    )
    lose_history()
    run("--skip-damaged")
    found = Release.objects.complete().get(name=other.name)
    assert (found.digest, found.pages) == (other.digest, other.pages)
    assert other.name in plan_prune(backend).kept  # it knows all releases


@pytest.mark.parametrize("field", ["at", "kind", "deployment", "identity", "percent"])
def test_fields_of_another_type_are_damage(past, backend, field):
    key = first_key(backend, "audit/2")
    rewrite(backend, key, **{field: "odd"})
    lose_history()
    assert list(plan_rebuild(backend.objects).trail.damaged) == [key]


def test_dry_run_shows_what_the_command_restores(past):
    lose_history()
    would = json.loads(run("--dry-run", "--json"))
    assert not Release.objects.exists()
    done = json.loads(run("--json"))
    assert {**would, "seconds": 0} == {**done, "seconds": 0}
    assert (done["releases"], done["removed"], done["functions"]) == (3, 0, 2)
    assert (done["deployments"], done["damaged"]) == (Deployment.objects.count(), [])
