"""Results of a function that CloudFront rejects."""

import pytest

from edge.errors import FunctionInvalid
from edge.runtime.event import viewer_event
from edge.runtime.quickjs import EdgeFunction

EVENT = viewer_event(uri="/", headers={"host": "localhost", "accept": "*/*"}, querystring="a=1")


def run(body: str):
    return EdgeFunction(f"function handler(event) {{ var r = event.request; {body} }}").run(
        EVENT, {}
    )


def test_response_is_returned_unchanged():
    result = run(
        "return {statusCode: 201, statusDescription: 'Made', body: 'é',"
        " headers: {a: {value: '1'}, b: {multiValue: [{value: '2'}, {value: '3'}]}},"
        " cookies: {c: {value: 'd', attributes: 'Path=/'}, e: {value: 'f'}}};"
    )
    assert (result.status, result.reason) == (201, "Made")
    assert result.headers == [("a", "1"), ("b", "2"), ("b", "3")]
    assert result.cookies == ["c=d; Path=/", "e=f"]
    assert result.body == "é".encode()


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ("'text'", b"text"),
        ("'\\ud800'", b"?"),  # half a character
        ("{data: 'text', encoding: 'text'}", b"text"),
        ("{data: 'AAE=', encoding: 'base64'}", b"\0\1"),
    ],
)
def test_bodies(body, expected):
    assert run(f"return {{statusCode: 200, body: {body}}};").body == expected


def test_changed_request_is_complete():
    result = run("delete r.headers.accept; r.headers.x = {value: 'y'}; r.method = 'GET'; return r;")
    assert result.applied_to(EVENT) == {
        **EVENT["request"],
        "headers": {"host": {"value": "localhost"}, "x": {"value": "y"}},
    }


def test_multivalue_of_a_request_header():
    result = run("r.headers.x = {multiValue: [{value: '1'}, {value: '2'}]}; return r;")
    assert result.applied_to(EVENT)["headers"]["x"] == {
        "multiValue": [{"value": "1"}, {"value": "2"}]
    }


@pytest.mark.parametrize(
    "name",
    ["connection", "expect", "keep-alive", "proxy-x", "trailer", "upgrade", "x-accel-y",
     "x-amz-cf-id", "x-amzn-trace", "x-cache", "x-edge-y", "x-forwarded-proto", "x-real-ip",
     "X-Capital", "a b", "", "a:b", "a\\nb"],
)  # fmt: skip
def test_forbidden_header_is_rejected(name):
    with pytest.raises(FunctionInvalid):
        run(f"r.headers['{name}'] = {{value: '1'}}; return r;")
    with pytest.raises(FunctionInvalid):
        run(f"return {{statusCode: 200, headers: {{'{name}': {{value: '1'}}}}}};")


@pytest.mark.parametrize("name", ["host", "via", "content-length", "transfer-encoding"])
def test_read_only_header_of_a_request_is_rejected(name):
    with pytest.raises(FunctionInvalid, match="read-only"):
        run(f"r.headers['{name}'] = {{value: 'other'}}; return r;")


def test_read_only_header_cannot_be_removed():
    with pytest.raises(FunctionInvalid, match="read-only"):
        run("delete r.headers.host; return r;")


@pytest.mark.parametrize(
    "body",
    [
        "return null;",
        "return;",
        "return 'text';",
        "r.uri = 'no-slash'; return r;",
        "r.uri = ''; return r;",
        "r.uri = 5; return r;",
        "r.uri = '/a\\nx-injected\\n1'; return r;",
        "r.headers.x = 'text'; return r;",
        "r.headers.x = {value: 5}; return r;",
        "r.headers.x = {value: 'a\\r\\nb: c'}; return r;",
        "r.headers.x = {value: 'é'}; return r;",
        "return {statusCode: '200'};",
        "return {statusCode: 200.5};",
        "return {statusCode: 20};",
        "return {statusCode: 600};",
        "return {statusCode: 200, headers: []};",
        "return {statusCode: 200, headers: {a: {value: 'x\\r\\ny'}}};",
        "return {statusCode: 200, statusDescription: 'a\\r\\nb'};",
        "return {statusCode: 200, cookies: {a: {value: 'x\\r\\ny'}}};",
        "return {statusCode: 200, cookies: {a: 'text'}};",
        "return {statusCode: 200, body: 5};",
        "return {statusCode: 200, body: {data: 'a!', encoding: 'base64'}};",
        "return {statusCode: 200, body: {data: 'a', encoding: 'other'}};",
    ],
)
def test_invalid_result_is_rejected(body):
    with pytest.raises(FunctionInvalid):
        run(body)
