"""The `copy` strategy over S3 and CloudFront, seen from outside by plain boto3."""

import pytest

from deployments.models import Environment, Strategy
from deployments.verification.verify import verify
from edge.backends import get_backend
from tests.deployments.deploy.test_copy import files, live_keys
from tests.deployments.sites import Operator

pytestmark = pytest.mark.django_db


@pytest.fixture
def operator(aws, settings, tmp_path):
    settings.EDGE_PROBE_SECONDS = 0
    return Operator(get_backend(), tmp_path)


@pytest.fixture
def production(aws):
    environment = Environment.objects.get(name="production")
    environment.strategy = Strategy.COPY
    environment.save()
    distribution = aws.create_distribution("main")
    environment.distributions.create(remote_id=distribution, paths=["/book/*", "/"])
    return environment


def sent(aws, distribution, deployment):
    """Return the paths of a deployment's invalidations, in order."""
    listed = aws.cloudfront.list_invalidations(DistributionId=distribution)["InvalidationList"]
    batches = [
        aws.cloudfront.get_invalidation(DistributionId=distribution, Id=item["Id"])["Invalidation"]
        for item in listed["Items"]
    ]
    ours = [batch["InvalidationBatch"] for batch in batches]
    mark = f"deployment-{deployment.pk}-"
    found = {b["CallerReference"]: set(b["Paths"]["Items"]) for b in ours}
    return [found[name] for name in sorted(found) if name.startswith(mark)]


def test_deployment_by_copy(operator, production, aws):
    backend = operator.backend
    first = operator.release_of(files("A", **{"book/old.txt": "x"}))
    operator.promote(first)
    assert live_keys(backend) == {*files(), "book/old.txt", "_site.json"}
    second = operator.release_of(files("B"))
    done = operator.promote(second)
    assert live_keys(backend) == set(files())
    info = backend.objects.head("live/production/book/index.html")
    assert info.metadata["release"] == second.name
    assert info.content_type == "text/html; charset=utf-8"
    assert info.cache_control == "public, max-age=0, must-revalidate"
    unchanged = backend.objects.head("live/production/404.html")
    assert unchanged.metadata["release"] == first.name
    assert done.invalidated == 3
    assert verify(backend, production)["drift"] == []
    (distribution,) = production.distributions.all()
    assert sent(aws, distribution.remote_id, done.deployment) == [
        {"/", "/book/*"},
        {"/book/old.txt"},
    ]
