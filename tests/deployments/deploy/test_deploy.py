import pytest

from deployments.errors import ChangedMeanwhile, PartlyChanged, Refused
from deployments.locks.deploy_lock import deploy_lock
from deployments.models import DeployLock, Deployment, Environment, Outcome, Release
from deployments.routing.routes import read_route
from edge.errors import BackendUnavailable
from edge.protocols import ViewerResponse
from tests.deployments.doubles import Counting, FaultPoint


class Astray:
    """A viewer that gets another release, except in previews."""

    def __init__(self, viewer):
        self.viewer = viewer

    def fetch(self, host, path, *, cookie="", **more):
        if cookie:
            return self.viewer.fetch(host, path, cookie=cookie)
        return ViewerResponse(200, {"x-amz-meta-release": "another"}, b"")


def test_push_promote_and_rollback_are_seen_through_the_edge(operator):
    first = operator.push("A")
    operator.promote()
    second = operator.push("B")
    assert operator.served() == first.name
    assert operator.served("staging.localhost") == second.name
    operator.promote()
    assert {operator.served(path=path) for path in ("/", "/book/", "/track/x", "/dashboard/")} == {
        second.name
    }
    operator.rollback(first)
    assert operator.served() == first.name


def test_history_records_who_what_and_how_it_ended(operator):
    first = operator.push("A")
    operator.promote()
    second = operator.push("B")
    operator.promote()
    last = Deployment.objects.last()
    assert (last.release, last.replaced, last.actor) == (second, first, "olga")
    assert last.outcome.result == Outcome.Result.SUCCEEDED


def test_every_deployment_leaves_an_audit_object(operator):
    operator.push("A")
    operator.promote()
    assert [(a["environment"], a["kind"], a["result"]) for a in operator.audits()] == [
        ("staging", "push", "succeeded"),
        ("production", "promote", "succeeded"),
    ]


def test_repeated_promotion_changes_nothing(operator):
    operator.push("A")
    operator.promote()
    rows = Deployment.objects.count()
    assert operator.promote().deployment is None
    assert Deployment.objects.count() == rows


def test_switch_is_one_update_of_all_keys(operator, production, replaced, backend):
    operator.push("A")
    operator.backend = replaced(keyvalues=Counting(backend.keyvalues))
    operator.promote()
    assert operator.backend.keyvalues.calls["update"] == 1
    route = read_route(backend.keyvalues, production)
    assert set(route.values) == {"env:production", "host:localhost", "host:127.0.0.1"}
    assert route.agrees


def test_maintenance_outlives_a_deployment(operator, production, backend):
    operator.push("A")
    operator.promote()
    document = read_route(backend.keyvalues, production).document
    keys = read_route(backend.keyvalues, production).values
    text = document.to_json().replace('"m":0', '"m":1')
    backend.keyvalues.update(puts=dict.fromkeys(keys, text), if_match=backend.keyvalues.etag())
    second = operator.push("B")
    operator.promote()  # probed through a signed preview: viewers meet the maintenance page
    document = read_route(backend.keyvalues, production).document
    assert (document.release, document.maintenance) == (second.name, True)
    assert operator.backend.viewer.fetch("localhost", "/").status == 503


def test_failed_probe_restores_what_was_live(operator, backend, replaced, production):
    first = operator.push("A")
    operator.promote()
    operator.push("B")
    operator.backend = replaced(viewer=Astray(backend.viewer))
    with pytest.raises(Refused) as refused:
        operator.promote()
    assert refused.value.code == "probe-failed"
    operator.backend = backend
    assert operator.served() == first.name
    assert production.live.release == first
    assert Deployment.objects.last().outcome.result == Outcome.Result.RESTORED
    assert not DeployLock.objects.exists()


def test_failed_first_deployment_leaves_no_route(operator, replaced, backend, staging):
    operator.backend = replaced(viewer=Astray(backend.viewer))
    with pytest.raises(Refused):
        operator.push("A")
    assert set(read_route(backend.keyvalues, staging).values.values()) == {None}


def test_lock_held_by_another_changes_nothing(operator, production):
    operator.push("A")
    rows = Deployment.objects.count()
    with (
        deploy_lock(environment=production, actor="otto", reason="Promotion"),
        pytest.raises(ChangedMeanwhile) as refused,
    ):
        operator.promote()
    assert refused.value.code == "lock-held"
    assert Deployment.objects.count() == rows
    assert production.live is None


def test_route_changed_by_another_process_is_not_overwritten(
    operator, backend, production, replaced
):
    operator.push("A")
    operator.promote()
    foreign = '{"e":"production","r":"20200101-000000-00000000","p":"","m":0}'

    class Meddler(Counting):
        """Writes the routing document between our read and our update."""

        def update(self, **kwargs):
            if not self.calls["update"]:
                self.calls["update"] += 1
                keys = read_route(backend.keyvalues, production).values
                backend.keyvalues.update(
                    puts=dict.fromkeys(keys, foreign), if_match=backend.keyvalues.etag()
                )
            return backend.keyvalues.update(**kwargs)

    operator.push("B")
    operator.backend = replaced(keyvalues=Meddler(backend.keyvalues))
    with pytest.raises(ChangedMeanwhile) as refused:
        operator.promote()
    assert refused.value.code == "route-changed"
    assert set(read_route(backend.keyvalues, production).values.values()) == {foreign}


def test_foreign_write_elsewhere_in_the_store_is_not_a_conflict(operator, backend, replaced):
    class Neighbour(Counting):
        """Writes another key between our read and our update."""

        def update(self, **kwargs):
            if not self.calls["update"]:
                self.calls["update"] += 1
                backend.keyvalues.update(puts={"other": "x"}, if_match=backend.keyvalues.etag())
            return backend.keyvalues.update(**kwargs)

    release = operator.push("A")
    operator.backend = replaced(keyvalues=Neighbour(backend.keyvalues))
    operator.promote()
    assert operator.served() == release.name


@pytest.mark.parametrize("path", ["manifest.json", "book/index.html"])
def test_refuses_a_release_with_missing_objects(operator, backend, production, path):
    first = operator.push("A")
    operator.promote()
    second = operator.push("B")
    operator.promote()
    backend.objects.delete([first.key(path)])
    with pytest.raises(Refused) as refused:
        operator.rollback(first)
    assert refused.value.code == "objects-gone"
    assert production.live.release == second
    assert operator.served() == second.name


class OneUpdate(Counting):
    """A key-value store that takes one update and then stops answering."""

    def update(self, **kwargs):
        if self.calls["update"]:
            raise BackendUnavailable("the store does not answer")
        self.calls["update"] += 1
        return self._real.update(**kwargs)


def test_failed_restore_shows_the_command_to_run(operator, backend, replaced):
    first = operator.push("A")
    operator.promote()
    operator.push("B")
    operator.backend = replaced(
        keyvalues=OneUpdate(backend.keyvalues), viewer=Astray(backend.viewer)
    )
    with pytest.raises(PartlyChanged) as failed:
        operator.promote()
    assert failed.value.code == "not-restored"
    assert f"promote --release {first.name} --to production --yes" in failed.value.hint
    operator.backend = backend
    operator.promote(first)
    assert operator.served() == first.name


def test_rollback_that_cannot_be_undone_is_finished(operator, backend, replaced):
    """The release it left is frozen if it took place, so promoting that is not suggested."""
    first = operator.push("A")
    operator.promote()
    operator.push("B")
    operator.promote()
    operator.backend = replaced(
        keyvalues=OneUpdate(backend.keyvalues), viewer=Astray(backend.viewer)
    )
    with pytest.raises(PartlyChanged) as failed:
        operator.rollback()
    assert failed.value.code == "not-restored"
    assert failed.value.hint == f"Run: manage.py rollback {first} --environment production --yes"
    operator.backend = backend
    operator.rollback(first)
    assert operator.served() == first.name


def test_error_page_follows_production(operator, backend):
    def page():
        return backend.objects.get("errors/404.html").body

    operator.push("A")
    assert b"<title>A" in page()
    operator.promote()
    operator.push("B")
    assert b"<title>A" in page()
    assert operator.promote().invalidated == 1
    assert b"<title>B" in page()


@pytest.mark.parametrize("rule", ["public, max-age=3600", "public, max-age=0, s-maxage=31536000"])
def test_error_page_is_not_kept_by_caches(operator, backend, rule):
    """Neither the release's own rule nor one that an earlier version stored reaches viewers."""
    operator.push("A")
    page = backend.objects.get("errors/404.html")
    assert page.info.cache_control == "no-store"
    backend.objects.put(
        "errors/404.html",
        page.body,
        content_type=page.info.content_type,
        cache_control=rule,
        metadata=page.info.metadata,
    )
    assert operator.promote().invalidated == 1
    assert backend.objects.get("errors/404.html").info == page.info


def test_fault_points_are_counted():
    fault = FaultPoint(2, KeyError())
    mapping = fault.before({"a": 1})
    mapping.get("a")
    with pytest.raises(KeyError):
        mapping.get("a")
    assert fault.was_reached


def test_releases_of_the_same_content_are_one(operator):
    assert operator.push("A") == operator.push("A")
    assert Release.objects.count() == 1


def test_keys_of_removed_hosts_are_removed(operator, production, backend):
    production.hosts = ["localhost", "127.0.0.1", "old.example.com"]
    production.save()
    first = operator.push("A")
    operator.promote()
    assert operator.served("old.example.com") == first.name
    production.hosts = ["localhost", "127.0.0.1"]
    production.save()
    assert read_route(backend.keyvalues, production).stale == {"host:old.example.com"}
    operator.promote()
    assert backend.keyvalues.get("host:old.example.com") is None
    assert backend.keyvalues.get("host:staging.localhost") is not None


def test_failure_after_the_probe_is_settled_by_the_next_run(operator, backend, replaced):
    class NoAudit(Counting):
        def put(self, key, *args, **kwargs):
            if key.startswith("audit/"):
                raise BackendUnavailable("503 SlowDown")
            return backend.objects.put(key, *args, **kwargs)

    release = operator.push("A")
    operator.backend = replaced(objects=NoAudit(backend.objects))
    with pytest.raises(PartlyChanged) as failed:
        operator.promote()
    assert failed.value.code == "not-recorded"
    operator.backend = backend
    assert operator.served() == release.name
    assert operator.promote().deployment is None
    assert Deployment.objects.last().outcome.result == Outcome.Result.SUCCEEDED


@pytest.mark.parametrize(
    "hosts",
    [["localhost", "h" * 512], ["localhost", *(f"h{number}" for number in range(50))]],
    ids=["long", "many"],
)
def test_update_beyond_the_stores_limits_is_refused(operator, production, hosts):
    operator.push("A")
    production.hosts = hosts
    production.save()
    rows = Deployment.objects.count()
    with pytest.raises(Refused) as refused:
        operator.promote()
    assert refused.value.code == "limit-exceeded"
    assert "host" in refused.value.hint
    assert Deployment.objects.count() == rows


@pytest.mark.parametrize(("name", "act"), [("staging", "push"), ("production", "rollback")])
def test_environment_without_hosts_is_refused(operator, name, act):
    for mark in "AB":
        operator.push(mark)
        operator.promote()
    environment = Environment.objects.named(name)
    Environment.objects.filter(pk=environment.pk).update(hosts=[])
    before = Deployment.objects.count(), read_route(operator.backend.keyvalues, environment)
    with pytest.raises(Refused) as refused:
        getattr(operator, act)()
    assert refused.value.code == "no-host"
    assert before == (
        Deployment.objects.count(),
        read_route(operator.backend.keyvalues, environment),
    )
    assert not DeployLock.objects.exists()
