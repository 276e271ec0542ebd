"""Audit objects of releases, functions and deployments."""

import json

import pytest

from deployments.models import Environment
from tests.deployments.doubles import Counting, FaultPoint, Killed, KilledAtManifest


def read(backend, key):
    return backend.objects.get(key)


def test_release_is_written_before_its_manifest(operator, backend, replaced):
    operator.backend = replaced(objects=KilledAtManifest(backend.objects))
    with pytest.raises(Killed):
        operator.release("A")
    operator.backend = backend
    release = operator.release("A")
    document = json.loads(read(backend, f"audit/releases/{release}.json").body)
    assert document == {
        "v": 1,
        "release": release.name,
        "digest": release.digest,
        "files": release.files,
        "bytes": release.bytes,
        "pages": release.pages,
        "site": {},
        "message": "A",
        "claims": [],
        "commit": "",
        "branch": "",
        "author": "",
        "created_at": release.created_at.isoformat(),
        "created_by": "olga",
        "pinned": False,
        "removed_at": None,
    }


def test_deployed_function_is_written_once(operator, backend, replaced):
    release = operator.release("A")
    assert not list(backend.objects.list("audit/functions/"))
    operator.push("A")
    function = Environment.objects.named("staging").live.function
    key = f"audit/functions/{function.digest}.js"
    assert read(backend, key).body.decode() == function.source
    operator.backend = replaced(objects=Counting(backend.objects))
    operator.promote(release)
    assert operator.backend.objects.calls["put"] == 1  # the deployment


def test_deployment_has_its_environment(operator, production):
    production.distributions.create(remote_id="E1", domain="d1.example.com", paths=["/*"])
    operator.push("A")
    operator.promote()
    assert operator.audits()[-1]["identity"] == {
        "hosts": ["localhost", "127.0.0.1"],
        "protected": True,
        "strategy": "pointer",
        "application": True,
        "canonical": "",
        "headers": {},
        "access": "open",
        "noindex": False,
        "distributions": [{"id": "E1", "domain": "d1.example.com", "paths": ["/*"]}],
    }


@pytest.mark.parametrize("number", [1, 2, 3])
def test_next_run_writes_what_an_interrupted_one_did_not(operator, backend, replaced, number):
    release = operator.push("A")
    fault = FaultPoint(number, Killed())
    faulty = fault.before(backend.objects)

    class Objects:
        def __getattr__(self, name):
            return getattr(backend.objects, name)

        def head(self, key):
            return faulty.head(key) if key.startswith("audit/") else backend.objects.head(key)

        def put(self, key, *args, **kwargs):
            store = faulty if key.startswith("audit/") else backend.objects
            return store.put(key, *args, **kwargs)

    backend.objects.delete([one.key for one in backend.objects.list("audit/functions/")])
    operator.backend = replaced(objects=Objects())
    with pytest.raises(Killed):
        operator.promote(release)
    operator.backend = backend
    operator.promote(release)
    digest = Environment.objects.named("production").live.function.digest
    assert read(backend, f"audit/functions/{digest}.js").body
    assert operator.audits()[-1]["result"] == "succeeded"
