"""`verify --tracking` over the stand-in for AWS: bucket, edge function, viewers over HTTP."""

from deployments.models import Environment
from edge.access import password_digest
from edge.backends import get_backend
from tests.test_tracking_check import cluster

__all__ = ["cluster"]  # a fixture


def test_change_is_followed_through_bucket_and_function(shop, cluster):
    shop.push("A")
    assert shop.promote()["tracking_check"]["problem"] == ""
    found = shop.run("verify", "--tracking")
    assert (found["problem"], None in found.values()) == ("", False)
    assert not list(get_backend().objects.list("jobs/"))


def test_protected_environment_is_asked_with_a_preview(shop, cluster):
    shop.push("A")
    Environment.objects.filter(name="staging").update(
        access="password", password=password_digest("ines", "long enough")
    )
    shop.run("environment", "set", "staging", "--yes")
    assert get_backend().viewer.fetch("staging.localhost", "/track/x").status == 401
    assert shop.run("verify", "--tracking", "--environment", "staging")["problem"] == ""
