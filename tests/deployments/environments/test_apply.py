"""Adding, changing and removing environments, and what their viewers get."""

import base64

import pytest

from deployments.context import Caller
from deployments.deploy.plan import Target
from deployments.deploy.targets import push_target
from deployments.environments.apply import add_environment, set_environment
from deployments.environments.changes import Changes
from deployments.environments.remove import remove_environment
from deployments.errors import ChangedMeanwhile, Refused
from deployments.locks.deploy_lock import deploy_lock
from deployments.models import Deployment, Environment, FunctionVersion, Release
from deployments.retention.needs import serving
from deployments.routing.maintenance import plan_maintenance, set_maintenance
from deployments.verification.checks import find_drift
from edge.functions.shipped import digest_of
from edge.serving.wsgi import LocalEdge

OLGA = Caller(actor="olga")
SECRET = "correct horse battery"


@pytest.fixture
def edge(backend):
    """Return a function that asks the local edge: status, headers, body."""

    def application(environ, start_response):
        start_response("200 OK", [("x-answered-by", "django")])
        return [b"django"]

    local = LocalEdge(
        application,
        objects=backend.objects,
        read_snapshot=backend.read_snapshot,
        refresh_seconds=0,
    )

    def ask(path="/", host="staging.localhost", **environ):
        seen = {}

        def start_response(status, headers):
            seen.update(status=int(status[:3]), headers=dict(headers))

        body = b"".join(
            local(
                {
                    "REQUEST_METHOD": "GET", "RAW_URI": path, "HTTP_HOST": host,
                    "wsgi.url_scheme": "http", "QUERY_STRING": "", **environ,
                },
                start_response,
            )
        )  # fmt: skip
        return seen["status"], seen["headers"], body.decode()

    return ask


def change(backend, environment, **fields):
    return set_environment(backend, environment, Changes(**fields), caller=OLGA)


def credentials(user="ines", password=SECRET):
    return "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()


def test_new_environment_is_deployed_to(backend, operator, edge):
    added = add_environment(
        backend, "docs", Changes(hosts=("docs.localhost",), protected=True), caller=OLGA
    )
    assert added.environment.protected
    release = operator.push("A", to="docs")
    status, headers, _ = edge(host="docs.localhost")
    assert (status, headers["x-amz-meta-release"]) == (200, release.name)
    assert find_drift(backend, added.environment, thorough=True) == []


def test_new_host_serves_the_live_release(backend, operator, staging, edge):
    operator.push("A")
    assert edge(host="new.localhost")[0] == 503
    change(backend, staging, hosts=("New.localhost",))
    assert edge(host="new.localhost")[0] == 200
    assert edge(host="staging.localhost")[0] == 503
    assert find_drift(backend, staging, thorough=True) == []


def test_password(backend, operator, staging, edge):
    operator.push("A")
    change(backend, staging, access="password", credentials=("ines", SECRET))
    status, headers, body = edge()
    assert (status, body) == (401, "These pages are not public.\n")
    assert headers["x-robots-tag"] == "noindex"
    assert edge(HTTP_AUTHORIZATION=credentials(password="wrong"))[0] == 401
    status, headers, _ = edge(HTTP_AUTHORIZATION=credentials())
    assert status == 200
    assert headers["x-robots-tag"] == "noindex"
    assert SECRET not in str(Environment.objects.values_list())


def test_deployments_go_on_behind_a_password(backend, operator, staging, edge):
    operator.push("A")
    change(backend, staging, access="password", credentials=("ines", SECRET))
    release = operator.push("B")
    assert edge()[0] == 401
    assert edge(HTTP_AUTHORIZATION=credentials())[1]["x-amz-meta-release"] == release.name
    assert find_drift(backend, staging, thorough=True) == []


def test_first_deployment_behind_a_password(backend, operator, staging, edge):
    change(backend, staging, access="previews")
    operator.push("A")
    assert edge()[0] == 401
    change(backend, staging, access="open")
    assert edge()[0] == 200


def test_canonical_host(backend, operator, production, edge):
    operator.push("A")
    operator.promote()
    change(backend, production, canonical="localhost")
    status, headers, _ = edge("/book/", host="127.0.0.1:8000", QUERY_STRING="a=1")
    assert (status, headers["location"]) == (301, "//localhost:8000/book/?a=1")
    assert edge("/book/", host="localhost")[0] == 200
    operator.push("B")
    operator.promote()
    assert find_drift(backend, production, thorough=True) == []
    change(backend, production, canonical="")
    assert edge("/book/", host="127.0.0.1")[0] == 200


def test_headers_replace_and_remove_default_ones(backend, operator, staging, edge):
    operator.push("A")
    before = edge()[1]
    own = {"content-security-policy": "default-src *", "referrer-policy": "", "x-team": "docs"}
    change(backend, staging, headers=own)
    after = edge()[1]
    assert after["content-security-policy"] == "default-src *"
    assert "referrer-policy" not in after
    assert after["x-team"] == "docs"
    assert after["x-content-type-options"] == "nosniff"
    change(backend, staging, headers=dict.fromkeys(own))
    names = ("content-security-policy", "referrer-policy", "x-team")
    assert [edge()[1].get(name) for name in names] == [before.get(name) for name in names]


def test_without_the_application_its_paths_belong_to_the_site(backend, operator, staging, edge):
    api = {"api/index.html": "<title>API</title>"}
    with pytest.raises(Refused) as refused:
        operator.push("A", more=api)
    assert refused.value.code == "source-taken"
    assert "/api/*" in refused.value.message
    assert not Release.objects.exists()
    assert edge("/api/")[2] == "django"
    change(backend, staging, application=False)
    operator.push("A", more=api)
    assert "API" in edge("/api/")[2]
    with pytest.raises(Refused) as refused:
        change(backend, staging, application=True)
    assert refused.value.code == "source-taken"
    with pytest.raises(Refused) as refused:
        operator.promote()
    assert refused.value.code == "source-taken"
    assert "production" in refused.value.message


def test_health_is_answered_without_the_back_end(backend, edge):
    assert edge("/healthz", host="docs.localhost")[2] == "django"


def test_rollback_keeps_a_function_that_asks_for_the_password(backend, operator, staging, edge):
    first, second = operator.push("A"), operator.release("B")
    shipped = staging.live.function
    source = shipped.source.replace("routing.a", "routing.z")
    earlier = FunctionVersion(digest=digest_of(source), source=source, created_by="olga")
    for release, function in ((first, earlier), (second, shipped)):
        operator.deploy(Target(staging, release, function, Deployment.Kind.PUSH, "olga", ""))
    change(backend, staging, access="password", credentials=("ines", SECRET))
    operator.rollback(environment="staging")
    assert (staging.live.release, staging.live.function) == (first, shipped)
    assert edge()[0] == 401


def test_old_function_must_be_replaced_first(backend, operator, staging):
    operator.push("A")
    function = staging.live.function
    type(function).objects.filter(pk=function.pk).update(source="async function handler(e) {}")
    with pytest.raises(Refused) as refused:
        change(backend, staging, access="previews")
    assert refused.value.code == "function-too-old"
    assert "push_functions --environment staging" in refused.value.hint


def test_drift_is_found_and_repaired(backend, operator, staging, edge):
    operator.push("A")
    change(backend, staging, headers={"x-team": "docs"})
    store = backend.keyvalues
    store.update(puts={}, deletes=["header:staging:x-team"], if_match=store.etag())
    Environment.objects.filter(pk=staging.pk).update(access="previews")
    staging.refresh_from_db()
    found = find_drift(backend, staging)
    assert {one.code for one in found} == {"route", "rules"}
    change(backend, staging)
    assert find_drift(backend, staging) == []
    assert edge()[0] == 401


def test_nothing_changes_while_a_deployment_runs(backend, staging):
    with (
        deploy_lock(environment=staging, actor="otto", reason="push"),
        pytest.raises(ChangedMeanwhile) as held,
    ):
        change(backend, staging, noindex=False)
    assert held.value.code == "lock-held"
    staging.refresh_from_db()
    assert staging.noindex


def test_waiting_deployment_keeps_a_password_that_was_just_set(backend, operator, staging, edge):
    operator.push("A")
    waiting = Environment.objects.named("staging")  # as a run that waits for the lock has it
    change(backend, staging, access="password", credentials=("ines", SECRET))
    operator.deploy(push_target(environment=waiting, release=operator.release("B"), actor="olga"))
    assert edge()[0] == 401
    assert edge(HTTP_AUTHORIZATION=credentials())[0] == 200


def test_waiting_deployment_does_not_bring_an_environment_back(backend, operator, edge):
    add_environment(backend, "docs", Changes(hosts=("docs.localhost",)), caller=OLGA)
    release = operator.push("A", to="docs")
    waiting = Environment.objects.named("docs")
    remove_environment(backend, "docs", typed="docs", caller=OLGA)
    with pytest.raises(Refused) as refused:
        operator.deploy(push_target(environment=waiting, release=release, actor="olga"))
    assert refused.value.code == "environment-removed"
    assert edge(host="docs.localhost")[0] == 503


def test_maintenance_does_not_open_protected_pages(backend, operator, staging, edge):
    operator.push("A")
    change(backend, staging, access="previews")
    keys = [
        key for key in backend.keyvalues.items() if key.endswith(("staging", "staging.localhost"))
    ]
    backend.keyvalues.update(puts={}, deletes=keys, if_match=backend.keyvalues.etag())
    for on in (True, False):
        plan = plan_maintenance(backend, staging, on=on)
        set_maintenance(backend, plan, actor="olga", say=lambda line: None)
        assert edge()[0] == 401


def test_broken_header_does_not_stop_the_edge(backend, operator, edge):
    operator.push("A")
    broken = {"header:staging:x-a": "{", "header:staging": "1", "header:staging:x-b": "[1]"}
    backend.keyvalues.update(puts=broken, if_match=backend.keyvalues.etag())
    status, headers, _ = edge()
    assert status == 200
    assert not {"x-a", "x-b"} & headers.keys()


def test_dry_run_changes_nothing(backend, operator, staging):
    operator.push("A")
    before = dict(backend.keyvalues.items())
    set_environment(backend, staging, Changes(noindex=False), caller=OLGA, dry_run=True)
    add_environment(backend, "docs", Changes(hosts=("d.localhost",)), caller=OLGA, dry_run=True)
    remove_environment(backend, "staging", typed="", caller=OLGA, dry_run=True)
    assert dict(backend.keyvalues.items()) == before
    assert set(Environment.objects.values_list("name", "noindex")) == {
        ("staging", True), ("production", False),
    }  # fmt: skip


def test_removed_environment_answers_nothing_and_can_return(backend, operator, edge):
    add_environment(backend, "docs", Changes(hosts=("docs.localhost",)), caller=OLGA)
    release = operator.push("A", to="docs")
    with pytest.raises(Refused) as refused:
        remove_environment(backend, "docs", typed="doc", caller=OLGA)
    assert refused.value.code == "name-not-confirmed"
    assert edge(host="docs.localhost")[0] == 200
    docs, _ = remove_environment(backend, "docs", typed="docs", caller=OLGA)
    assert edge(host="docs.localhost")[0] == 503
    assert not any("docs" in key for key in backend.keyvalues.items())
    assert docs.deployments.count() == 1
    assert not Environment.objects.filter(name="docs")
    assert release.name not in serving(backend)
    assert remove_environment(backend, "docs", typed="docs", caller=OLGA)[1] == 0
    again = add_environment(backend, "docs", Changes(hosts=("d.localhost",)), caller=OLGA)
    assert again.environment.pk == docs.pk
    operator.push("A", to="docs")
    assert edge(host="d.localhost")[0] == 200


def test_release_live_elsewhere_is_kept_after_a_removal(backend, operator):
    add_environment(backend, "docs", Changes(hosts=("docs.localhost",)), caller=OLGA)
    release = operator.push("A")
    operator.push("A", to="docs")
    remove_environment(backend, "docs", typed="docs", caller=OLGA)
    assert serving(backend)[release.name] == "live in staging"


WRONG: dict[str, list[dict[str, object]]] = {
    "host-invalid": [{"hosts": ("http://a.example",)}, {"hosts": ("a b",)}, {"hosts": ("a:80",)},
                     {"hosts": ("*.example.com",)}, {"hosts": ("x" * 254,)}],
    "host-taken": [{"hosts": ("localhost",)}, {"hosts": ("a.preview.localhost",)}],
    "canonical-unknown": [{"canonical": "www.example.com"}],
    "password-missing": [{"access": "password"}],
    "password-short": [{"access": "password", "credentials": ("ines", "short")}],
    "user-invalid": [{"credentials": ("a:b", SECRET)}, {"credentials": ("", SECRET)}],
    "no-function": [{"strategy": "copy", "access": "previews"}],
    "header-invalid": [
        {"headers": {"set-cookie": "a=b"}}, {"headers": {"cache-control": "no-store"}},
        {"headers": {"x-amz-meta-release": "x"}}, {"headers": {"x y": "z"}},
        {"headers": {"x-a": "a\r\nset-cookie: b"}}, {"headers": {"x-a": "\u00e9"}},
        {"headers": {"x-a": "a" * 801}}, {"headers": {"x-frame-options": "ALLOW"}},
        {"headers": {f"x-{number}": "a" for number in range(11)}},
    ],
}  # fmt: skip


@pytest.mark.parametrize(
    ("code", "fields"), [(code, fields) for code, every in WRONG.items() for fields in every]
)
def test_refusals(backend, staging, code, fields):
    with pytest.raises(Refused) as refused:
        change(backend, staging, **fields)
    assert refused.value.code == code
    assert refused.value.hint
    before = Environment.objects.values().get(pk=staging.pk)
    staging.refresh_from_db()
    assert before == Environment.objects.values().get(pk=staging.pk)


@pytest.mark.parametrize("name", ["", "Docs", "a b", "-docs", "a" * 31, "d\n"])
def test_refuses_names(backend, name):
    with pytest.raises(Refused) as refused:
        add_environment(backend, name, Changes(), caller=OLGA)
    assert refused.value.code == "environment-name"


def test_refuses_a_name_that_exists(backend, staging):
    with pytest.raises(Refused) as refused:
        add_environment(backend, "staging", Changes(), caller=OLGA)
    assert refused.value.code == "environment-exists"
