"""The runtime: modules, limits, errors."""

import base64
import hashlib
import hmac
import threading

import pytest

from edge.errors import FunctionFailed, FunctionInvalid
from edge.functions.shipped import function_source
from edge.runtime import quickjs
from edge.runtime.event import ViewerRequest, viewer_event
from edge.runtime.quickjs import EdgeFunction
from edge.runtime.results import Generated
from tests.edge.functions.cases import CASES, NOW

IMPORTS = "import cf from 'cloudfront';\nimport crypto from 'crypto';\nconst kvs = cf.kvs();\n"
EVENT = viewer_event(uri="/", headers={"host": "localhost"})


def answer(expression: str, keyvalues=None, **options) -> str:
    """Evaluate an expression inside a function, and return it as text."""
    source = (
        IMPORTS + "async function handler(event) {"
        f" return {{ statusCode: 200, body: String({expression}) }}; }}"
    )
    return EdgeFunction(source).run(EVENT, keyvalues or {}, **options).body.decode()


def run(body: str, imports: str = ""):
    return EdgeFunction(f"{imports}function handler(event) {{ {body} }}").run(EVENT, {})


def test_function_passes_a_request_on():
    result = run("event.request.uri = '/x'; return event.request;")
    assert result.uri == "/x"
    assert result.applied_to(EVENT) == {**EVENT["request"], "uri": "/x"}


@pytest.mark.parametrize("case", CASES[::5], ids=lambda case: case.name)
def test_request_and_its_event_have_the_same_result(case):
    path, _, query = case.path.partition("?")
    headers = (("host", case.host), ("user-agent", "test"))
    request = ViewerRequest(path, headers, "GET", query, case.cookie, case.ip, "1")
    function = EdgeFunction(function_source())
    assert request.event() == case.event()
    one = function.run_request(request, case.store, now=NOW)
    assert one == function.run(case.event(), case.store, now=NOW)


def test_request_has_the_events_shape():
    source = "function handler(event) { return {statusCode: 200, body: JSON.stringify(event)}; }"
    request = ViewerRequest(
        "/a", (("host", "h"), ("accept", "*/*")), "HEAD", "a=1&a=2&b", "c=d", "192.0.2.1", "7"
    )
    function = EdgeFunction(source)
    one = function.run_request(request, {}).body
    assert one == function.run(request.event(), {}).body


@pytest.mark.parametrize("algorithm", ["md5", "sha1", "sha256"])
def test_digests(algorithm):
    digest = hashlib.new(algorithm, "aé\0".encode()).digest()
    made = f"crypto.createHash('{algorithm}').update('a').update('é\\0')"
    assert answer(f"{made}.digest('hex')") == digest.hex()
    assert answer(f"{made}.digest('base64')") == base64.b64encode(digest).decode()
    plain = base64.urlsafe_b64encode(digest).decode().rstrip("=")
    assert answer(f"{made}.digest('base64url')") == plain


@pytest.mark.parametrize(("length", "times"), [(100, 10_000), (7_000, 500)])
@pytest.mark.parametrize("path", ["/track-{}/x", "/track/{}.json"])
def test_viewers_cannot_fill_the_memory_with_keys_and_digests(path, length, times):
    function = EdgeFunction(function_source())
    for number in range(times):
        request = ViewerRequest(path.format(str(number).zfill(length)), (("host", "localhost"),))
        function.run_request(request, {"host:localhost": '{"r":"x"}'}, version="1")


def test_keyed_digest():
    expected = hmac.digest(b"secret", b"text", "sha256").hex()
    assert answer("crypto.createHmac('sha256', 'secret').update('text').digest('hex')") == expected


def test_digest_of_a_digest():
    inner = hashlib.sha256(b"x").hexdigest()
    made = "crypto.createHash('sha256').update({}).digest('hex')"
    expression = made.format(made.format("'x'"))
    assert answer(expression) == hashlib.sha256(inner.encode()).hexdigest()


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("await kvs.get('a')", "1"),
        ("(await kvs.get('j', {format: 'json'})).x", "2"),
        ("await kvs.exists('a')", "true"),
        ("await kvs.exists('b')", "false"),
        ("(await kvs.meta()).keyCount", "2"),
        (
            "await kvs.get('b').catch(function (e) { return e.message.slice(0, 11); })",
            "KeyNotFound",
        ),
        ("await kvs.get('a', {format: 'json'}) + await kvs.get('a', {format: 'json'})", "2"),
    ],
)
def test_key_value_store(expression, expected):
    assert answer(expression, {"a": "1", "j": '{"x":2}'}) == expected


def test_values_are_kept_until_the_version_changes():
    function = EdgeFunction(
        IMPORTS
        + "async function handler(e) { return {statusCode: 200, body: await kvs.get('a')}; }"
    )
    seen = [
        function.run(EVENT, {"a": value}, version=version).body.decode()
        for value, version in [("1", "x"), ("2", "x"), ("3", "y"), ("4", ""), ("5", "")]
    ]
    assert seen == ["1", "1", "3", "4", "5"]


def test_clock_is_frozen_during_a_run():
    assert answer("[Date.now(), new Date().getTime(), new Date(5).getTime()]", now=NOW) == (
        f"{NOW}000,{NOW}000,5"
    )


def test_logs_are_kept():
    function = EdgeFunction(
        "function handler(e) { console.log('one'); console.log({a: 1}); return e.request; }"
    )
    function.run(EVENT, {})
    assert function.logs() == ["one", '{"a":1}']


def test_threads_do_not_share_a_context():
    function = EdgeFunction(function_source())
    uris = []

    def work():
        uris.extend(function.run(case.event(), case.store, now=NOW).uri for case in CASES[:10] * 20)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(uris) == 800
    assert set(uris) == {case.uri for case in CASES[:10]}


def test_memory_does_not_grow():
    function = EdgeFunction(function_source())
    for number in range(6_000):
        request = ViewerRequest(f"/track/{number}-{'x' * 50}.json", (("host", "localhost"),))
        assert function.run_request(request, CASES[0].store).uri.startswith("/jobs/")


def test_long_texts_are_not_truncated():
    long = "x" * 8_000
    function = EdgeFunction(
        "function handler(e) { const r = e.request; r.uri = '/releases/' + r.uri + '/' + r.uri;"
        " r.headers.a = {value: r.uri + '!' + r.uri}; return r; }"
    )
    result = function.run_request(ViewerRequest(f"/{long}", (("host", "h"),)), {})
    uri = f"/releases//{long}//{long}"
    assert result.uri == uri
    assert result.applied_to(EVENT)["headers"]["a"] == {"value": f"{uri}!{uri}"}


# Refusals


@pytest.mark.parametrize(
    "body",
    [
        "throw new Error('no')",
        "return event.missing.thing",
        "while (true) {}",
        "var a = []; while (true) { a.push(new Array(1000).fill(1)); }",
        "return new Promise(function () {})",
        "return eval('1')",
        "event.request.uri = '/\\ud800'; return event.request",
        "(function deep() { deep(); })()",
    ],
)
def test_run_after_a_failure_succeeds(body, monkeypatch):
    monkeypatch.setattr(quickjs, "TIME_LIMIT_SECONDS", 0.1)
    function = EdgeFunction(
        f"function handler(event) {{ if (event.request.uri !== '/well') {{ {body} }}"
        " return event.request; }"
    )
    with pytest.raises(FunctionFailed) as caught:
        function.run(EVENT, {})
    assert not isinstance(caught.value, FunctionInvalid)
    assert function.run(viewer_event(uri="/well", headers={}), {}).uri == "/well"


def test_function_has_cloudfronts_memory():
    body = "return { statusCode: 200, body: 'x'.repeat(%d) }"
    assert len(run(body % (quickjs.MEMORY_BYTES // 8)).body) == quickjs.MEMORY_BYTES // 8
    with pytest.raises(FunctionFailed):
        run(body % quickjs.MEMORY_BYTES)


def test_function_with_endless_questions_is_stopped():
    body = (
        "let t = 'x'; for (let i = 0; i < 99; i++) {"
        " t = crypto.createHash('md5').update(t).digest('hex'); } return event.request;"
    )
    with pytest.raises(FunctionFailed, match="too many"):
        run(body, IMPORTS)


@pytest.mark.parametrize(
    "source",
    [
        "function handler(event) {",
        "import fs from 'fs';\nfunction handler(e) { return e.request; }",
        "const handler = 1;",
        "function other(event) {}",
        "throw new Error('at the top'); function handler(e) {}",
    ],
)
def test_source_that_cannot_run_is_rejected(source):
    with pytest.raises(FunctionFailed):
        EdgeFunction(source)


@pytest.mark.parametrize(
    "expression",
    [
        "crypto.createHash('sha512')",
        "crypto.createHash('md5').update('a').digest()",
        "crypto.createHash('md5').update(1)",
        "await kvs.get('a', {format: 'bytes'})",
        "await kvs.get('missing')",
        "await kvs.get('a', {format: 'json'})",
    ],
)
def test_missing_features_are_errors(expression):
    with pytest.raises(FunctionFailed):
        answer(expression, {"a": "{not json"})


@pytest.mark.parametrize(
    "body",
    [
        "return r;",
        "r.headers.b = {value: 'new'}; return r;",
        "r.headers.n = {value: 'new'}; return r;",
        "r.headers.a.value = 'changed'; return r;",
        "delete r.headers.a; return r;",
        "delete r.headers.nothing; return r;",
        "r.headers.a = {value: r.headers.a.value}; return r;",
        "r.headers = {a: r.headers.a}; return r;",
        "r.headers = {}; return r;",
        "r.headers = Object.assign({}, r.headers); return r;",
        "r.headers.n = {value: Object.keys(r.headers).join()}; return r;",
        "r.headers.n = {value: JSON.stringify(r.headers)}; return r;",
        "r.headers.n = {value: String('b' in r.headers) + ('z' in r.headers)}; return r;",
        "r.headers.n = {value: String(r.headers.z) + typeof r.headers.toString}; return r;",
        "r.headers.n = {value: String(r.headers.hasOwnProperty('c'))}; return r;",
        "for (const k in r.headers) r.headers[k] = {value: k}; return r;",
        "r.headers.a = {value: '1', multiValue: [{value: '1'}, {value: '2'}]}; return r;",
        "return {statusCode: 200, body: JSON.stringify(r.headers)};",
    ],
)
def test_lazy_headers_behave_like_an_object(body):
    """Values that look like names, and names that begin with another name, are not mixed up."""
    function = EdgeFunction(f"async function handler(event) {{ const r = event.request; {body} }}")
    headers = (("a", "b"), ("b", ""), ("c", "a"), ("aa", "x\ty"), ("x-a", "z"))
    request = ViewerRequest("/", headers)
    lazy, plain = function.run_request(request, {}), function.run(request.event(), {})
    assert type(lazy) is type(plain)
    if isinstance(lazy, Generated):
        assert lazy == plain
    else:
        assert lazy.applied_to(request.event()) == plain.applied_to(request.event())
