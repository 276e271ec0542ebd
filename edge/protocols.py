"""What the edge needs of a back end, as small Protocols.

`local` answers them with a folder, database rows and QuickJS; `aws` with S3, the CloudFront
KeyValueStore, CloudFront Functions and invalidations. One contract suite runs against both
(tests/edge/backends/test_backend_contract.py).
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol


@dataclass(frozen=True, slots=True)
class ListedObject:
    """What a listing tells: size in bytes; `etag` is opaque, and changes with the content."""

    key: str
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class ObjectInfo(ListedObject):
    """What a HEAD tells. Metadata names are lower case, without the `x-amz-meta-` prefix."""

    content_type: str
    cache_control: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """One object, whole."""

    info: ObjectInfo
    body: bytes


@dataclass(frozen=True, slots=True)
class NewObject:
    """An object to write, of bytes known by their SHA-256 (hex) and size.

    They are copied inside the store from the key `copy_of` where it has them, and otherwise come
    from `body`. One of the two is given at least.
    """

    key: str
    sha256: str
    size: int
    content_type: str
    cache_control: str
    metadata: Mapping[str, str]
    body: bytes | Path | None = None
    copy_of: str = ""


class ObjectStore(Protocol):
    """Files by key. Keys are relative paths with `/`, without `.` or `..` segments."""

    def head(self, key: str) -> ObjectInfo | None:
        """Tell of one object, or None where there is none."""

    def get(self, key: str) -> StoredObject:
        """Read one object. Raises ObjectMissing."""

    def put(
        self,
        key: str,
        body: bytes | Path,
        *,
        content_type: str,
        cache_control: str,
        metadata: Mapping[str, str] | None = None,
    ) -> ObjectInfo:
        """Write one object, whole or not at all, over whatever the key held."""

    def copy(self, source: str, target: str, *, metadata: Mapping[str, str]) -> ObjectInfo:
        """Copy inside the store, keeping type and cache rule, with new metadata.

        Raises ObjectMissing.
        """

    def put_all(
        self, objects: Iterable[NewObject], *, on_stored: Callable[[NewObject], None]
    ) -> None:
        """Write many objects at once, in no order, each whole or not at all.

        `on_stored` is told of one object at a time, when the store has confirmed its bytes. Raises
        the first error met, when all that was under way has ended: ObjectMissing where there is
        nothing to copy and no body, ContentChanged where the bytes are not those the digest names.
        """

    def list(self, prefix: str) -> Iterator[ListedObject]:
        """List objects whose key starts with `prefix`, in the order of their keys."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; a key that holds none is passed over."""


class KeyValueStore(Protocol):
    """Small values by key, with one ETag for the whole store.

    Limits: key 512 bytes, key and value together 1,024 bytes, 50 keys in one update
    (CloudFront KeyValueStore quotas). Raises LimitExceeded before anything is written.
    """

    def etag(self) -> str:
        """Tell the ETag of the whole store; any write changes it."""

    def get(self, key: str) -> str | None:
        """Read one value, or None."""

    def items(self) -> dict[str, str]:
        """Read everything."""

    def update(self, *, puts: Mapping[str, str], deletes: Iterable[str] = (), if_match: str) -> str:
        """Write and delete all or nothing; tell the new ETag.

        Raises StaleEtag when `if_match` is not the store's ETag, LimitExceeded.
        """


@dataclass(frozen=True, slots=True)
class PublishedFunction:
    """A function as viewers meet it. `digest` is the SHA-256 of its source in hex."""

    name: str
    source: str
    digest: str


@dataclass(frozen=True, slots=True)
class FunctionTest:
    """What a trial run gave: the event's request or response, or the error.

    `utilization` is CloudFront's ComputeUtilization in percent where the back end tells it.
    """

    output: Mapping[str, Any] | None
    error: str
    utilization: int | None = None


class FunctionHost(Protocol):
    """Where edge functions live. Each has a development stage and a live one."""

    def live(self, name: str) -> PublishedFunction | None:
        """Read what viewers meet, or None before the first publication."""

    def stage(self, name: str, source: str) -> str:
        """Create or update the development stage; tell its ETag.

        Raises LimitExceeded (10,240 bytes), FunctionFailed (syntax).
        """

    def test(self, name: str, event: Mapping[str, Any], *, if_match: str) -> FunctionTest:
        """Run the development stage on one event.

        Raises StaleEtag, LimitExceeded (more than 70 % of the time CloudFront allows).
        """

    def publish(self, name: str, *, if_match: str) -> None:
        """Make the development stage live. Raises StaleEtag."""


DEPLOYED = "Deployed"


class Distribution(Protocol):
    """CDN distributions, by id: what caches. The local back end has one cache for all ids."""

    def invalidate(self, distribution: str, paths: Iterable[str], *, reference: str) -> int:
        """Drop cached paths (`*` only at the end); tell how many. Same reference: done once.

        Limits: 3,000 paths, 15 of them with `*`. Raises LimitExceeded before anything is sent,
        InvalidationsInProgress when those in progress leave no room for them.
        """

    def in_progress(self, distribution: str) -> list[str]:
        """List the paths that were asked for and are not dropped everywhere yet."""

    def status(self, distribution: str) -> str:
        """Tell `Deployed`, or `InProgress` while a change is on its way to the edges."""


@dataclass(frozen=True, slots=True)
class ViewerResponse:
    """What a viewer got. Header names are lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Viewer(Protocol):
    """Somebody in front of the edge, for probing."""

    def fetch(self, host: str, path: str, *, cookie: str = "") -> ViewerResponse:
        """GET a path as a browser would, with a Cookie header. Raises BackendUnavailable."""


class Origins(Protocol):
    """Hosts that are answered without the function, from below a fixed prefix of the store."""

    def prefix(self, host: str) -> str:
        """Tell the prefix (`live/production/`), or nothing where the function runs."""

    def point(self, hosts: Iterable[str], prefix: str) -> None:
        """Answer hosts from below a prefix; with none, through the function again."""


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What a look at one part of the back end found; `hint` says what to do about a fault."""

    name: str
    ok: bool
    message: str
    hint: str = ""


class Diagnostics(Protocol):
    """A back end that can look at itself: credentials, permissions, clock, space."""

    def diagnose(self) -> list[Diagnosis]:
        """Look, change nothing, raise nothing that is a finding."""


@dataclass(frozen=True, slots=True)
class Measure:
    """What is asked for: a metric by the name its service gives it, of one thing.

    `statistic` is how values of one period are put together: `Sum` or `Average`.
    """

    dimension: str
    subject: str
    metric: str
    statistic: Literal["Sum", "Average"]


class Metrics(Protocol):
    """What a back end counted at its viewers."""

    def read(
        self, measures: Sequence[Measure], *, start: datetime, end: datetime, period: int
    ) -> list[list[float | None]]:
        """Read each measure's values, one for each `period` seconds from `start` on.

        None where nothing was counted. Raises BackendUnavailable.
        """


@dataclass(frozen=True, slots=True)
class Backend:
    """One back end, whole. `origins` is None where distributions are configured elsewhere."""

    name: str
    objects: ObjectStore
    keyvalues: KeyValueStore
    functions: FunctionHost
    distribution: Distribution
    viewer: Viewer
    origins: Origins | None = None
    diagnostics: Diagnostics | None = None
    metrics: Metrics | None = None
