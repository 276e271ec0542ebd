"""The local edge as viewers see it."""

import gzip
import hashlib
import json
from urllib.parse import unquote

import pytest
import time_machine

from edge.behaviours import CONTENT_SECURITY_POLICY
from edge.errors import BackendUnavailable
from edge.routing import Canary, RoutingDocument
from edge.serving.wsgi import raw_path
from tests.edge.builders import PAGE, RELEASE, Machine, put
from tests.edge.functions.cases import CASES, CLEARED, NOW, TOKEN

ASSET = "assets/app.0123abcd.txt"
TRACK = f"releases/{RELEASE}/track/index.html"
FAILING = "function handler(event) { throw new Error('broken at ' + event.request.method); }"


@pytest.fixture
def machine(tmp_path):
    machine = Machine(tmp_path / "store")
    put(machine.objects, TRACK, release=RELEASE)
    return machine


def with_function(machine, source):
    machine.route(hosts={"localhost": source}, functions={"f": source})


def test_page_of_the_live_release(machine):
    response = machine.ask(f"/track/{TOKEN}")
    assert (response.status, response.body) == (200, PAGE)
    assert response.headers["x-amz-meta-release"] == RELEASE
    assert response.headers["content-length"] == str(len(PAGE))
    assert response.headers["x-cache"] == "Miss from local edge"


def test_second_request_is_a_cache_hit(machine):
    machine.ask("/track/one")
    response = machine.ask("/track/another")
    assert response.headers["x-cache"] == "Hit from local edge"
    assert response.headers["age"] == "0"
    assert response.body == PAGE


def test_tracking_document(machine):
    name = hashlib.sha256(TOKEN.encode()).hexdigest()
    put(machine.objects, f"jobs/{name}.json", b"{}", content_type="application/json",
        rule="public, max-age=5")  # fmt: skip
    response = machine.ask(f"/track/{TOKEN}.json")
    assert (response.status, response.body) == (200, b"{}")
    assert response.headers["cache-control"] == "public, max-age=5"
    assert response.headers["referrer-policy"] == "no-referrer"
    assert response.headers["x-robots-tag"] == "noindex"


def test_changed_tracking_document_shows_at_once(machine):
    rules = {"content_type": "application/json", "rule": "public, max-age=5"}
    key = f"jobs/{hashlib.sha256(TOKEN.encode()).hexdigest()}.json"
    put(machine.objects, key, b"old", **rules)
    machine.ask(f"/track/{TOKEN}.json")
    kept = machine.ask(f"/track/{TOKEN}.json")
    assert (kept.body, kept.headers["x-cache"]) == (b"old", "Hit from local edge")
    put(machine.objects, key, b"new", **rules)
    assert machine.ask(f"/track/{TOKEN}.json").body == b"new"
    machine.objects.delete([key])  # the link was revoked
    assert machine.ask(f"/track/{TOKEN}.json").status == 404


def test_switch_is_immediate_without_an_invalidation(machine):
    put(machine.objects, "releases/new/track/index.html", b"new", release="new")
    machine.ask("/track/x")
    machine.route("new")
    assert machine.ask("/track/x").body == b"new"
    machine.route()
    assert machine.ask("/track/x").body == PAGE


def test_invalidated_path_is_read_again(machine):
    rules = {"content_type": "text/plain", "rule": "public, max-age=60"}
    put(machine.objects, ASSET, b"old", **rules)
    assert machine.ask(f"/{ASSET}").body == b"old"
    put(machine.objects, ASSET, b"new", **rules)
    assert machine.ask(f"/{ASSET}").body == b"old"
    machine.route(dropped=[f"/{ASSET}"])
    assert machine.ask(f"/{ASSET}").body == b"new"


def test_key_is_the_decoded_uri(machine):
    put(machine.objects, f"releases/{RELEASE}/a b/index.html", b"spaced")
    assert machine.ask("/a%20b").body == b"spaced"


def test_head_has_no_body(machine):
    get, head = machine.ask("/track/x"), machine.ask("/track/x", "HEAD")
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-length"] == get.headers["content-length"]


def test_conditions_and_encodings_reach_the_representation(machine):
    etag = machine.ask("/track/x").headers["etag"]
    assert machine.ask("/track/x", HTTP_IF_NONE_MATCH=etag).status == 304
    assert machine.ask("/track/x", HTTP_RANGE="bytes=0-4").body == PAGE[:5]
    assert gzip.decompress(machine.ask("/track/x", HTTP_ACCEPT_ENCODING="gzip").body) == PAGE


def test_not_modified_has_the_release_and_the_policy(machine):
    etag = machine.ask("/track/x").headers["etag"]
    response = machine.ask("/track/x", HTTP_IF_NONE_MATCH=etag)
    assert response.headers["x-amz-meta-release"] == RELEASE
    assert response.headers["content-security-policy"] == CONTENT_SECURITY_POLICY


def test_public_page_has_the_public_policy(machine):
    put(machine.objects, f"releases/{RELEASE}/index.html")
    headers = machine.ask("/").headers
    assert headers["referrer-policy"] == "same-origin"
    assert "x-robots-tag" not in headers
    assert "strict-transport-security" not in headers


def test_strict_transport_over_https_only(tmp_path):
    behind_proxy = Machine(tmp_path, options={"secure_header": ("HTTP_X_FORWARDED_PROTO", "https")})
    assert (
        "strict-transport-security" in behind_proxy.ask("/", HTTP_X_FORWARDED_PROTO="https").headers
    )
    assert (
        "strict-transport-security" in behind_proxy.ask("/", **{"wsgi.url_scheme": "https"}).headers
    )
    assert "strict-transport-security" not in behind_proxy.ask("/").headers


def test_forwarded_protocol_is_ignored_without_a_proxy(machine):
    headers = machine.ask("/track/x", HTTP_X_FORWARDED_PROTO="https").headers
    assert "strict-transport-security" not in headers


def test_application_path_is_passed_on_unchanged(machine):
    response = machine.ask("/admin/login/?next=/", "POST")
    assert response.body == b"/admin/login/"
    assert response.headers["x-from"] == "application"


def test_cookies_of_the_function_become_headers(machine):
    response = machine.ask("/book/?release=live")
    assert response.status == 302
    assert response.headers["location"] == "/book/"
    assert response.headers["set-cookie"].splitlines() == list(CLEARED)
    assert response.headers["x-cache"] == "FunctionGeneratedResponse from local edge"


def test_policy_overrides_headers_of_the_function(machine):
    answers = [machine.ask(f"{path}?release=live") for path in ("/", "/track")]
    robots = [answer.headers["x-robots-tag"] for answer in answers]
    assert robots == ["noindex, nofollow", "noindex"]


def test_function_of_the_hosts_environment_runs(machine):
    with_function(machine, "function handler(event) { return { statusCode: 204 }; }")
    assert machine.ask("/").status == 204
    assert machine.ask("/", host="LOCALHOST:8000").status == 204
    assert machine.ask("/", host="other.example").status == 503


# The URLs, end to end; the rest of the table is tested on the function.


@pytest.mark.parametrize(
    ("path", "status", "key"),
    [
        (f"/track/{TOKEN}", 200, TRACK),
        (f"/track/{TOKEN}/", 200, TRACK),
        (f"/track.html?token={TOKEN}", 301, ""),
        (f"/track-staging/{TOKEN}", 200, "releases/staged/track/index.html"),
        ("/book/", 200, f"releases/{RELEASE}/book/index.html"),
        ("/dashboard/", 200, f"releases/{RELEASE}/dashboard/index.html"),
        ("/track/AB.12", 200, TRACK),
        ("/.well-known/x", 200, f"releases/{RELEASE}/.well-known/x"),
        (f"/releases/{RELEASE}/index.html", 404, ""),
        ("/registry/jobs.json", 404, ""),
        ("/%2e%2e/", 400, ""),
        ("/a%2fb", 400, ""),
    ],
)
def test_address(machine, path, status, key):
    machine.route(keyvalues={"env:staging": json.dumps({"e": "staging", "r": "staged"})})
    for private in ("registry/jobs.json", f"releases/{RELEASE}/index.html"):
        put(machine.objects, private, b"private")
    if key:
        put(machine.objects, key, f"the body of {key}".encode())
    response = machine.ask(path)
    assert response.status == status
    assert (
        response.body == f"the body of {key}".encode() if key else b"private" not in response.body
    )


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_case_over_the_edge(machine, case):
    """Run every case as a viewer sees it; none returns a private object."""
    for key in ("registry/jobs.json", "audit/x.json"):
        put(machine.objects, key, b"private")
    if case.uri:
        put(machine.objects, unquote(case.uri[1:]), case.uri.encode())
    machine.route(keyvalues=case.store)
    with time_machine.travel(NOW, tick=False):
        response = machine.ask(case.path, host=case.host, HTTP_COOKIE=case.cookie)
    assert b"private" not in response.body
    assert response.status == (case.status or 200)
    assert response.headers.get("location", "") == case.location
    assert response.headers.get("set-cookie", "") == "\n".join(case.sets)
    if case.uri:
        assert response.body.decode() == case.uri


# Refusals


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"])
def test_storage_is_read_only(machine, method):
    assert machine.ask("/track/x", method).status == 403


def test_missing_page_is_the_fixed_error_page(machine):
    put(machine.objects, "errors/404.html", b"Nothing here", rule="public, max-age=60")
    response = machine.ask("/missing")
    assert (response.status, response.body) == (404, b"Nothing here")
    assert response.headers["content-type"] == "text/html; charset=utf-8"
    assert response.headers["x-cache"] == "Error from local edge"
    put(machine.objects, f"releases/{RELEASE}/missing/index.html", b"here now")
    assert machine.ask("/missing").body == b"here now"


def test_missing_page_without_an_error_page(machine):
    response = machine.ask("/missing")
    assert (response.status, response.headers["cache-control"]) == (404, "no-store")


@pytest.mark.parametrize(
    "path", ["/assets/", "/assets/%20/../x", "/.well-known/", "/" + "x" * 3000]
)
def test_impossible_key_is_missing(machine, path):
    assert machine.ask(path).status in (400, 404)


def test_unknown_host_is_503(machine):
    response = machine.ask("/", host="evil.example")
    assert (response.status, response.headers["retry-after"]) == (503, "120")


def test_failing_function_is_503_and_logs_no_token(machine, caplog):
    with_function(machine, FAILING)
    response = machine.ask(f"/track/{TOKEN}?token={TOKEN}")
    assert (response.status, response.headers["cache-control"]) == (503, "no-store")
    assert "broken at GET" in caplog.text
    assert TOKEN not in caplog.text
    assert b"broken" not in response.body


def test_invalid_result_is_502(machine, caplog):
    with_function(machine, "function handler(event) { return null; }")
    assert machine.ask("/").status == 502


def test_function_that_does_not_compile_is_503(machine, caplog):
    with_function(machine, "function handler(event) {")
    assert machine.ask("/").status == 503


def test_failing_store_is_503(machine, caplog, monkeypatch):
    def fail(key):
        raise BackendUnavailable("The disk is away.")

    monkeypatch.setattr(machine.objects, "head", fail)
    assert machine.ask("/track/x").status == 503
    assert "The disk is away." in caplog.text


# The path as sent


@pytest.mark.parametrize(
    ("environ", "path"),
    [
        ({"RAW_URI": "/a%2fb?c=d"}, "/a%2fb"),
        ({"RAW_URI": "/a#b"}, "/a"),
        ({"RAW_URI": "http://host/a/b?c"}, "/a/b"),
        ({"RAW_URI": "http://host"}, "/"),
        ({"RAW_URI": "*"}, "/"),
        ({"RAW_URI": "//host/a"}, "//host/a"),
        ({"PATH_INFO": "/a b/\xc3\xa9%"}, "/a%20b/%C3%A9%25"),
        ({"PATH_INFO": ""}, "/"),
        ({"SCRIPT_NAME": "/x", "PATH_INFO": "/y"}, "/x/y"),
    ],
)
def test_raw_path(environ, path):
    assert raw_path(environ) == path


def releases_of_thirty_viewers(folder, **options):
    """Request the home page as 30 viewers behind one proxy; return the releases they got."""
    machine = Machine(folder, options)
    for release in ("live", "trial"):
        put(machine.objects, f"releases/{release}/index.html", release=release)
    document = RoutingDocument("production", "live", canary=Canary("trial", 50, "5f0c9a1e"))
    machine.route(keyvalues={"host:localhost": document.to_json()})
    answers = [
        machine.ask("/", REMOTE_ADDR="10.0.0.7", HTTP_X_FORWARDED_FOR=f"203.0.113.{number}")
        for number in range(30)
    ]
    return {one.headers["x-amz-meta-release"] for one in answers}


def test_canary_takes_viewers_behind_a_proxy_one_by_one(tmp_path):
    assert releases_of_thirty_viewers(tmp_path, trusted_proxies=1) == {"live", "trial"}


def test_viewers_cannot_choose_the_canary(tmp_path):
    """Without a trusted proxy the header is the viewer's own, and chooses nothing."""
    assert len(releases_of_thirty_viewers(tmp_path)) == 1
