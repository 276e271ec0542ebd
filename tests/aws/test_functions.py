"""What CloudFront's function API tells and takes, by boto3's own model of it."""

import json

import pytest
from botocore.response import StreamingBody
from botocore.stub import Stubber

from edge.backends import get_backend
from edge.backends.aws.functions import CloudFrontFunctions
from edge.errors import BackendUnavailable, LimitExceeded, StaleEtag
from edge.functions.shipped import function_source

NAME = "qdn-viewer-request-production"
EVENT = {"version": "1.0", "context": {"eventType": "viewer-request"}}
SUMMARY = {
    "Name": NAME,
    "FunctionConfig": {"Comment": "", "Runtime": "cloudfront-js-2.0"},
    "FunctionMetadata": {"FunctionARN": "arn", "LastModifiedTime": "2026-01-01T00:00:00Z"},
}
PASSTHROUGH = "function handler(event) { return event.request; }"


@pytest.fixture
def stubbed(aws_environ):
    """Give a function host whose service answers what the test says."""
    from edge.backends.aws.clients import make_clients  # noqa: PLC0415 - after the environment

    client = make_clients().cloudfront
    with Stubber(client) as stub:
        yield CloudFrontFunctions(client, None, sleep=lambda seconds: None), stub
        stub.assert_no_pending_responses()


def trial_result(**result):
    return {"TestResult": {"FunctionSummary": SUMMARY, "ComputeUtilization": "21", **result}}


def asked():
    return {
        "Name": NAME,
        "IfMatch": "E1",
        "Stage": "DEVELOPMENT",
        "EventObject": json.dumps(EVENT).encode(),
    }


def source_of(text, etag):
    body = text.encode()
    return {"FunctionCode": StreamingBody(_Bytes(body), len(body)), "ETag": etag}


class _Bytes:
    def __init__(self, body):
        self._body = body

    def read(self, amount=None):
        body, self._body = self._body, b""
        return body


def test_trial_tells_output_and_utilization(stubbed):
    functions, stub = stubbed
    output = json.dumps({"request": {"uri": "/x"}})
    stub.add_response("test_function", trial_result(FunctionOutput=output), asked())
    trial = functions.test(NAME, EVENT, if_match="E1")
    assert (trial.output, trial.error, trial.utilization) == ({"request": {"uri": "/x"}}, "", 21)


def test_trial_tells_the_error(stubbed):
    functions, stub = stubbed
    stub.add_response("test_function", trial_result(FunctionErrorMessage="no luck"), asked())
    trial = functions.test(NAME, EVENT, if_match="E1")
    assert (trial.output, trial.error) == (None, "no luck")


@pytest.mark.parametrize(("percent", "refused"), [("70", False), ("71", True), ("100", True)])
def test_function_that_would_be_throttled_is_refused(stubbed, percent, refused):
    functions, stub = stubbed
    stub.add_response("test_function", trial_result(ComputeUtilization=percent), asked())
    if not refused:
        assert functions.test(NAME, EVENT, if_match="E1").utilization == int(percent)
        return
    with pytest.raises(LimitExceeded, match="Make it do less"):
        functions.test(NAME, EVENT, if_match="E1")


@pytest.mark.parametrize("told", [{}, {"ComputeUtilization": ""}, {"ComputeUtilization": "N/A"}])
def test_trial_without_utilization(stubbed, told):
    """No part of a TestResult is promised."""
    functions, stub = stubbed
    result = {"FunctionErrorMessage": "no luck", **told}
    stub.add_response("test_function", {"TestResult": result}, asked())
    trial = functions.test(NAME, EVENT, if_match="E1")
    assert (trial.error, trial.utilization) == ("no luck", None)


def test_trial_of_a_stale_stage_is_told(stubbed):
    functions, stub = stubbed
    stub.add_client_error("test_function", "InvalidIfMatchVersion", http_status_code=400)
    with pytest.raises(StaleEtag):
        functions.test(NAME, EVENT, if_match="E1")


def test_publication_is_read_back(stubbed):
    functions, stub = stubbed
    stub.add_response("get_function", source_of(PASSTHROUGH, "E1"))
    stub.add_response("publish_function", {"FunctionSummary": SUMMARY})
    stub.add_response("get_function", source_of("old", "L1"))  # the edge is still on its way
    stub.add_response("get_function", source_of(PASSTHROUGH, "L2"))
    functions.publish(NAME, if_match="E1")


def test_publication_that_never_shows_is_told(stubbed):
    functions, stub = stubbed
    stub.add_response("get_function", source_of(PASSTHROUGH, "E1"))
    stub.add_response("publish_function", {"FunctionSummary": SUMMARY})
    for _ in range(10):
        stub.add_response("get_function", source_of("old", "L1"))
    with pytest.raises(BackendUnavailable, match="still has another source"):
        functions.publish(NAME, if_match="E1")


# Over the stand-in


def test_endpoint_without_trials_is_tried_here(aws):
    functions = get_backend().functions
    etag = functions.stage(NAME, PASSTHROUGH)
    event = {**EVENT, "viewer": {"ip": "192.0.2.1"}, "request": {"method": "GET", "uri": "/a",
             "headers": {}, "querystring": {}, "cookies": {}}}  # fmt: skip
    trial = functions.test(NAME, event, if_match=etag)
    assert (trial.output["request"]["uri"], trial.utilization) == ("/a", None)


def test_same_source_is_staged_once(through_proxy, proxy):
    functions = through_proxy.functions
    first = functions.stage(NAME, function_source())
    proxy.clear()
    assert functions.stage(NAME, function_source()) == first
    assert {request.method for request in proxy.seen} == {"GET"}


def test_function_of_another_runtime_is_brought_up_to_date(aws):
    aws.cloudfront.create_function(
        Name=NAME,
        FunctionConfig={"Comment": "by hand", "Runtime": "cloudfront-js-1.0"},
        FunctionCode=PASSTHROUGH.encode(),
    )
    get_backend().functions.stage(NAME, PASSTHROUGH)
    found = aws.cloudfront.describe_function(Name=NAME, Stage="DEVELOPMENT")
    config = found["FunctionSummary"]["FunctionConfig"]
    assert config["Runtime"] == "cloudfront-js-2.0"
    assert config["KeyValueStoreAssociations"]["Quantity"] == 1


def test_what_was_tried_is_what_goes_live(aws):
    functions = get_backend().functions
    etag = functions.stage(NAME, PASSTHROUGH)
    functions.stage(NAME, function_source())
    with pytest.raises(StaleEtag):
        functions.publish(NAME, if_match=etag)
    assert functions.live(NAME) is None
