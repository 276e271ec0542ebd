"""Many objects at once over S3: what is signed, what is sent again, and what is told."""

import hashlib
from email.message import Message
from types import SimpleNamespace

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.credentials import ReadOnlyCredentials
from urllib3.util.wait import wait_for_read

from edge.backends.aws import clients
from edge.backends.aws.clients import make_clients
from edge.backends.aws.requests import Answer, BucketRequests
from edge.backends.aws.signing import encoded, signed
from edge.errors import BackendRefused, BackendUnavailable
from edge.protocols import NewObject
from tests.aws import proxy as proxies
from tests.aws.proxy import Fault

DIGEST = hashlib.sha256(b"text").hexdigest()


def new_object(key="a", **fields):
    return NewObject(
        key=key,
        sha256=DIGEST,
        size=4,
        content_type="text/html; charset=utf-8",
        cache_control="public, max-age=5",
        metadata={"release": "r1"},
        **{"body": b"text", **fields},
    )


def put_all(backend, *objects):
    told = []
    backend.objects.put_all(objects, on_stored=lambda new: told.append(new.key))
    return sorted(told)


@pytest.mark.parametrize("token", [None, "session"])
@pytest.mark.parametrize("key", ["a", "müll/a b+c~(1)&'*.html", "a=b/100%"])
def test_signature_is_the_one_botocore_makes(key, token, time_machine):
    time_machine.move_to("2026-11-21T04:05:06Z", tick=False)
    credentials = ReadOnlyCredentials("AKID", "secret", token)
    path = "/bucket/" + encoded(key)
    headers = {"host": "s3.test:4566", "content-type": " text/html;  charset=utf-8 "}
    request = AWSRequest(
        "PUT", f"http://s3.test:4566{path}", {**headers, "x-amz-content-sha256": DIGEST}, b"text"
    )
    S3SigV4Auth(credentials, "s3", "eu-west-1").add_auth(request)
    sent = signed("PUT", path, headers, payload=DIGEST, credentials=credentials, region="eu-west-1")
    assert sent["authorization"] == request.headers["Authorization"]
    assert sent.get("x-amz-security-token") == token


@pytest.mark.parametrize(
    "spoil",
    [
        proxies.reset,
        proxies.lose_answer,
        proxies.answering(500, "InternalError"),
        proxies.answering(503, "SlowDown"),
        proxies.answering(400, "RequestTimeout"),
        proxies.answering(200, "InternalError"),  # as CopyObject fails half way
    ],
)
@pytest.mark.parametrize("source", ["", "there"])
def test_what_may_succeed_later_is_sent_again(through_proxy, proxy, spoil, source):
    put_all(through_proxy, new_object("there"))
    proxy.clear(Fault(1, spoil))
    assert put_all(through_proxy, new_object("a", copy_of=source, body=b"text")) == ["a"]
    assert through_proxy.objects.get("a").body == b"text"


@pytest.mark.parametrize(
    ("status", "code", "kind", "hint", "requests"),
    [
        (403, "AccessDenied", BackendRefused, "permission", 1),
        (404, "NoSuchBucket", BackendRefused, "EDGE_BUCKET", 1),
        (503, "SlowDown", BackendUnavailable, "throttles", 2),
        (500, "InternalError", BackendUnavailable, "Run it again", 2),
    ],
)
def test_refusal_becomes_an_error_of_ours(through_proxy, proxy, status, code, kind, hint, requests):
    proxy.clear(Fault(1, proxies.answering(status, code), lasting=True))
    with pytest.raises(kind) as failed:
        put_all(through_proxy, new_object())
    assert failed.value.message.startswith("Writing the object 'a' failed: ")
    assert code in failed.value.message
    assert hint in failed.value.hint
    assert len(proxy.seen) == requests


def test_nobody_answers(through_proxy, proxy):
    proxy.clear(Fault(1, proxies.reset, lasting=True))
    with pytest.raises(BackendUnavailable) as failed:
        put_all(through_proxy, new_object())
    assert "did not answer (ConnectionClosedError)" in failed.value.message
    assert "AWS_ENDPOINT_URL" in failed.value.hint


def test_connection_that_was_closed_meanwhile_is_not_used(through_proxy, proxy):
    def close(handler, body):
        handler.forward(body)
        handler.close_connection = True

    proxy.clear(Fault(1, close, lasting=True))
    assert put_all(through_proxy, *(new_object(f"a{n}") for n in range(64)))
    for connection in through_proxy.objects._requests._place.connections._idle:
        assert wait_for_read(connection.sock, timeout=5)  # the other end has closed it
    proxy.clear()
    assert through_proxy.objects.head("a1")
    assert len(proxy.seen) == 1


def test_connections_a_gateway_forgot_cost_one_attempt(through_proxy, proxy):
    """None of them looks closed: only who uses one is told."""
    assert put_all(through_proxy, *(new_object(f"a{n}") for n in range(64)))
    kept = through_proxy.objects._requests._place.connections._idle
    assert len(kept) > clients.ATTEMPTS
    forgotten = {connection.sock.getsockname() for connection in kept}

    def forget(handler, body):
        known = handler.client_address in forgotten
        proxies.reset(handler, body) if known else handler.forward(body)

    proxy.clear(Fault(1, forget, lasting=True))
    assert through_proxy.objects.head("a1")
    assert len(proxy.seen) == 2


def test_large_object_goes_from_the_file(through_proxy, tmp_path):
    content = b"0123456789" * 200_000
    (tmp_path / "large").write_bytes(content)
    new = NewObject(
        key="large",
        sha256=hashlib.sha256(content).hexdigest(),
        size=len(content),
        content_type="video/mp4",
        cache_control="no-store",
        metadata={},
        body=tmp_path / "large",
    )
    assert put_all(through_proxy, new) == ["large"]
    assert through_proxy.objects.get("large").body == content


@pytest.mark.parametrize(
    ("bucket", "url"),
    [
        ("pages", "https://pages.s3.eu-west-1.amazonaws.com/"),
        # No certificate covers a dot in the bucket's name.
        ("pages.example", "https://s3.eu-west-1.amazonaws.com/pages.example/"),
    ],
)
def test_bucket_is_addressed_as_boto3_does(aws_environ, monkeypatch, bucket, url):
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    clients, asked = make_clients(), []

    def ask(request, **kwargs):
        asked.append(request.url)
        return AWSResponse(request.url, 200, {}, SimpleNamespace(stream=lambda: iter(())))

    clients.s3.meta.events.register("before-send.s3.HeadObject", ask)
    clients.s3.head_object(Bucket=bucket, Key="key")
    place = BucketRequests(clients, bucket)._place
    assert f"https://{place.host}{place.path}" == url
    assert asked == [f"{url}key"]


def test_bucket_of_another_region_is_named_by_a_look_at_an_object(through_proxy, proxy):
    """S3 answers a HEAD with 301 and no body."""
    proxy.clear(Fault(1, proxies.answering(301, ""), lasting=True))
    with pytest.raises(BackendRefused) as failed:
        through_proxy.objects.head("a")
    assert "PermanentRedirect" in failed.value.message
    assert "AWS_DEFAULT_REGION" in failed.value.hint


def test_answer_tells_code_and_checksum():
    assert Answer(200, Message(), b"<CopyObjectResult><ETag>x</ETag></CopyObjectResult>").code == ""
    assert Answer(404, Message(), b"").code == "404"
    refused = Answer(
        400, Message(), b"<Error><Code>BadDigest</Code><Message>a &lt; b</Message></Error>"
    )
    assert (refused.code, refused.element("Message")) == ("BadDigest", "a < b")
    error = refused.error("PutObject").response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
