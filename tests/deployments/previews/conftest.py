import pytest

from deployments.context import Caller
from deployments.previews import push_preview
from deployments.releases.provenance import Provenance
from tests.deployments.sites import write_site


@pytest.fixture
def caller():
    return Caller(actor="olga")


@pytest.fixture
def preview(backend, staging, caller, tmp_path):
    """Return a function that pushes a branch with pages marked by a text."""

    def push(branch="feature/login", mark="A", **options):
        source = write_site(tmp_path / f"branch-{mark}", mark=mark)
        return push_preview(
            backend,
            options.pop("environment", staging),
            branch=branch,
            caller=caller,
            source=source,
            provenance=Provenance(commit=options.pop("commit", "")),
            **options,
        )

    return push
