"""Every error of botocore's becomes one of the edge's, with a hint and without a secret."""

import botocore.exceptions
import pytest
from botocore.exceptions import ClientError
from botocore.parsers import ResponseParserError

from edge.backends import get_backend
from edge.backends.aws.backend import aws_backend
from edge.backends.aws.errors import translated
from edge.backends.aws.stacks import get_stacks
from edge.errors import (
    BackendRefused,
    BackendUnavailable,
    EdgeError,
    InvalidationsInProgress,
    LimitExceeded,
    StaleEtag,
)
from edge.functions.shipped import function_source
from tests.aws import proxy as proxies
from tests.aws.proxy import Fault

SECRET = "wJalrXUtnFEMI"


def answered(code, status=400, message="AWS's words"):
    return ClientError(
        {
            "Error": {"Code": code, "Message": message},
            "ResponseMetadata": {"HTTPStatusCode": status},
        },
        "Operation",
    )


def told(error):
    with pytest.raises(EdgeError) as failed, translated("Doing it"):
        raise error
    assert failed.value.hint
    assert failed.value.message.startswith("Doing it failed: ")
    return failed.value


@pytest.mark.parametrize(
    ("code", "kind", "hint"),
    [
        ("ConflictException", StaleEtag, "Run it again"),
        ("PreconditionFailed", StaleEtag, "Run it again"),
        ("AccessDenied", BackendRefused, "permission"),
        ("ExpiredToken", BackendRefused, "expired"),
        ("SignatureDoesNotMatch", BackendRefused, "AWS_SECRET_ACCESS_KEY"),
        ("RequestTimeTooSkewed", BackendRefused, "clock"),
        ("NoSuchBucket", BackendRefused, "EDGE_BUCKET"),
        ("EntityNotFound", BackendRefused, "EDGE_KEY_VALUE_STORE"),
        ("NoSuchDistribution", BackendRefused, "distribution"),
        ("TooManyInvalidationsInProgress", InvalidationsInProgress, "Wait"),
        ("FunctionSizeLimitExceeded", LimitExceeded, "smaller"),
        ("SlowDown", BackendUnavailable, "throttling"),
        ("RequestTimeout", BackendUnavailable, "Run it again"),
        ("NeverHeardOf", BackendRefused, "Fix the problem"),
    ],
)
def test_code_gets_its_class_and_hint(code, kind, hint):
    error = told(answered(code))
    assert type(error) is kind
    assert code in error.message
    assert hint in error.hint
    assert error.is_outage is (kind in {BackendUnavailable, InvalidationsInProgress})


@pytest.mark.parametrize(("status", "kind"), [
    (403, BackendRefused), (404, BackendRefused), (409, BackendUnavailable),
    (500, BackendUnavailable), (503, BackendUnavailable),
])  # fmt: skip
def test_unknown_code_is_judged_by_its_status(status, kind):
    assert type(told(answered("NeverHeardOf", status))) is kind


def test_stale_etag_of_the_key_value_store_is_told_as_invalid():
    """So others met it; the model's ConflictException is understood too."""
    assert type(told(answered("ValidationException", 400, "Pre-Condition failed"))) is StaleEtag
    refused = told(answered("ValidationException", 400, "Key is too long"))
    assert type(refused) is BackendRefused
    assert "Key is too long" in refused.message


@pytest.mark.parametrize("status", [400, 403])
def test_head_has_a_status_and_no_code(status):
    """An expired token, another region, a wrong key or clock, a denial: all look like this."""
    error = told(answered(str(status), status))
    assert type(error) is BackendRefused
    for cause in ("permission", "expired", "region", "clock", "doctor"):
        assert cause in error.hint


def test_aws_names_the_permission_that_is_missing():
    words = "User: arn:aws:iam::1:user/ci is not authorized to perform: s3:PutObject"
    assert "s3:PutObject" in told(answered("AccessDenied", 403, words)).message


def test_what_aws_says_of_a_signature_is_not_told():
    error = told(answered("SignatureDoesNotMatch", 403, f"The signature of {SECRET} differs"))
    assert SECRET not in str(error)


@pytest.mark.parametrize(
    ("error", "hint"),
    [
        (botocore.exceptions.NoCredentialsError(), "AWS_PROFILE"),
        (botocore.exceptions.ProfileNotFound(profile="x"), "AWS_PROFILE"),
        (botocore.exceptions.NoRegionError(), "AWS_DEFAULT_REGION"),
        (
            botocore.exceptions.EndpointConnectionError(endpoint_url="http://x/jobs/1.json"),
            "AWS_ENDPOINT_URL",
        ),
        (botocore.exceptions.ReadTimeoutError(endpoint_url="http://x"), "network"),
        (botocore.exceptions.ConnectionClosedError(endpoint_url="http://x"), "network"),
        (botocore.exceptions.MissingDependencyException(msg="awscrt"), "boto3[crt]"),
        (botocore.exceptions.ParamValidationError(report="x"), "EDGE_BUCKET"),
        (botocore.exceptions.EndpointResolutionError(msg="http://x"), "AWS_"),
        (ResponseParserError("<html>http://x</html>"), "proxy"),
    ],
    ids=lambda value: type(value).__name__,
)
def test_fault_on_this_side_gets_a_hint(error, hint):
    error = told(error)
    assert hint in error.hint
    assert "http://x" not in error.message


# Over the wire


def test_bucket_that_is_not_there(aws, settings):
    settings.EDGE_BUCKET = "nobodys-bucket"
    objects = get_backend().objects
    with pytest.raises(BackendRefused, match="EDGE_BUCKET"):
        objects.put("a", b"", content_type="text/plain", cache_control="")
    with pytest.raises(BackendRefused, match="EDGE_BUCKET"):
        list(objects.list(""))


def test_store_that_is_not_there(aws, settings):
    settings.EDGE_KEY_VALUE_STORE = "nobodys-store"
    with pytest.raises(BackendRefused, match="EDGE_KEY_VALUE_STORE"):
        get_backend().keyvalues.get("a")


def test_no_credentials(aws, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    backend = aws_backend.__wrapped__(bucket="bucket", key_value_store="store")
    with pytest.raises(BackendRefused, match="no usable credentials"):
        list(backend.objects.list(""))
    with pytest.raises(BackendRefused, match="no usable credentials"):
        backend.keyvalues.etag()


def test_endpoint_that_nobody_answers(aws, impatient, monkeypatch, unused_port):
    monkeypatch.setenv("HTTP_PROXY", f"http://127.0.0.1:{unused_port}")
    backend = aws_backend.__wrapped__(bucket="bucket", key_value_store="store")
    with pytest.raises(BackendUnavailable, match="did not answer"):
        backend.objects.head("a")


def test_profile_that_is_not_there(aws, monkeypatch):
    monkeypatch.setenv("AWS_PROFILE", "nobody")
    with pytest.raises(BackendRefused, match="no usable credentials"):
        aws_backend.__wrapped__(bucket="bucket", key_value_store="store")


def test_endpoint_that_is_no_address(aws, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL", "localhost")
    with pytest.raises(BackendRefused, match="AWS_ENDPOINT_URL"):
        aws_backend.__wrapped__(bucket="bucket", key_value_store="store")
    with pytest.raises(BackendRefused, match="AWS_ENDPOINT_URL"):
        get_stacks()


def test_answer_that_is_not_aws(through_proxy, proxy):
    def sign_in_page(handler, body):
        handler.answer(200, [("Content-Type", "text/html")], b"<html>Sign in<br></html>")

    proxy.clear(Fault(1, sign_in_page, lasting=True))
    with pytest.raises(BackendUnavailable, match="not from AWS"):
        through_proxy.distribution.status("E1")


def test_deletion_that_fails_for_some_keys_is_told(through_proxy, proxy):
    def refuse_one(handler, body):
        text = (b"<DeleteResult><Error><Key>a</Key><Code>AccessDenied</Code></Error>"
                b"</DeleteResult>")  # fmt: skip
        handler.answer(200, [("Content-Type", "application/xml")], text)

    proxy.clear(Fault(1, refuse_one))
    with pytest.raises(BackendRefused, match=r"1 of 2 .*s3:Del.* 'a', failed: .*AccessDenied"):
        through_proxy.objects.delete(["a", "b"])


@pytest.mark.parametrize("code", [b"InternalError", b"SlowDown"])
def test_deletion_that_may_succeed_later_is_an_outage(through_proxy, proxy, code):
    def fail_one(handler, body):
        text = b"<DeleteResult><Error><Key>a</Key><Code>" + code + b"</Code></Error></DeleteResult>"
        handler.answer(200, [("Content-Type", "application/xml")], text)

    proxy.clear(Fault(1, fail_one))
    with pytest.raises(BackendUnavailable, match=code.decode()) as failed:
        through_proxy.objects.delete(["a", "b"])
    assert failed.value.is_outage
    assert "s3:DeleteObject" not in failed.value.hint


def test_objects_are_deleted_by_the_thousand(through_proxy, proxy):
    through_proxy.objects.delete(f"a/{n}" for n in range(2500))
    assert [request.body.count(b"<Key>") for request in proxy.seen] == [1000, 1000, 500]


def test_keys_are_read_in_pages_of_fifty(through_proxy, proxy, aws):
    store = through_proxy.keyvalues
    for start in range(0, 120, 40):
        puts = {f"key-{n:03}": "v" for n in range(start, start + 40)}
        store.update(puts=puts, if_match=store.etag())
    proxy.clear()
    assert len(store.items()) == 120
    assert len(proxy.seen) == 3


def test_beyond_a_limit_nothing_is_sent(through_proxy, proxy):
    backend = through_proxy
    with pytest.raises(LimitExceeded):
        backend.keyvalues.update(puts={"k": "v" * 1024}, if_match="x")
    with pytest.raises(LimitExceeded):
        backend.functions.stage("f", function_source() + "/" * 10_240)
    with pytest.raises(LimitExceeded):
        backend.distribution.invalidate("E1", [f"/{n}" for n in range(3001)], reference="r")
    assert proxy.seen == []


def test_read_is_sent_again_until_it_is_answered(through_proxy, proxy):
    proxy.clear(Fault(1, proxies.answering(503, "SlowDown")))
    assert through_proxy.objects.head("a") is None
    assert len(proxy.seen) == 2


@pytest.mark.parametrize("change", [lambda body: body[:-1], lambda body: b"x" + body[1:]])
def test_answer_that_is_cut_short_or_damaged_is_an_outage(through_proxy, proxy, change):
    objects = through_proxy.objects
    objects.put("a", b"text", content_type="text/plain", cache_control="")

    def spoil(handler, body):
        status, headers, content = handler.ask(body)
        handler.answer(status, headers, change(content))
        handler.close_connection = True

    proxy.clear(Fault(1, spoil, lasting=True))
    with pytest.raises(BackendUnavailable) as failed:
        objects.get("a")
    assert failed.value.is_outage
    assert "truncated or damaged" in failed.value.message
