"""What a release was built from is kept with it, also in its audit object."""

import json

import pytest

from deployments.audit import release_key
from deployments.context import Caller
from deployments.errors import Refused
from deployments.models import Environment
from deployments.push import push
from deployments.releases.provenance import Provenance
from edge.backends import get_backend

BUILT = Provenance(commit="0123abcd", branch="main", author="Ines <ines@example.com>")


@pytest.mark.django_db
def test_release_keeps_its_provenance(tmp_path):
    (tmp_path / "index.html").write_text("<!doctype html><title>A</title>")
    backend = get_backend()
    staging = Environment.objects.named("staging")
    pushed = push(
        backend,
        staging,
        caller=Caller(actor="ines"),
        source=tmp_path,
        provenance=BUILT,
        deploys=False,
    )
    release = pushed.release
    assert (release.commit, release.branch, release.author) == (
        BUILT.commit, BUILT.branch, BUILT.author,
    )  # fmt: skip
    kept = json.loads(backend.objects.get(release_key(release.name)).body)
    assert kept["commit"] == BUILT.commit
    assert kept["author"] == BUILT.author


@pytest.mark.parametrize(
    "wrong", [{"commit": "main"}, {"branch": "a\nb"}, {"author": "x" * 201}], ids=str
)
def test_refuses_what_cannot_be_kept(wrong):
    with pytest.raises(Refused):
        Provenance(**wrong)
