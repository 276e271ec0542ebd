"""Writes many objects of a bucket at once: uploads, and copies inside the bucket.

S3 itself checks the bytes: the digest of an upload is sent with it, as its checksum and under the
signature, and S3 refuses what does not match. It answers a copy with the copy's checksum.
Source: "Checking object integrity for data uploads in Amazon S3".
"""

import base64
import hashlib
from collections.abc import Callable, Iterable
from contextlib import closing
from functools import partial
from typing import TYPE_CHECKING

from edge.backends.aws.errors import translated
from edge.backends.aws.sending import Answer, Sender, no_body
from edge.backends.aws.window import Window
from edge.backends.bounded_map import bounded_map
from edge.backends.rules import changed, key_segments, open_body
from edge.errors import ObjectMissing
from edge.protocols import NewObject

if TYPE_CHECKING:
    from edge.backends.aws.clients import AwsClients

NOTHING = hashlib.sha256(b"").hexdigest()
_OTHER_BYTES = frozenset({"BadDigest", "InvalidDigest", "XAmzContentSHA256Mismatch"})


def put_all(
    clients: "AwsClients",
    bucket: str,
    objects: Iterable[NewObject],
    *,
    on_stored: Callable[[NewObject], None],
) -> None:
    """Write objects as ObjectStore.put_all says."""
    window = Window()
    with translated(f"Finding the bucket {bucket!r}"):
        sender = Sender(clients, bucket, window)
    with closing(sender):
        work = partial(_put, sender)
        bounded_map(work, objects, at_once=lambda: window.size, on_done=on_stored)


def _put(sender: Sender, new: NewObject) -> None:
    key_segments(new.key)
    if not (new.copy_of and _is_copied(sender, new)):
        _upload(sender, new)


def _upload(sender: Sender, new: NewObject) -> None:
    headers = _headers(new) | {
        "content-length": str(new.size),
        "x-amz-checksum-sha256": _checksum(new),
    }
    with translated(f"Writing the object {new.key!r}"):
        answer = sender.put(new.key, headers, payload=new.sha256, body=partial(open_body, new))
        if answer.code in _OTHER_BYTES:
            raise changed(new, "its SHA-256 is another one")
        if answer.code:
            raise answer.error("PutObject")


def _is_copied(sender: Sender, new: NewObject) -> bool:
    """Copy inside the bucket; False where the source is gone or holds something else."""
    headers = _headers(new) | {
        "content-length": "0",
        "x-amz-copy-source": sender.source(new.copy_of),
        "x-amz-metadata-directive": "REPLACE",
        "x-amz-checksum-algorithm": "SHA256",
    }
    with translated(f"Copying the object {new.copy_of!r}"):
        answer = sender.put(new.key, headers, payload=NOTHING, body=no_body)
        if _has_bytes_of(answer, new):
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


def _has_bytes_of(copy: Answer, new: NewObject) -> bool:
    """Whether a copy has the object's bytes; an endpoint that gives no checksum is trusted."""
    return not copy.code and copy.element("ChecksumSHA256") in {"", _checksum(new)}


def _checksum(new: NewObject) -> str:
    return base64.b64encode(bytes.fromhex(new.sha256)).decode()
