"""Audit objects: what the object store keeps so that history survives the loss of the database.

One object for each release, for each function version that was deployed and for each deployment
that ended. No viewer is led to them. `deployments/recovery/rebuild.py` reads them.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from deployments.models import Deployment, Environment, FunctionVersion, Outcome, Release, Strategy
from edge.functions.shipped import digest_of
from edge.protocols import ObjectStore

PREFIX = "audit/"
VERSION = 1


def release_key(name: str) -> str:
    """Name the object that tells of a release."""
    return f"{PREFIX}releases/{name}.json"


def function_key(digest: str) -> str:
    """Name the object that holds the source of a function version."""
    return f"{PREFIX}functions/{digest}.js"


def deployment_key(deployment: Deployment) -> str:
    """Name the object that tells of a deployment: `audit/<time>-<deployment>.json`."""
    return f"{PREFIX}{deployment.at:%Y%m%d-%H%M%S}-{deployment.pk}.json"


def write_release(objects: ObjectStore, release: Release) -> None:
    """Write what the row of a release says; written again when that changes. Raises EdgeError."""
    _put(objects, release_key(release.name), release_document(release))


def write_function(objects: ObjectStore, version: FunctionVersion) -> None:
    """Write the source of a function version, unless it is there. Raises EdgeError."""
    key = function_key(version.digest)
    if objects.head(key) is None:
        body = version.source.encode()
        objects.put(key, body, content_type="text/javascript", cache_control="no-store")


def write_deployment(objects: ObjectStore, deployment: Deployment, outcome: Outcome) -> None:
    """Write down a deployment and how it ended. Raises EdgeError."""
    _put(objects, deployment_key(deployment), deployment_document(deployment, outcome))


def release_document(release: Release) -> dict[str, Any]:
    """Tell what of a release its manifest does not. Times in ISO 8601, UTC."""
    removed = release.removed_at
    return {
        "v": VERSION,
        "release": release.name,
        "digest": release.digest,
        "files": release.files,
        "bytes": release.bytes,
        "pages": release.pages,
        "message": release.message,
        "created_at": release.created_at.isoformat(),
        "created_by": release.created_by,
        "pinned": release.pinned,
        "removed_at": removed.isoformat() if removed else None,
    }


def deployment_document(deployment: Deployment, outcome: Outcome) -> dict[str, Any]:
    """Tell all of a deployment, and what its environment was then."""
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
    """Tell where an environment is found. What `provision` knows of its stack is not in it."""
    return {
        "hosts": environment.hosts,
        "protected": environment.protected,
        "strategy": environment.strategy,
        "distributions": [
            {"id": one.remote_id, "domain": one.domain, "paths": one.paths}
            for one in environment.distributions.all()
        ],
    }


def _put(objects: ObjectStore, key: str, document: dict[str, Any]) -> None:
    body = json.dumps(document, indent=1).encode()
    objects.put(key, body, content_type="application/json", cache_control="no-store")


class Damaged(ValueError):
    """An object is not what was written there; the text says why."""


@dataclass(frozen=True, slots=True)
class ReleaseRecord:
    """What an audit object tells of a release."""

    name: str
    digest: str
    files: int
    bytes: int
    pages: dict[str, Any]
    message: str
    created_at: datetime
    created_by: str
    pinned: bool = False
    removed_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Identity:
    """What an environment was at a deployment. `distributions` as in the audit object."""

    hosts: list[str]
    protected: bool
    strategy: str
    distributions: list[dict[str, Any]]


@dataclass(frozen=True, slots=True)
class DeploymentRecord:
    """What an audit object tells of a deployment that ended."""

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
    """Read the object of a release. Raises Damaged."""
    fields = _Fields.of(body)
    return ReleaseRecord(
        name=fields.text("release"),
        digest=fields.text("digest"),
        files=fields.number("files"),
        bytes=fields.number("bytes"),
        pages=fields.mapping("pages"),
        message=fields.text("message"),
        created_at=fields.moment("created_at"),
        created_by=fields.text("created_by"),
        pinned=bool(fields.value("pinned")),
        removed_at=fields.moment("removed_at") if fields.value("removed_at") else None,
    )


def read_deployment(body: bytes) -> DeploymentRecord:
    """Read the object of a deployment. Raises Damaged."""
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
    """Read the source of a function version. Raises Damaged."""
    try:
        source = body.decode()
    except UnicodeDecodeError as error:
        raise Damaged("it is not text") from error
    if digest_of(source) != digest:
        raise Damaged("its content is not what its name says")
    return source


def _identity(fields: "_Fields") -> Identity:
    return Identity(
        hosts=[str(host) for host in fields.sequence("hosts")],
        protected=bool(fields.value("protected")),
        strategy=fields.one_of("strategy", Strategy.values),
        distributions=[_distribution(_Fields(one)) for one in fields.sequence("distributions")],
    )


def _distribution(fields: "_Fields") -> dict[str, Any]:
    return {
        "remote_id": fields.text("id"),
        "domain": fields.text("domain"),
        "paths": fields.sequence("paths"),
    }


class _Fields:
    """The fields of a document, each looked at before it is used. All raise Damaged."""

    def __init__(self, document: Any) -> None:
        if not isinstance(document, dict):
            raise Damaged("it is not a JSON object")
        self._document: Mapping[str, Any] = document

    @classmethod
    def of(cls, body: bytes) -> "_Fields":
        """Read a whole audit object."""
        try:
            document = json.loads(body)
        except ValueError as error:
            raise Damaged("it is not JSON") from error
        fields = cls(document)
        if fields.value("v") != VERSION:
            raise Damaged(f"its version is {fields.value('v')!r}, and {VERSION} can be read")
        return fields

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
        """Read a time with its zone."""
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
