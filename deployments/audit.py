"""Audit objects: a copy of the history in the object store, in case the database is lost.

There is one for each release, for each deployed function version and for each deployment with an
outcome. They are not served to viewers. `deployments/recovery/rebuild.py` restores from them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from deployments.models import Deployment, Environment, FunctionVersion, Outcome, Release, Strategy
from edge.functions.shipped import digest_of
from edge.protocols import ObjectStore

PREFIX = "audit/"
VERSION = 1
# What an environment's audit objects say about how it serves; the password is a secret.
SERVING = ("application", "canonical", "headers", "access", "noindex")


def release_key(name: str) -> str:
    """Return the key of a release's audit object."""
    return f"{PREFIX}releases/{name}.json"


def function_key(digest: str) -> str:
    """Return the key of a function version's source."""
    return f"{PREFIX}functions/{digest}.js"


def deployment_key(deployment: Deployment) -> str:
    """Return the key of a deployment's audit object: `audit/<time>-<deployment>.json`."""
    return f"{PREFIX}{deployment.at:%Y%m%d-%H%M%S}-{deployment.pk}.json"


def write_release(objects: ObjectStore, release: Release) -> None:
    """Write the row of a release, again after each change of it. Raises EdgeError."""
    _put(objects, release_key(release.name), release_document(release))


def write_function(objects: ObjectStore, version: FunctionVersion) -> None:
    """Write the source of a function version if it is missing. Raises EdgeError."""
    key = function_key(version.digest)
    if objects.head(key) is None:
        body = version.source.encode()
        objects.put(key, body, content_type="text/javascript", cache_control="no-store")


def write_deployment(objects: ObjectStore, deployment: Deployment, outcome: Outcome) -> None:
    """Write a deployment and its outcome. Raises EdgeError."""
    _put(objects, deployment_key(deployment), deployment_document(deployment, outcome))


def release_document(release: Release) -> dict[str, Any]:
    """Return a release's row as JSON. Times are ISO 8601, UTC."""
    removed = release.removed_at
    return {
        "v": VERSION,
        "release": release.name,
        "digest": release.digest,
        "files": release.files,
        "bytes": release.bytes,
        "pages": release.pages,
        "site": release.site,
        "claims": release.claims,
        "message": release.message,
        "commit": release.commit,
        "branch": release.branch,
        "author": release.author,
        "created_at": release.created_at.isoformat(),
        "created_by": release.created_by,
        "pinned": release.pinned,
        "removed_at": removed.isoformat() if removed else None,
    }


def deployment_document(deployment: Deployment, outcome: Outcome) -> dict[str, Any]:
    """Return a deployment, its outcome and its environment at that time, as JSON."""
    return {
        "v": VERSION,
        "deployment": deployment.pk,
        "environment": deployment.environment.name,
        "release": deployment.release.name,
        "previous": deployment.replaced.name if deployment.replaced else None,
        "function": deployment.function.digest,
        "kind": deployment.kind,
        "percent": deployment.percent,
        "strategy": deployment.strategy,
        "actor": deployment.actor,
        "reason": deployment.reason,
        "at": deployment.at.isoformat(),
        "result": str(outcome.result),
        "detail": outcome.detail,
        "ended_at": outcome.at.isoformat(),
        "identity": environment_document(deployment.environment),
    }


def environment_document(environment: Environment) -> dict[str, Any]:
    """Return an environment as JSON, without the records of its stack."""
    return {
        "hosts": environment.hosts,
        "protected": environment.protected,
        "strategy": environment.strategy,
        **{name: getattr(environment, name) for name in SERVING},
        "distributions": [
            {"id": one.remote_id, "domain": one.domain, "paths": one.paths}
            for one in environment.distributions.all()
        ],
    }


def _put(objects: ObjectStore, key: str, document: dict[str, Any]) -> None:
    body = json.dumps(document, indent=1).encode()
    objects.put(key, body, content_type="application/json", cache_control="no-store")


class Damaged(ValueError):
    """An audit object cannot be used; the text says why."""


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """A release as its audit object has it."""

    name: str
    digest: str
    files: int
    bytes: int
    pages: dict[str, Any]
    message: str
    created_at: datetime
    created_by: str
    site: dict[str, Any] = field(default_factory=dict)
    claims: list[str] = field(default_factory=list)
    commit: str = ""
    branch: str = ""
    author: str = ""
    pinned: bool = False
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """An environment at the time of a deployment. `distributions` as in the audit object.

    `serving` has the fields of SERVING; earlier versions recorded none.
    """

    hosts: list[str]
    protected: bool
    strategy: str
    distributions: list[dict[str, Any]]
    serving: dict[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """A deployment and its outcome as their audit object has them."""

    number: int
    environment: str
    release: str
    previous: str | None
    function: str
    kind: str
    percent: int | None
    strategy: str
    actor: str
    reason: str
    at: datetime
    result: str
    detail: str
    ended_at: datetime
    identity: Identity


def read_release(body: bytes) -> ReleaseRecord:
    """Parse the audit object of a release. Raises Damaged."""
    fields = _Fields.of(body)
    return ReleaseRecord(
        name=fields.text("release"),
        digest=fields.text("digest"),
        files=fields.number("files"),
        bytes=fields.number("bytes"),
        pages=fields.mapping("pages"),
        site=fields.mapping("site") if fields.has("site") else {},
        claims=fields.sequence("claims") if fields.has("claims") else [],
        message=fields.text("message"),
        **{name: fields.text(name) for name in ("commit", "branch", "author") if fields.has(name)},
        created_at=fields.moment("created_at"),
        created_by=fields.text("created_by"),
        pinned=bool(fields.value("pinned")),
        removed_at=fields.moment("removed_at") if fields.value("removed_at") else None,
    )


def read_deployment(body: bytes) -> DeploymentRecord:
    """Parse the audit object of a deployment. Raises Damaged."""
    fields = _Fields.of(body)
    return DeploymentRecord(
        number=fields.number("deployment"),
        environment=fields.text("environment"),
        release=fields.text("release"),
        previous=fields.text("previous") if fields.value("previous") else None,
        function=fields.text("function"),
        kind=fields.one_of("kind", Deployment.Kind.values),
        percent=fields.number("percent") if fields.value("percent") else None,
        strategy=fields.one_of("strategy", Strategy.values),
        actor=fields.text("actor"),
        reason=fields.text("reason"),
        at=fields.moment("at"),
        result=fields.one_of("result", Outcome.Result.values),
        detail=fields.text("detail"),
        ended_at=fields.moment("ended_at"),
        identity=_identity(_Fields(fields.mapping("identity"))),
    )


def read_function(body: bytes, digest: str) -> str:
    """Decode the source of a function version and check its digest. Raises Damaged."""
    try:
        source = body.decode()
    except UnicodeDecodeError as error:
        raise Damaged("it is not text") from error
    if digest_of(source) != digest:
        raise Damaged("its content does not match the digest in its name")
    return source


def _identity(fields: "_Fields") -> Identity:
    return Identity(
        hosts=[str(host) for host in fields.sequence("hosts")],
        protected=bool(fields.value("protected")),
        strategy=fields.one_of("strategy", Strategy.values),
        distributions=[_distribution(_Fields(one)) for one in fields.sequence("distributions")],
        serving={name: fields.value(name) for name in SERVING if fields.has(name)},
    )


def _distribution(fields: "_Fields") -> dict[str, Any]:
    return {
        "remote_id": fields.text("id"),
        "domain": fields.text("domain"),
        "paths": fields.sequence("paths"),
    }


class _Fields:
    """The fields of a document, checked for their types. All methods raise Damaged."""

    def __init__(self, document: Any) -> None:
        if not isinstance(document, dict):
            raise Damaged("it is not a JSON object")
        self._document: Mapping[str, Any] = document

    @classmethod
    def of(cls, body: bytes) -> "_Fields":
        """Parse a whole audit object."""
        try:
            document = json.loads(body)
        except ValueError as error:
            raise Damaged("it is not JSON") from error
        fields = cls(document)
        if fields.value("v") != VERSION:
            raise Damaged(f"its version is {fields.value('v')!r}, expected {VERSION}")
        return fields

    def has(self, name: str) -> bool:
        """Whether there is a field; earlier versions wrote fewer."""
        return name in self._document

    def value(self, name: str) -> Any:
        if name not in self._document:
            raise Damaged(f"it lacks '{name}'")
        return self._document[name]

    def text(self, name: str) -> str:
        return str(self._of_type(name, str))

    def number(self, name: str) -> int:
        return int(self._of_type(name, int))

    def mapping(self, name: str) -> dict[str, Any]:
        return dict(self._of_type(name, dict))

    def sequence(self, name: str) -> list[Any]:
        return list(self._of_type(name, list))

    def one_of(self, name: str, known: list[str]) -> str:
        if self.value(name) not in known:
            raise Damaged(f"its {name} is {self.value(name)!r}, not one of {', '.join(known)}")
        return self.text(name)

    def moment(self, name: str) -> datetime:
        """Return a time with its zone."""
        try:
            moment = datetime.fromisoformat(self.text(name))
        except ValueError as error:
            raise Damaged(f"its {name} is {self.value(name)!r}, not a time") from error
        if moment.tzinfo is None:
            raise Damaged(f"its {name} has no time zone")
        return moment

    def _of_type(self, name: str, type_: type) -> Any:
        value = self.value(name)
        if not isinstance(value, type_) or isinstance(value, bool):
            raise Damaged(f"its {name} is {value!r}")
        return value
