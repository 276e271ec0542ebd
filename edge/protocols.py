"""The contract between the edge and its back ends.

A back end is a `Backend`: parts that satisfy the protocols below, and facts about it. `local`
implements them with a folder, database rows and QuickJS; `aws` with S3, CloudFront KeyValueStore,
CloudFront Functions, invalidations and CloudWatch. The same tests run against both
(tests/edge/backends/test_backend_contract.py).

Any method may raise BackendUnavailable, or BackendRefused, where the back end cannot be reached or
refuses; docstrings list only the other errors. Methods may be called from several threads.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, Protocol

from edge.limits import Limits
from edge.pricing import Pricing


@dataclass(frozen=True, slots=True)
class ListedObject:
    """An object as listings show it.

    `size` is in bytes. `etag` is opaque and changes with the content.
    """

    key: str
    size: int
    etag: str


@dataclass(frozen=True, slots=True)
class ObjectInfo(ListedObject):
    """An object without its content.

    Names in `metadata` are in lower case, without the prefix `x-amz-meta-`.
    """

    content_type: str
    cache_control: str
    metadata: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class StoredObject:
    """An object with its content."""

    info: ObjectInfo
    body: bytes


@dataclass(frozen=True, slots=True)
class NewObject:
    """An object to write, whose bytes are known by their SHA-256 (hex) and size.

    If the key `copy_of` holds those bytes, they are copied inside the store; otherwise they are
    read from `body`. At least one of the two is given.
    """

    key: str
    sha256: str
    size: int
    content_type: str
    cache_control: str
    metadata: Mapping[str, str]
    body: bytes | Path | None = None
    copy_of: str = ""


class ByteStream(Protocol):
    """Bytes that are read once, from the beginning to the end. The reader closes it."""

    def read(self, size: int = -1, /) -> bytes:
        """Return at most `size` bytes, or all that are left; no bytes mean the end."""

    def close(self) -> None:
        """Release what the stream holds: a file or a connection."""


class ObjectStore(Protocol):
    """Files by key.

    Keys are relative paths with `/` between segments, at most 1,024 bytes long. Writing to any
    other key raises KeyRefused; reading from one finds nothing.
    """

    def head(self, key: str) -> ObjectInfo | None:
        """Return an object without its content, or None if there is none."""

    def get(self, key: str) -> StoredObject:
        """Return an object. Raises ObjectMissing."""

    def open_part(self, key: str, *, start: int, end: int, if_match: str) -> ByteStream:
        """Open the bytes of an object from `start` up to `end`, of which there is at least one.

        No other bytes are read. If the object is replaced or deleted before the stream ends, the
        stream continues with the former bytes or fails. Raises ObjectMissing, and StaleEtag if
        `if_match` is not the object's ETag.
        """

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
        """Write one object atomically, replacing the one that the key held.

        With `if_match` only an object with this ETag is replaced; with "" there must be none.
        Raises StaleEtag otherwise, having written nothing.
        """

    def copy(self, source: str, target: str, *, metadata: Mapping[str, str]) -> ObjectInfo:
        """Copy an object inside the store, with new metadata.

        Content type and cache rule are kept. Raises ObjectMissing.
        """

    def put_all(
        self, objects: Iterable[NewObject], *, on_stored: Callable[[NewObject], None]
    ) -> None:
        """Write many objects in parallel, in any order, each atomically.

        `on_stored` is called for one object at a time, once the store has confirmed its bytes.
        Raises the first error met, after all writes in progress have ended: ObjectMissing if there
        is nothing to copy and no body, ContentChanged if the bytes do not have the given digest.
        """

    def list(self, prefix: str) -> Iterator[ListedObject]:
        """Iterate over the objects whose key starts with `prefix`, in the order of their keys."""

    def delete(self, keys: Iterable[str]) -> None:
        """Delete objects; keys without one are skipped."""


class KeyValueStore(Protocol):
    """Small values by key, with one ETag for the whole store."""

    def etag(self) -> str:
        """Return the ETag of the store. Every write changes it."""

    def get(self, key: str) -> str | None:
        """Return a value, or None if the key does not exist."""

    def items(self) -> dict[str, str]:
        """Return all keys with their values."""

    def update(self, *, puts: Mapping[str, str], deletes: Iterable[str] = (), if_match: str) -> str:
        """Write and delete keys, all or none, and return the new ETag.

        Raises StaleEtag if `if_match` is not the store's ETag, and LimitExceeded.
        """


@dataclass(frozen=True, slots=True)
class PublishedFunction:
    """An edge function in its live stage. `digest` is the SHA-256 of its source in hex."""

    name: str
    source: str
    digest: str


@dataclass(frozen=True, slots=True)
class FunctionTest:
    """The result of a test run: `output` has the key `request` or `response`, or is None.

    `error` is empty if the function returned. `utilization` is the share of its time that it used,
    in percent, or None if the back end does not measure it.
    """

    output: Mapping[str, Any] | None
    error: str
    utilization: int | None = None


class FunctionHost(Protocol):
    """Edge functions by name, each with a development stage and a live stage."""

    def live(self, name: str) -> PublishedFunction | None:
        """Return the function that viewers get, or None before its first publication."""

    def stage(self, name: str, source: str) -> str:
        """Create or replace the development stage, and return its ETag.

        Raises LimitExceeded if the source is too long, FunctionFailed if it does not parse.
        """

    def test(self, name: str, event: Mapping[str, Any], *, if_match: str) -> FunctionTest:
        """Run the development stage on one viewer-request event.

        Raises StaleEtag, and LimitExceeded if the run took so much time that viewers' runs would be
        throttled.
        """

    def publish(self, name: str, *, if_match: str) -> None:
        """Copy the development stage to the live stage. Raises StaleEtag."""


DEPLOYED = "Deployed"


class Distribution(Protocol):
    """The caches in front of the object store, by the id of their distribution."""

    def invalidate(self, distribution: str, paths: Iterable[str], *, reference: str) -> int:
        """Drop cached paths, and return how many. Only the last character may be `*`.

        A request with a reference that was used before is carried out once. Raises LimitExceeded
        before anything is sent, InvalidationsInProgress if the distribution is at its limit, and
        EdgeError for a malformed path or a reference that was used for other paths.
        """

    def in_progress(self, distribution: str) -> list[str]:
        """Return the paths of invalidations that are not complete yet."""

    def status(self, distribution: str) -> str:
        """Return DEPLOYED, or another word while a configuration change is being rolled out."""


@dataclass(frozen=True, slots=True)
class ViewerResponse:
    """A response as a viewer gets it. Header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Viewer(Protocol):
    """A client of the edge, for probing."""

    def fetch(self, host: str, path: str, *, cookie: str = "", via: str = "") -> ViewerResponse:
        """GET a path as a browser does, without following redirects.

        `cookie` is the value of the Cookie header. `via` is the name to connect to, if not the
        host's: a distribution answers for its aliases before DNS leads to it.
        """


class Origins(Protocol):
    """Hosts that bypass the edge function and serve the files below one prefix of the store."""

    def prefix(self, host: str) -> str:
        """Return the prefix (`live/production/`), or an empty text if the function answers."""

    def point(self, hosts: Iterable[str], prefix: str) -> None:
        """Serve hosts from a prefix, or through the function again if it is empty.

        Raises StaleEtag, LimitExceeded.
        """


@dataclass(frozen=True, slots=True)
class Snapshot:
    """The state that routes requests, at one moment.

    `etag`, `published` and `invalidated` show whether anything changed. `functions` maps the name
    of a live function to its source, `hosts` a host to the source of its function. `dropped` holds
    the paths invalidated since the snapshot before.
    """

    etag: str = ""
    published: int = -1
    invalidated: int = -1
    keyvalues: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    hosts: Mapping[str, str] = field(default_factory=dict)
    dropped: Sequence[str] = ()


# Returns a newer snapshot, or the given one if nothing changed.
ReadSnapshot = Callable[[Snapshot], Snapshot]


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """One finding about a part of the system; `hint` says how to fix a fault."""

    name: str
    ok: bool
    message: str
    hint: str = ""


class Diagnostics(Protocol):
    """The back end's checks of itself: credentials, permissions, clock, disk space."""

    def diagnose(self) -> list[Diagnosis]:
        """Return findings. Changes nothing; errors become findings."""


@dataclass(frozen=True, slots=True)
class Measure:
    """A metric of a distribution or an edge function, named by its id.

    Metrics of a distribution: `requests`, `bytes_downloaded`, `4xx_rate`, `5xx_rate`. Metrics of a
    function: `invocations`, `utilization`, `execution_errors`, `validation_errors`, `throttles`.
    Rates and the utilization are averages in percent; the others are sums.
    """

    kind: Literal["distribution", "function"]
    subject: str
    metric: str


class Metrics(Protocol):
    """The back end's counts of what viewers got."""

    def read(
        self, measures: Sequence[Measure], *, start: datetime, end: datetime, period: int
    ) -> list[list[float | None]]:
        """Return the values of each measure, one for each `period` seconds from `start`.

        A value is None where nothing was counted.
        """


@dataclass(frozen=True, slots=True)
class Backend:
    """A back end: its parts, its limits and prices, and what it can do.

    Optional parts are None where the back end does not have them:

    - `origins`: distributions are pointed at a prefix outside this system.
    - `diagnostics`, `metrics`: the back end cannot examine itself, or counts nothing.
    - `read_snapshot`: a CDN answers viewers, so no local edge reads this back end.

    `has_local_cache`: the local edge is the cache in front of every environment, keeps objects and
    follows invalidations. Elsewhere only recorded distributions are caches.

    `runs_functions`: the back end runs functions in an engine of its own. Elsewhere viewers get the
    engine that they are tested in, QuickJS.
    """

    name: str
    limits: Limits
    pricing: Pricing
    objects: ObjectStore
    keyvalues: KeyValueStore
    functions: FunctionHost
    distribution: Distribution
    viewer: Viewer
    origins: Origins | None = None
    diagnostics: Diagnostics | None = None
    metrics: Metrics | None = None
    read_snapshot: ReadSnapshot | None = None
    has_local_cache: bool = False
    runs_functions: bool = False
