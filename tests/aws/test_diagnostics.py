"""What `doctor` finds out about AWS."""

from datetime import timedelta

import pytest
import time_machine
from django.utils import timezone

from edge.backends import get_backend
from edge.backends.aws.backend import aws_backend
from edge.functions.shipped import function_name
from edge.routing import RoutingDocument
from tests.aws import proxy as proxies
from tests.aws.proxy import Fault
from tests.aws.stand_in import BUCKET, STORE

pytestmark = pytest.mark.django_db
SOURCE = b"function handler(event) { return event.request; }"


def findings():
    return {found.name: found for found in get_backend().diagnostics.diagnose()}


def test_nothing_is_wrong(aws):
    found = findings()
    assert set(found) == {"credentials", "clock", "region", "permissions", "SigV4A"}
    assert [one for one in found.values() if not one.ok] == []
    assert "000000000000" in found["credentials"].message


def test_missing_bucket_is_reported(aws, settings):
    settings.EDGE_BUCKET = "no-such-bucket"
    region = findings()["region"]
    assert not region.ok
    assert "no-such-bucket" in region.message
    assert "EDGE_BUCKET" in region.hint


def test_without_credentials_nothing_else_is_asked(aws, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    backend = aws_backend.__wrapped__(bucket=BUCKET, key_value_store=STORE)
    found = {one.name: one for one in backend.diagnostics.diagnose()}
    assert set(found) == {"credentials", "SigV4A"}
    assert "AWS_PROFILE" in found["credentials"].hint


@pytest.fixture
def served(aws):
    """Give production a function and a route, made by plain boto3."""
    name = function_name("production")
    config = {"Comment": "theirs", "Runtime": "cloudfront-js-2.0"}
    aws.cloudfront.create_function(Name=name, FunctionConfig=config, FunctionCode=SOURCE)
    etag = aws.keyvalues.describe_key_value_store(KvsARN=aws.arn)["ETag"]
    document = RoutingDocument("production", "20261121-004737-92076434").to_json()
    puts = [{"Key": "host:www.example.com", "Value": document}]
    aws.keyvalues.update_keys(KvsARN=aws.arn, IfMatch=etag, Puts=puts)
    return name


def test_trying_permissions_changes_nothing(aws, served):
    before = aws.values()
    described = aws.cloudfront.describe_function(Name=served, Stage="DEVELOPMENT")["ETag"]
    assert findings()["permissions"].message == "15 calls were tried, and none is denied"
    assert aws.values() == before
    after = aws.cloudfront.describe_function(Name=served, Stage="DEVELOPMENT")
    assert after["ETag"] == described
    assert aws.keys() == []
    with pytest.raises(aws.cloudfront.exceptions.NoSuchFunctionExists):
        aws.live_function(served)


@pytest.mark.parametrize(
    ("action", "when"),
    [
        ("s3:ListBucket", lambda request: request.method == "GET" and BUCKET in request.path),
        ("s3:GetObject", lambda request: request.path.endswith("/live/doctor")),
        ("cloudfront-keyvaluestore:UpdateKeys", lambda request: request.writes_keys),
        ("cloudfront:PublishFunction", lambda request: request.path.endswith("/publish")),
        ("cloudwatch:GetMetricData", lambda request: b"MetricDataQueries" in request.body),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_denied_call_is_reported_with_its_action(served, through_proxy, proxy, action, when):
    proxy.clear(Fault(1, proxies.answering(403, "AccessDenied"), lasting=True, when=when))
    faults = [one for one in through_proxy.diagnostics.diagnose() if not one.ok]
    assert [one.name for one in faults] == ["permissions"]
    assert faults[0].message.startswith(f"AWS denies {action} on ")
    assert "iam_policy --role deploy" in faults[0].hint


def test_outage_is_not_treated_as_a_missing_permission(served, through_proxy, proxy):
    failing = Fault(1, proxies.answering(500, "InternalError"), lasting=True, when=_publishes)
    proxy.clear(failing)
    found = {one.name: one for one in through_proxy.diagnostics.diagnose()}
    assert not found["permissions"].ok
    assert "iam_policy" not in found["permissions"].hint


def _publishes(request):
    return request.path.endswith("/publish")


def test_wrong_clock_is_reported(aws):
    with time_machine.travel(timezone.now() + timedelta(minutes=20), tick=False):
        clock = findings()["clock"]
    assert not clock.ok
    assert "NTP" in clock.hint
