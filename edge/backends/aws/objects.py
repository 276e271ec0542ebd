"""The object store in an S3 bucket."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError
from botocore.response import StreamingBody

from edge.backends.aws import bulk
from edge.backends.aws.errors import code_of, translated
from edge.backends.rules import key_segments, replaced
from edge.errors import KeyRefused, ObjectMissing
from edge.protocols import ListedObject, NewObject, ObjectInfo, StoredObject

if TYPE_CHECKING:
    from edge.backends.aws.clients import AwsClients

DELETED_AT_ONCE = 1_000  # the limit of DeleteObjects
# A HEAD has no body, so its error carries the status alone.
_MISSING = frozenset({"404", "NoSuchKey", "NotFound"})


class S3Store:
    """An ObjectStore in a bucket.

    Bytes are known by their SHA-256: an ETag is an MD5 only where no KMS key encrypts. boto3 sends
    every request but those of `put_all`.
    """

    def __init__(self, clients: "AwsClients", bucket: str) -> None:
        self.clients, self._client = clients, clients.s3
        self._bucket = bucket

    def head(self, key: str) -> ObjectInfo | None:
        try:
            return self._head(key)
        except ObjectMissing:
            return None

    def get(self, key: str) -> StoredObject:
        with translated(f"Reading the object {key!r}"), _absence_told(key):
            answer = self._client.get_object(Bucket=self._bucket, Key=key)
            return StoredObject(info=_info(key, answer), body=answer["Body"].read())

    def open_part(self, key: str, *, start: int, end: int, if_match: str) -> "AnswerPart":
        with translated(f"Reading the object {key!r}"), _absence_told(key):
            answer = self._client.get_object(
                Bucket=self._bucket, Key=key, Range=f"bytes={start}-{end - 1}", IfMatch=if_match
            )
        return AnswerPart(key, answer["Body"])

    def put(
        self,
        key: str,
        body: bytes | Path,
        *,
        content_type: str,
        cache_control: str,
        metadata: Mapping[str, str] | None = None,
        if_match: str | None = None,
    ) -> ObjectInfo:
        key_segments(key)
        size = len(body) if isinstance(body, bytes) else body.stat().st_size
        opened = nullcontext(body) if isinstance(body, bytes) else body.open("rb")
        writing = translated(f"Writing the object {key!r}")
        with opened as content, writing, _replacement_told(key, if_match):
            answer = self._client.put_object(
                Bucket=self._bucket,
                Key=key,
                Body=content,
                ContentType=content_type,
                CacheControl=cache_control,
                Metadata=dict(metadata or {}),
                **_condition(if_match),
            )
        return ObjectInfo(
            key=key,
            size=size,
            etag=answer["ETag"],
            content_type=content_type,
            cache_control=cache_control,
            metadata=dict(metadata or {}),
        )

    def copy(self, source: str, target: str, *, metadata: Mapping[str, str]) -> ObjectInfo:
        key_segments(target)
        found = self._head(source)
        with translated(f"Copying the object {source!r}"), _absence_told(source):
            # REPLACE takes nothing over, so type and cache rule are named again.
            answer = self._client.copy_object(
                Bucket=self._bucket,
                Key=target,
                CopySource={"Bucket": self._bucket, "Key": source},
                CopySourceIfMatch=found.etag,
                MetadataDirective="REPLACE",
                ContentType=found.content_type,
                CacheControl=found.cache_control,
                Metadata=dict(metadata),
            )
        return ObjectInfo(
            key=target,
            size=found.size,
            etag=answer["CopyObjectResult"]["ETag"],
            content_type=found.content_type,
            cache_control=found.cache_control,
            metadata=dict(metadata),
        )

    def put_all(
        self, objects: Iterable[NewObject], *, on_stored: Callable[[NewObject], None]
    ) -> None:
        bulk.put_all(self.clients, self._bucket, objects, on_stored=on_stored)

    def list(self, prefix: str) -> Iterator[ListedObject]:
        pages = self._client.get_paginator("list_objects_v2")
        with translated(f"Listing {prefix!r}"):
            for page in pages.paginate(Bucket=self._bucket, Prefix=prefix):
                for item in page.get("Contents", []):
                    yield ListedObject(key=item["Key"], size=item["Size"], etag=item["ETag"])

    def delete(self, keys: Iterable[str]) -> None:
        wanted = [key for key in keys if _is_possible(key)]
        for start in range(0, len(wanted), DELETED_AT_ONCE):
            self._delete(wanted[start : start + DELETED_AT_ONCE])

    def _head(self, key: str) -> ObjectInfo:
        with translated(f"Looking at the object {key!r}"), _absence_told(key):
            answer = self._client.head_object(Bucket=self._bucket, Key=key)
        return _info(key, answer)

    def _delete(self, keys: Sequence[str]) -> None:
        with translated(f"Deleting {len(keys)} objects"):
            answer = self._client.delete_objects(
                Bucket=self._bucket,
                Delete={"Objects": [{"Key": key} for key in keys], "Quiet": True},
            )
        failed = answer.get("Errors", [])
        if failed:
            # The request itself succeeded: the response lists the keys that failed.
            count, first = f"{len(failed)} of {len(keys)} objects", failed[0].get("Key")
            with translated(f"Deleting {count} (s3:DeleteObject), first {first!r},"):
                raise ClientError({"Error": _code_and_message(failed[0])}, "DeleteObjects")


class AnswerPart:
    """The bytes of a ranged GET, as they arrive."""

    def __init__(self, key: str, body: StreamingBody) -> None:
        self._key, self._body = key, body

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes. Raises BackendUnavailable."""
        with translated(f"Reading the object {self._key!r}"):
            return self._body.read(None if size < 0 else size)

    def close(self) -> None:
        self._body.close()


def _code_and_message(told: Any) -> Any:
    return {name: told.get(name, "") for name in ("Code", "Message")}


@contextmanager
def _absence_told(key: str) -> Iterator[None]:
    """Raise ObjectMissing where there is no such key, or cannot be one."""
    try:
        key_segments(key)
        yield
    except KeyRefused:
        raise _missing(key) from None
    except ClientError as error:
        if code_of(error) in _MISSING:
            raise _missing(key) from None
        raise


def _condition(if_match: str | None) -> dict[str, Any]:
    if if_match is None:
        return {}
    return {"IfMatch": if_match} if if_match else {"IfNoneMatch": "*"}


@contextmanager
def _replacement_told(key: str, if_match: str | None) -> Iterator[None]:
    """Raise StaleEtag where the object to replace is gone: S3 then says that there is no key."""
    try:
        yield
    except ClientError as error:
        if if_match and code_of(error) in _MISSING:
            raise replaced(key) from None
        raise


def _missing(key: str) -> ObjectMissing:
    return ObjectMissing(f"There is no object {key!r}.")


def _is_possible(key: str) -> bool:
    try:
        key_segments(key)
    except KeyRefused:
        return False
    return True


def _info(key: str, answer: Any) -> ObjectInfo:
    """Read the answer to a GET or a HEAD."""
    return ObjectInfo(
        key=key,
        size=answer["ContentLength"],
        etag=answer["ETag"],
        content_type=answer.get("ContentType", ""),
        cache_control=answer.get("CacheControl", ""),
        metadata=answer.get("Metadata", {}),
    )
