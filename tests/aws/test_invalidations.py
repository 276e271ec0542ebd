"""Invalidations over CloudFront's limits: more paths than it drops at a time."""

from io import StringIO

import pytest
from django.core.management import call_command

from deployments.context import DeployContext
from deployments.invalidation import send
from deployments.invalidation.send import CachePaths, invalidate
from deployments.models import Environment, Invalidation
from edge.backends import get_backend
from edge.backends.aws.distributions import CloudFrontDistributions
from tests.aws import proxy as proxies
from tests.aws.conftest import next_command
from tests.aws.proxy import Fault

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def no_pause(monkeypatch):
    monkeypatch.setattr(send, "PAUSE_SECONDS", 0)


@pytest.fixture
def distribution(aws):
    return aws.create_distribution("main")


def names(count):
    return [f"/{number:05}" for number in range(count)]


def asked_for(aws, distribution):
    """Count the paths of each invalidation that was made."""
    listed = aws.cloudfront.list_invalidations(DistributionId=distribution)["InvalidationList"]
    made = [
        aws.cloudfront.get_invalidation(DistributionId=distribution, Id=item["Id"])["Invalidation"]
        for item in listed.get("Items", [])
    ]
    return [one["InvalidationBatch"]["Paths"]["Quantity"] for one in made]


def fill(aws, distribution):
    """Take all the room there is, as somebody else."""
    aws.cloudfront.create_invalidation(
        DistributionId=distribution,
        InvalidationBatch={
            "CallerReference": "theirs",
            "Paths": {"Quantity": 3000, "Items": names(3000)},
        },
    )


def test_seven_thousand_paths_go_one_batch_after_the_other(aws, distribution):
    said = []
    context = DeployContext(get_backend(), said.append, lambda: None)
    production = Environment.objects.get(name="production")
    drops = CachePaths(production, {distribution: names(7_000)})
    assert invalidate(context, drops, step="step", actor="olga") == 7_000
    assert asked_for(aws, distribution) == [3_000, 3_000, 1_000]
    assert [line.partition(":")[0] for line in said] == ["Waiting up to 900 s"] * 2


def invalidating(request):
    return "/invalidation" in request.path


@pytest.fixture
def ours(shop):
    """The distribution of production, which serves a release."""
    shop.push("A")
    shop.promote()
    return Environment.objects.get(name="production").distributions.get().remote_id


def test_others_that_fill_it_are_waited_for(aws, shop, ours):
    fill(aws, ours)
    out = StringIO()
    call_command("invalidate", "/book/", "--yes", stdout=out)
    assert "Waiting up to 900 s: Invalidating paths" in out.getvalue()
    assert "TooManyInvalidationsInProgress" in out.getvalue()
    assert asked_for(aws, ours)[-2:] == [3_000, 1]


def test_waiting_has_an_end(aws, shop, ours, settings):
    settings.EDGE_INVALIDATION_SECONDS = 0
    fill(aws, ours)
    before = Invalidation.objects.count()
    code, message = shop.attempt("invalidate", "/book/", "--yes")
    assert code == 4
    assert "Wait until the distribution has completed earlier invalidations" in message
    assert Invalidation.objects.count() == before
    settings.EDGE_INVALIDATION_SECONDS = 900
    assert shop.run(*next_command(message))["invalidated"] == 1


def test_nothing_is_looked_for_where_there_is_room(shop, ours, proxy):
    proxy.clear()
    shop.run("invalidate", "/book/", "--yes")
    assert [request.method for request in proxy.seen if invalidating(request)] == ["POST"]


def test_looking_that_fails_is_no_failure(aws, shop, ours, proxy):
    fill(aws, ours)
    refused = proxies.answering(403, "AccessDenied")
    looking = Fault(1, refused, lasting=True, when=lambda r: invalidating(r) and r.method == "GET")
    proxy.clear(looking)
    assert shop.run("invalidate", "/book/", "--yes")["invalidated"] == 1
    assert looking.met


def test_older_pages_of_the_list_are_read_while_there_is_something_in_progress():
    class Client:
        """CloudFront with three pages of invalidations, newest first."""

        statuses = [["InProgress", "Completed"], ["Completed", "InProgress"], ["Completed"], [None]]
        read = 0

        def get_paginator(self, name):
            return self

        def paginate(self, **kwargs):
            for number, statuses in enumerate(self.statuses):
                self.read += 1
                items = [{"Id": f"{number}-{n}", "Status": s} for n, s in enumerate(statuses)]
                yield {"InvalidationList": {"Items": items}}

        def get_invalidation(self, **kwargs):
            # One of the two is done by the time it is looked at.
            status = "InProgress" if kwargs["Id"] == "1-1" else "Completed"
            paths = {"Quantity": 1, "Items": [f"/{kwargs['Id']}"]}
            return {"Invalidation": {"Status": status, "InvalidationBatch": {"Paths": paths}}}

    client = Client()
    assert CloudFrontDistributions(client).in_progress("E1") == ["/1-1"]
    assert client.read == 3
