"""Signed requests about the objects of a bucket, for many at once.

boto3 takes 1.5 ms of processor time to send a small object, under Python's interpreter lock, so
that more threads do not help. urllib3, which boto3 sends with too, takes 0.35 ms where the AWS
Common Runtime signs, which boto3 signs with for the key-value store (docs/benchmarks.md). Where the
bucket is, who asks, and whose certificates are trusted is boto3's to say.
"""

import html
import random
import re
import ssl
import time
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, BinaryIO
from urllib.parse import SplitResult, quote, unquote, urlsplit

import urllib3
from awscrt import auth, http
from botocore import exceptions as boto
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from edge.backends.aws.errors import THROTTLED
from edge.backends.aws.window import MOST, Window

if TYPE_CHECKING:
    from edge.backends.aws.clients import AwsClients

BLOCK_BYTES = 2**18  # read from a file at a time
_SERVER_ERROR = 500
_AGAIN = THROTTLED | {"InternalError", "RequestTimeout", "ServiceUnavailable"}

Body = Callable[[], AbstractContextManager[BinaryIO | None]]


def no_body() -> AbstractContextManager[None]:
    """Return the body of a request that has none."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Answer:
    """S3's answer."""

    status: int
    body: bytes

    @property
    def code(self) -> str:
        """The error's code, or "". CopyObject can fail with status 200."""
        if self.status in range(200, 300) and b"<Error>" not in self.body:
            return ""
        return self.element("Code") or str(self.status)

    @property
    def may_succeed_later(self) -> bool:
        return self.status >= _SERVER_ERROR or self.code in _AGAIN

    def element(self, name: str) -> str:
        """Return the text of an XML element, or ""."""
        found = re.search(rb"<%s>([^<]*)<" % name.encode(), self.body)
        return html.unescape(found[1].decode(errors="replace")) if found else ""

    def error(self, operation: str) -> ClientError:
        """Return the error botocore would raise."""
        return ClientError(
            {
                "Error": {"Code": self.code, "Message": self.element("Message")},
                "ResponseMetadata": {"HTTPStatusCode": self.status},  # type: ignore[typeddict-item]
            },
            operation,
        )


class Sender:
    """Sends PUT requests to one bucket, over connections that it keeps until it is closed.

    Any number of threads may use it; they fill the window. Raises botocore's errors when made.
    """

    def __init__(self, clients: "AwsClients", bucket: str, window: Window) -> None:
        self._clients, self._bucket, self._window = clients, bucket, window
        url = _url_of(clients, bucket)
        self._host, self._path = url.netloc, url.path
        manager = _manager(clients, url.scheme, url.hostname or "")
        self._pool = manager.connection_from_url(url.geturl())
        # A proxy is sent the whole URL, unless it only passes an encrypted connection on.
        is_forwarded = manager.proxy is not None and url.scheme == "http"
        self._origin = f"http://{self._host}" if is_forwarded else ""

    def close(self) -> None:
        self._pool.close()

    def put(self, key: str, headers: Mapping[str, str], *, payload: str, body: Body) -> Answer:
        """Send a request, again after a pause where that may help, each time with a new body.

        `payload` is the body's SHA-256 in hex. The answer may be a refusal. Raises urllib3's errors
        where nothing answers, and botocore's without credentials.
        """
        patience = self._clients.patience
        for attempt in range(1, patience.attempts):
            try:
                answer = self._put_once(key, headers, payload, body)
            except urllib3.exceptions.HTTPError:
                pass
            else:
                if not answer.may_succeed_later:
                    return answer
            # At random, so that requests which failed together are not repeated together.
            pause = patience.pause_seconds * 2 ** (attempt - 1)
            time.sleep(pause * random.uniform(0.5, 1.5))  # noqa: S311
        return self._put_once(key, headers, payload, body)

    def source(self, key: str) -> str:
        """Return an object's name as the source of a copy."""
        return quote(f"/{self._bucket}/{key}")

    def _put_once(self, key: str, headers: Mapping[str, str], payload: str, body: Body) -> Answer:
        path = self._path + quote(key)
        signed = self._signed(path, headers, payload)
        sent_at = self._window.halved
        try:
            with body() as content:
                found = self._pool.urlopen(
                    "PUT",
                    self._origin + path,
                    body=content,
                    headers=signed,
                    retries=False,
                    redirect=False,
                    assert_same_host=False,  # a proxy has another one
                )
        except urllib3.exceptions.TimeoutError:
            # Too much at once makes answers late; the same again would make them later.
            self._window.slow_down(sent_at)
            raise
        answer = Answer(found.status, found.data)
        if answer.code in THROTTLED:
            self._window.slow_down(sent_at)
        else:
            self._window.answered()
        return answer

    def _signed(self, path: str, headers: Mapping[str, str], payload: str) -> dict[str, str]:
        """Return the headers and their signature: Signature Version 4, as S3 wants it."""
        credentials = self._clients.session.get_credentials()
        if credentials is None:
            raise boto.NoCredentialsError
        named = http.HttpHeaders([("host", self._host), *headers.items()])
        request = http.HttpRequest("PUT", path, named)
        config = auth.AwsSigningConfig(
            credentials_provider=_provider(credentials.get_frozen_credentials()),
            region=self._clients.region,
            service="s3",
            use_double_uri_encode=False,
            should_normalize_uri_path=False,
            signed_body_value=payload,
            signed_body_header_type=auth.AwsSignedBodyHeaderType.X_AMZ_CONTENT_SHA_256,
        )
        auth.aws_sign_request(request, config).result()
        return dict(request.headers)


@lru_cache(maxsize=1)  # a session's credentials are renewed now and then
def _provider(credentials: ReadOnlyCredentials) -> auth.AwsCredentialsProvider:
    return auth.AwsCredentialsProvider.new_static(
        credentials.access_key, credentials.secret_key, credentials.token
    )


def _url_of(clients: "AwsClients", bucket: str) -> SplitResult:
    """Return the URL that boto3 sends a bucket's requests to.

    A presigned one shows whether the bucket is named in the host or in the path. Its host may be
    the global one, which redirects to a bucket's region; the client's endpoint is the region's.
    """
    endpoint = urlsplit(clients.s3.meta.endpoint_url)
    named = {"Bucket": bucket, "Key": "key"}
    presigned = urlsplit(clients.s3.generate_presigned_url("put_object", named))
    if presigned.path == "/key":
        return endpoint._replace(netloc=f"{bucket}.{endpoint.netloc}", path="/")
    return endpoint._replace(path=f"{endpoint.path.rstrip('/')}/{bucket}/")


def _manager(clients: "AwsClients", scheme: str, host: str) -> urllib3.PoolManager:
    """Return urllib3's manager, behind the proxy that the environment names, as boto3 reads it."""
    patience = clients.patience
    options: dict[str, Any] = {
        "maxsize": MOST,
        "timeout": urllib3.Timeout(connect=patience.connect_seconds, read=patience.read_seconds),
        "blocksize": BLOCK_BYTES,
    }
    if scheme == "https":
        # Made once: urllib3 would read the certificates again for every connection.
        options["ssl_context"] = ssl.create_default_context(cafile=clients.ca_bundle)
    proxy = urllib.request.getproxies().get(scheme)
    if not proxy or urllib.request.proxy_bypass(host):
        return urllib3.PoolManager(**options)
    login = urlsplit(proxy).netloc.rpartition("@")[0]
    named = urllib3.make_headers(proxy_basic_auth=unquote(login)) if login else None
    return urllib3.ProxyManager(proxy, proxy_headers=named, **options)
