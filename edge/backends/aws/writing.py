"""Writing many objects of a bucket at once: uploads, and copies inside the bucket.

S3 itself checks the bytes: the digest of an upload goes along, as its checksum and under the
signature, and what does not match it is refused. A copy's checksum comes back with the answer.
Source: "Checking object integrity for data uploads in Amazon S3".
"""

import base64
from collections.abc import Callable, Iterable
from functools import partial

from edge.backends.aws.errors import translated
from edge.backends.aws.requests import Answer, BucketRequests, no_body
from edge.backends.aws.signing import NOTHING
from edge.backends.bounded_map import bounded_map
from edge.backends.rules import changed, key_segments, open_body
from edge.errors import ObjectMissing
from edge.protocols import NewObject

AT_ONCE = 32
_OTHER_BYTES = frozenset({"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch"})


class BucketWriter:
    """Writes new objects of one bucket."""

    def __init__(self, requests: BucketRequests) -> None:
        self._requests = requests

    def put_all(
        self, objects: Iterable[NewObject], *, on_stored: Callable[[NewObject], None]
    ) -> None:
        bounded_map(self._put, objects, at_once=AT_ONCE, on_done=on_stored)

    def _put(self, new: NewObject) -> None:
        key_segments(new.key)
        if not (new.copy_of and self._copied(new)):
            self._uploaded(new)

    def _uploaded(self, new: NewObject) -> None:
        headers = _headers(new) | {
            "content-length": str(new.size),
            "x-amz-checksum-sha256": _checksum(new),
        }
        with translated(f"Writing the object {new.key!r}"):
            answer = self._requests.send(
                "PUT", new.key, headers, payload=new.sha256, body=partial(open_body, new)
            )
            if answer.code in _OTHER_BYTES:
                raise changed(new, "its SHA-256 is another one")
            if answer.code:
                raise answer.error("PutObject")

    def _copied(self, new: NewObject) -> bool:
        """Copy inside the bucket; False where that is gone or holds something else."""
        headers = _headers(new) | {
            "content-length": "0",
            "x-amz-copy-source": self._requests.source(new.copy_of),
            "x-amz-metadata-directive": "REPLACE",
            "x-amz-checksum-algorithm": "SHA256",
        }
        with translated(f"Copying the object {new.copy_of!r}"):
            answer = self._requests.send("PUT", new.key, headers, payload=NOTHING, body=no_body)
            if _is_copied(answer, new):
                return True
            if answer.code and answer.code != "NoSuchKey":
                raise answer.error("CopyObject")
        if new.body is None:
            raise ObjectMissing(f"{new.copy_of!r} is gone, or another object.")
        return False


def _headers(new: NewObject) -> dict[str, str]:
    return {
        "cache-control": new.cache_control,
        "content-type": new.content_type,
        **{f"x-amz-meta-{name}": value for name, value in new.metadata.items()},
    }


def _is_copied(answer: Answer, new: NewObject) -> bool:
    """Whether the copy has the object's bytes; an endpoint that tells no checksum is believed."""
    return not answer.code and answer.element("ChecksumSHA256") in {"", _checksum(new)}


def _checksum(new: NewObject) -> str:
    return base64.b64encode(bytes.fromhex(new.sha256)).decode()
