"""Requests about the objects of one bucket: many at once, signed, and sent again where that helps.

boto3 takes 1.6 ms of processor time to prepare and send a request, under Python's interpreter
lock, so that more threads do not help; this takes 0.4 ms. Where the bucket is and who asks is found
out as boto3 finds it out.
"""

import html
import random
import re
import time
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from email.message import Message
from functools import cached_property, partial
from typing import TYPE_CHECKING, BinaryIO
from urllib.parse import urlsplit

from botocore import exceptions as boto
from botocore.credentials import ReadOnlyCredentials
from botocore.exceptions import ClientError

from edge.backends.aws import clients
from edge.backends.aws.errors import THROTTLED
from edge.backends.aws.pace import Pace
from edge.backends.aws.signing import encoded, signed
from edge.backends.aws.wire import Connections

if TYPE_CHECKING:
    from edge.backends.aws.clients import AwsClients

PAUSE_SECONDS = 0.2  # before a second attempt, on average; doubled before every further one
_SERVER_ERROR = 500
# A HEAD is answered without a code. S3 tells so that the bucket is in another region.
_REDIRECT, _REDIRECT_CODE = 301, "PermanentRedirect"
_AGAIN = THROTTLED | {"InternalError", "RequestTimeout", "ServiceUnavailable"}

Body = Callable[[], AbstractContextManager[BinaryIO | None]]


def no_body() -> AbstractContextManager[None]:
    """Stand for the body of a request without one."""
    return nullcontext()


@dataclass(frozen=True, slots=True)
class Answer:
    """What S3 answered with. Names of headers are found in any case."""

    status: int
    headers: Message
    body: bytes

    @property
    def code(self) -> str:
        """The error's code, or nothing. CopyObject can fail with status 200."""
        if self.status in range(200, 300) and b"<Error>" not in self.body:
            return ""
        untold = _REDIRECT_CODE if self.status == _REDIRECT else str(self.status)
        return self.element("Code") or untold

    @property
    def may_succeed_later(self) -> bool:
        return self.status >= _SERVER_ERROR or self.code in _AGAIN

    def element(self, name: str) -> str:
        """Read an element of the XML, or nothing."""
        found = re.search(rb"<%s>([^<]*)<" % name.encode(), self.body)
        return html.unescape(found[1].decode(errors="replace")) if found else ""

    def error(self, operation: str) -> ClientError:
        """Make the error botocore would raise."""
        return ClientError(
            {
                "Error": {"Code": self.code, "Message": self.element("Message")},
                "ResponseMetadata": {"HTTPStatusCode": self.status},  # type: ignore[typeddict-item]
            },
            operation,
        )


class BucketRequests:
    """Sends requests about the objects of a bucket. Any number of threads may use it."""

    def __init__(self, clients: "AwsClients", bucket: str) -> None:
        self._clients, self._bucket = clients, bucket
        self._pace = Pace()

    def send(
        self, method: str, key: str, headers: Mapping[str, str], *, payload: str, body: Body
    ) -> Answer:
        """Send a request, a few times if need be, each time with a body opened anew.

        `payload` is the body's SHA-256 in hex. Raises botocore's errors where nobody answers; what
        was answered is for the caller to judge.
        """
        once = partial(self._once, method, key, headers, payload, body)
        anew = False
        for attempt in range(1, clients.ATTEMPTS):
            try:
                answer = once(anew=anew)
            except (boto.HTTPClientError, boto.ConnectionError):
                # What closed this one may have closed all that were kept: a gateway forgets those
                # that were idle for minutes, and tells so only to who uses them.
                anew = True
            else:
                if not answer.may_succeed_later:
                    return answer
            # At random, so that threads which failed together do not come back together.
            time.sleep(PAUSE_SECONDS * 2 ** (attempt - 1) * random.uniform(0.5, 1.5))  # noqa: S311
        return once(anew=anew)

    def source(self, key: str) -> str:
        """Name an object as the source of a copy."""
        return f"/{encoded(f'{self._bucket}/{key}')}"

    def _once(
        self,
        method: str,
        key: str,
        headers: Mapping[str, str],
        payload: str,
        body: Body,
        *,
        anew: bool,
    ) -> Answer:
        place = self._place
        path = place.path + encoded(key)
        sent = signed(
            method,
            path,
            {**headers, "host": place.host},
            payload=payload,
            credentials=self._credentials(),
            region=self._clients.region,
        )
        self._pace.wait()
        with body() as content:
            answer = Answer(*place.connections.send(method, path, sent, content, anew=anew))
        self._pace.learn(answer.code)
        return answer

    def _credentials(self) -> ReadOnlyCredentials:
        found = self._clients.session.get_credentials()
        if found is None:
            raise boto.NoCredentialsError
        return found.get_frozen_credentials()

    @cached_property
    def _place(self) -> "_Place":
        """Find out where boto3 would send requests: the bucket in the host's name, or in the path.

        The host is the client's endpoint, because that of a presigned URL is the global one.
        """
        endpoint = urlsplit(self._clients.s3.meta.endpoint_url)
        named = {"Bucket": self._bucket, "Key": "key"}
        presigned = urlsplit(self._clients.s3.generate_presigned_url("put_object", named))
        if presigned.path != "/key":
            path = f"{endpoint.path.rstrip('/')}/{self._bucket}/"
            return _Place(endpoint.netloc, path, Connections(endpoint))
        host = f"{self._bucket}.{endpoint.netloc}"
        return _Place(host, "/", Connections(endpoint._replace(netloc=host)))


@dataclass(frozen=True, slots=True)
class _Place:
    host: str
    path: str
    connections: Connections
