"""Audit objects: what the object store keeps so that history survives the loss of the database.

One object for each release, for each function version that was deployed and for each deployment
that ended. No viewer is led to them. `deployments/audit/rebuilding.py` reads them.
"""

import json
from typing import Any

from deployments.models import Deployment, Environment, FunctionVersion, Outcome, Release
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
        "previous": deployment.previous.name if deployment.previous else None,
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
