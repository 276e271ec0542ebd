"""Verifying: every drift is reported, and its command repairs it."""

import json
from io import StringIO

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from deployments.models import DeployLock, Environment, Outcome, Strategy
from deployments.verification.reports import status_rows
from deployments.verification.verify import verify
from edge.backends.local.rows import RowKeyValueStore
from edge.errors import BackendUnavailable
from edge.functions.shipped import function_name
from tests.deployments.doubles import FaultPoint, Killed

PAGE = {"content_type": "text/html; charset=utf-8", "cache_control": "public"}


@pytest.fixture(params=Strategy.values)
def deployed(request, operator, production):
    """A, then B, live in production, by either strategy."""
    production.strategy = request.param
    production.save()
    first = operator.push("A", extra=3)
    operator.promote()
    second = operator.push("B", extra=3)
    operator.promote()
    return first, second


def codes(backend, environment):
    return {drift["code"] for drift in verify(backend, environment)["drift"]}


def run_repairs(backend, environment):
    """Run the command of each drift, once each."""
    for command in {drift["command"] for drift in verify(backend, environment)["drift"]}:
        _, name, *arguments = command.split()
        call_command(name, *arguments, stdout=StringIO())


def test_nothing_is_wrong_after_a_deployment(deployed, backend, production, staging):
    assert verify(backend, production)["drift"] == []
    assert verify(backend, staging)["drift"] == []


def test_report_names_live_and_previous_release(deployed, backend, production):
    row = verify(backend, production)
    assert (row["release"], row["previous"]) == (deployed[1].name, deployed[0].name)


def test_nothing_is_wrong_after_a_rollback(deployed, operator, backend, production):
    operator.rollback()
    assert verify(backend, production)["drift"] == []


def point_elsewhere(backend, key, release):
    values = {key: f'{{"e":"production","r":"{release}","p":"","m":0}}'}
    backend.keyvalues.update(puts=values, if_match=backend.keyvalues.etag())


def forget(backend, key, release):
    backend.keyvalues.update(puts={}, deletes=[key], if_match=backend.keyvalues.etag())


def leave_a_host(backend, key, release):
    point_elsewhere(backend, "host:old.example.com", release)


def publish_another(backend, key, release):
    name = function_name("production")
    etag = backend.functions.stage(name, backend.functions.live(name).source + "// other\n")
    backend.functions.publish(name, if_match=etag)


def lose_error_page(backend, key, release):
    backend.objects.delete(["errors/404.html"])


def change_error_page(backend, key, release):
    backend.objects.put("errors/404.html", b"other", metadata={"sha256": "other"}, **PAGE)


def change_error_pages_headers(backend, key, release):
    page = backend.objects.get("errors/404.html")
    backend.objects.put("errors/404.html", page.body, metadata=page.info.metadata, **PAGE)


@pytest.mark.parametrize("deployed", ["pointer"], indirect=True)
@pytest.mark.parametrize(
    ("damage", "code"),
    [
        (point_elsewhere, "route"),
        (forget, "route"),
        (leave_a_host, "route"),
        (publish_another, "function"),
        (lose_error_page, "error-page"),
        (change_error_page, "error-page"),
        (change_error_pages_headers, "error-page"),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
@pytest.mark.parametrize("key", ["host:127.0.0.1", "env:production"])
def test_damage_is_reported_and_repaired(deployed, backend, production, damage, code, key):
    damage(backend, key, deployed[0])
    assert code in codes(backend, production)
    run_repairs(backend, production)
    assert verify(backend, production)["drift"] == []


@pytest.mark.parametrize("key", ["host:127.0.0.1", "env:production"])
@pytest.mark.parametrize("deployed", ["pointer"], indirect=True)
def test_status_names_the_key_that_differs(deployed, backend, key):
    forget(backend, key, deployed[0])
    out = StringIO()
    call_command("status", json=True, stdout=out)
    (drift,) = [text for row in json.loads(out.getvalue()) for text in row["drift"] if key in text]
    assert drift.startswith(f"{key} names nothing, history says {deployed[1]}; run: ")


@pytest.mark.parametrize("deployed", ["pointer"], indirect=True)
def test_hosts_of_this_machine_are_not_requested_from_distributions(
    deployed, backend, production, replaced
):
    class Recording:
        hosts = set()

        def fetch(self, host, path, **more):
            self.hosts.add(host)
            return backend.viewer.fetch(production.hosts[-1], path, **more)

    production.hosts = ["d1.cloudfront.net", *production.hosts]
    verify(replaced(origins=None, viewer=Recording()), production)
    assert Recording.hosts == {"d1.cloudfront.net"}


@pytest.mark.parametrize("deployed", ["copy"], indirect=True)
@pytest.mark.parametrize("damage", ["deleted", "overwritten", "stray", "other-origin"])
def test_damaged_copies_are_reported_and_repaired(deployed, backend, production, damage):
    key = "live/production/" + ("stray.txt" if damage == "stray" else "more/1.txt")
    if damage == "deleted":
        backend.objects.delete([key])
    elif damage == "other-origin":
        backend.origins.point(["127.0.0.1"], "live/staging/")
    else:
        backend.objects.put(key, b"B 2", **PAGE)
    assert codes(backend, production) & {"copies", "origin"}
    run_repairs(backend, production)
    assert verify(backend, production)["drift"] == []


@pytest.mark.parametrize("path", ["manifest.json", "more/1.txt"])
@pytest.mark.parametrize("which", ["live", "previous"])
@pytest.mark.parametrize("fault", ["missing", "changed"])
def test_damaged_release_is_reported_and_repaired(
    deployed, operator, backend, production, path, which, fault
):
    release, mark = {"live": (deployed[1], "B"), "previous": (deployed[0], "A")}[which]
    if fault == "missing":
        backend.objects.delete([release.key(path)])
    else:
        backend.objects.put(release.key(path), b"[]", **PAGE)
    drift = verify(backend, production)["drift"]
    assert {row["command"] for row in drift} == {"manage.py push --no-deploy --repair"}
    assert release.name in drift[0]["message"]
    operator.release(mark, extra=3, repair=True)  # as the command does, from the same folder
    assert verify(backend, production)["drift"] == []


@pytest.mark.parametrize("deployed", ["pointer"], indirect=True)
@pytest.mark.parametrize("metadata", [{}, {"sha256": "other"}])
def test_overwritten_page_is_reported_and_repaired(
    deployed, operator, backend, production, metadata
):
    """The size stays, so a listing does not show it."""
    key = deployed[1].key("book/index.html")
    size = backend.objects.head(key).size
    backend.objects.put(key, b"x" * size, metadata=metadata, **PAGE)
    drift = verify(backend, production)["drift"]
    assert drift[0]["command"] == "manage.py push --no-deploy --repair"
    assert key in drift[0]["message"]
    assert [row["code"] for row in drift].count("objects") == 1
    operator.release("B", extra=3, repair=True)
    assert backend.objects.get(key).body != b"x" * size
    assert verify(backend, production)["drift"] == []


def test_error_of_one_part_is_drift_and_the_rest_is_checked(
    deployed, backend, production, replaced
):
    class Failing:
        def head(self, key):
            raise BackendUnavailable("403 AccessDenied")

        def __getattr__(self, name):
            return getattr(backend.objects, name)

    backend.objects.delete([deployed[1].key("more/1.txt")])
    row = verify(replaced(objects=Failing()), production)
    found = {drift["code"]: drift["command"] for drift in row["drift"]}
    assert found["no-answer"] == "manage.py doctor"
    assert "objects" in found


def test_interrupted_deployment_is_reported_and_repaired(
    deployed, operator, backend, production, replaced
):
    release = operator.push("C")
    operator.backend = replaced(
        objects=_dies_at_audit(backend.objects), distribution=backend.distribution
    )
    with pytest.raises(Killed):
        operator.promote(release)
    assert "unfinished" in codes(backend, production)
    run_repairs(backend, production)
    assert verify(backend, production)["drift"] == []


def _dies_at_audit(objects):
    class Dying:
        def put(self, key, *args, **kwargs):
            raise Killed

        def __getattr__(self, name):
            return getattr(objects, name)

    return Dying()


@pytest.mark.parametrize("deployed", ["copy"], indirect=True)
def test_settled_but_mixed_copies_are_reported(deployed, operator, backend, production, replaced):
    release = operator.push("C")
    operator.backend = replaced(distribution=FaultPoint(1, Killed()).before(backend.distribution))
    with pytest.raises(Killed):
        operator.promote(release)
    interrupted = production.deployments.unfinished().get()
    Outcome.objects.create(deployment=interrupted, result=Outcome.Result.ABANDONED)
    assert {"mixed", "copies", "answer"} <= codes(backend, production)
    run_repairs(backend, production)
    assert verify(backend, production)["drift"] == []


@pytest.mark.parametrize("is_over", [True, False])
def test_lock_is_reported(deployed, backend, production, is_over):
    now = timezone.now()
    DeployLock.objects.create(
        environment=production,
        holder="otto",
        reason="Promotion",
        host="elsewhere",
        pid=1,
        acquired_at=now,
        expires_at=now - DeployLock.LASTS if is_over else now + DeployLock.LASTS,
    )
    (drift,) = verify(backend, production)["drift"]
    assert "locked by otto" in drift["message"]
    assert ("its process is gone" in drift["message"]) is is_over


def test_lost_history_is_reported(backend, production, operator):
    release = operator.release("A")
    point_elsewhere(backend, "env:production", release)
    (drift,) = verify(backend, production)["drift"]
    assert drift["command"] == f"manage.py promote --release {release} --to production --yes"
    point_elsewhere(backend, "env:production", "20200101-000000-00000000")
    (drift,) = verify(backend, production)["drift"]
    assert drift["command"] == "manage.py push --to production --yes"
    (shown,) = [row["drift"] for row in status_rows(backend) if row["environment"] == "production"]
    assert shown == [f"{drift['message']}; run: {drift['command']}"]


# The command


def run_command(*arguments, **options):
    out = StringIO()
    try:
        call_command("verify", *arguments, json=True, stdout=out, **options)
    except CommandError as error:
        return error.returncode, json.loads(out.getvalue())
    return 0, json.loads(out.getvalue())


def test_command_without_drift(deployed):
    code, rows = run_command()
    assert code == 0
    assert [(row["environment"], row["drift"]) for row in rows] == [
        ("staging", []),
        ("production", []),
    ]


def test_command_with_drift_exits_1(deployed, backend):
    backend.objects.delete([deployed[1].key("more/1.txt")])
    code, (row,) = run_command(environment="production")
    assert code == 1
    assert set(row["drift"][0]) == {"code", "message", "command"}


def test_command_shows_drift_and_its_repair(deployed, backend):
    backend.objects.delete([deployed[1].key("more/1.txt")])
    out = StringIO()
    with pytest.raises(CommandError, match="2 discrepancies in 2 environments"):
        call_command("verify", stdout=out)
    assert "manage.py push --no-deploy --repair" in out.getvalue()


def test_command_refuses_an_unknown_environment(db):
    with pytest.raises(CommandError) as refused:
        call_command("verify", environment="moon")
    assert refused.value.returncode == 1


def test_status_answers_when_a_part_does_not(deployed, monkeypatch):
    def fail(self):
        raise BackendUnavailable("503")

    monkeypatch.setattr(RowKeyValueStore, "items", fail)
    out = StringIO()
    call_command("status", json=True, stdout=out)
    drift = [text for row in json.loads(out.getvalue()) for text in row["drift"]]
    assert any("manage.py doctor" in text for text in drift)


def test_files_of_a_canary_are_checked_too(operator, backend, production):
    operator.push("A")
    operator.promote()
    tried = operator.push("B", extra=3)
    operator.canary(5)
    backend.objects.delete([tried.key("more/1.txt")])
    (row,) = verify(backend, production)["drift"]
    assert (row["code"], tried.name in row["message"]) == ("objects", True)


def test_command_without_environments_says_so(db):
    Environment.objects.all().delete()
    out = StringIO()
    call_command("verify", stdout=out)
    assert out.getvalue().endswith("There are no environments.\n")


def test_environment_without_hosts_is_drift(deployed, backend, production):
    Environment.objects.filter(pk=production.pk).update(hosts=[])
    environment = Environment.objects.get(pk=production.pk)
    assert "no-host" in codes(backend, environment)
    (row,) = [row for row in status_rows(backend) if row["environment"] == "production"]
    assert "no host leads to the pages" in str(row)
