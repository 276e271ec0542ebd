"""Many objects at once over S3: signatures, second attempts and errors."""

import hashlib
from collections import Counter
from contextlib import closing
from dataclasses import replace
from types import SimpleNamespace
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest, AWSResponse
from botocore.credentials import ReadOnlyCredentials

from edge.backends.aws.bulk import NOTHING
from edge.backends.aws.clients import PATIENCE, Patience, make_clients
from edge.backends.aws.sending import Answer, Sender, _url_of, no_body
from edge.backends.aws.window import FIRST, Window
from edge.errors import BackendRefused, BackendUnavailable
from edge.protocols import NewObject
from tests.aws import proxy as proxies
from tests.aws import stand_in
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


def sender_to(bucket):
    return Sender(make_clients(), bucket, Window())


@pytest.mark.parametrize("token", [None, "session"])
@pytest.mark.parametrize("key", ["a", "müll/a b+c~(1)&'*.html", "a=b/100%"])
def test_signature_is_the_one_botocore_makes(aws_environ, monkeypatch, key, token, time_machine):
    time_machine.move_to("2026-11-21T04:05:06Z", tick=False)
    if token:
        monkeypatch.setenv("AWS_SESSION_TOKEN", token)
    path = "/pages/" + quote(key)
    headers = {"content-type": " text/html;  charset=utf-8 ", "x-amz-meta-release": "r1"}
    sent = sender_to("pages")._signed(path, headers, DIGEST)
    request = AWSRequest(
        "PUT", f"http://{sent['host']}{path}", {**headers, "x-amz-content-sha256": DIGEST}, b"text"
    )
    credentials = ReadOnlyCredentials("test", "test", token)
    S3SigV4Auth(credentials, "s3", "us-east-1").add_auth(request)
    assert sent["Authorization"] == request.headers["Authorization"]
    assert sent.get("X-Amz-Security-Token") == token


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
        (503, "SlowDown", BackendUnavailable, "throttling", 2),
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
    assert "the endpoint did not answer (" in failed.value.message
    assert "AWS_ENDPOINT_URL" in failed.value.hint


def test_connections_do_not_wait_for_the_next_time(through_proxy, proxy):
    """A gateway forgets those that were idle for minutes, and resets the next request on them."""
    known = set()

    def remember(handler, body):
        known.add(handler.client_address)
        handler.forward(body)

    proxy.clear(Fault(1, remember, lasting=True))
    put_all(through_proxy, *(new_object(f"a{n}") for n in range(64)))
    forgotten = Fault(1, remember, lasting=True)
    before = set(known)
    proxy.clear(forgotten)
    put_all(through_proxy, *(new_object(f"a{n}") for n in range(64)))
    assert before
    assert len(known) > len(before)


def test_throttling_halves_what_is_in_flight(through_proxy, proxy):
    window = Window()
    proxy.clear(Fault(1, proxies.answering(503, "SlowDown")))
    with closing(Sender(through_proxy.objects.clients, stand_in.BUCKET, window)) as sender:
        answer = sender.put("a", {"content-length": "0"}, payload=NOTHING, body=no_body)
    assert (answer.code, len(proxy.seen)) == ("", 2)
    assert window.size == FIRST // 2


def test_answer_may_take_longer_than_a_connection(through_proxy, proxy):
    through_proxy.objects.clients.patience = Patience(connect_seconds=0.5, read_seconds=20)
    proxy.latency = 1
    assert put_all(through_proxy, new_object()) == ["a"]
    assert len(proxy.seen) == 1


def test_answer_that_is_late_halves_what_is_in_flight(through_proxy, proxy):
    window = Window()
    through_proxy.objects.clients.patience = replace(PATIENCE, read_seconds=0.3, pause_seconds=0)
    proxy.clear(Fault(1, proxies.hang))
    with closing(Sender(through_proxy.objects.clients, stand_in.BUCKET, window)) as sender:
        answer = sender.put("a", {"content-length": "0"}, payload=NOTHING, body=no_body)
    assert (answer.code, len(proxy.seen)) == ("", 2)
    assert window.size == FIRST // 2


def test_throttled_objects_are_all_written(through_proxy, proxy):
    """Every fifth object is refused until its last try but one."""
    tries = Counter()

    def is_refused(request):
        tries[request.path] += 1
        number = int(request.path.rpartition("/a")[2])
        return number % 5 == 0 and tries[request.path] < PATIENCE.attempts - 1

    slow_down = Fault(1, proxies.answering(503, "SlowDown"), lasting=True, when=is_refused)
    proxy.clear(slow_down)
    through_proxy.objects.clients.patience = replace(PATIENCE, pause_seconds=0)
    assert len(put_all(through_proxy, *(new_object(f"a{n}") for n in range(200)))) == 200
    assert slow_down.met > 20


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
    assert _url_of(clients, bucket).geturl() == url
    assert asked == [f"{url}key"]


def test_bucket_of_another_region_is_named(through_proxy, proxy):
    proxy.clear(Fault(1, proxies.answering(301, "PermanentRedirect"), lasting=True))
    with pytest.raises(BackendRefused) as failed:
        put_all(through_proxy, new_object())
    assert "PermanentRedirect" in failed.value.message
    assert "AWS_DEFAULT_REGION" in failed.value.hint


def test_answer_has_code_and_checksum():
    assert Answer(200, b"<CopyObjectResult><ETag>x</ETag></CopyObjectResult>").code == ""
    assert Answer(404, b"").code == "404"
    refused = Answer(400, b"<Error><Code>BadDigest</Code><Message>a &lt; b</Message></Error>")
    assert (refused.code, refused.element("Message")) == ("BadDigest", "a < b")
    error = refused.error("PutObject").response
    assert error["ResponseMetadata"]["HTTPStatusCode"] == 400
