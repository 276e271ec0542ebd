"""`provision --adopt`: distributions made outside the project, read and never changed."""

import pytest

from deployments.models import Distribution
from tests.deployments.stacks.command import refused, run

pytestmark = pytest.mark.usefixtures("stand_in")


@pytest.fixture
def distribution(plain_boto):
    """A distribution made by hand over an S3 bucket, whose default origin is another one."""
    config = {
        "CallerReference": "by-hand",
        "Comment": "by hand",
        "Enabled": True,
        "Aliases": {"Quantity": 1, "Items": ["www.example.com"]},
        "Origins": {
            "Quantity": 2,
            "Items": [
                {
                    "Id": "pages",
                    "DomainName": "old-pages.s3.us-west-2.amazonaws.com",
                    "S3OriginConfig": {"OriginAccessIdentity": ""},
                },
                {
                    "Id": "shop",
                    "DomainName": "shop.example.com",
                    "CustomOriginConfig": {
                        "HTTPPort": 80,
                        "HTTPSPort": 443,
                        "OriginProtocolPolicy": "https-only",
                    },
                },
            ],
        },
        "DefaultCacheBehavior": {
            "TargetOriginId": "shop",
            "ViewerProtocolPolicy": "redirect-to-https",
        },
        "CacheBehaviors": {
            "Quantity": 2,
            "Items": [
                {
                    "PathPattern": path,
                    "TargetOriginId": "pages",
                    "ViewerProtocolPolicy": "redirect-to-https",
                }
                for path in ("/track/*", "/book/*")
            ],
        },
    }
    return plain_boto.cloudfront.create_distribution(DistributionConfig=config)["Distribution"]


def test_distribution_is_adopted_and_not_changed(plain_boto, distribution, distribution_config):
    id_ = distribution["Id"]
    before = plain_boto.cloudfront.get_distribution_config(Id=id_)
    answer = run(environment="production", adopt=[id_], yes=True)
    assert answer["did"] == "adopted"
    assert answer["distributions"] == [
        {"id": id_, "domain": distribution["DomainName"], "paths": ["/track/*", "/book/*"]}
    ]
    assert answer["hosts"][:2] == [distribution["DomainName"], "www.example.com"]
    assert plain_boto.cloudfront.get_distribution_config(Id=id_)["ETag"] == before["ETag"]


def test_next_steps_of_an_adoption_have_the_bucket_of_a_stack_and_no_dns(distribution):
    bucket = run()["outputs"]["Bucket"]
    steps = run(environment="production", adopt=[distribution["Id"]], path=["/*"], yes=True)["next"]
    assert f"EDGE_BUCKET={bucket}" in steps[0]
    assert not [step for step in steps if step.startswith("point")]


def test_second_distribution_is_added_and_not_probed(plain_boto, distribution):
    other = plain_boto.create_distribution("second")
    run(environment="production", adopt=[other], yes=True)
    answer = run(environment="production", adopt=[distribution["Id"]], yes=True)
    assert [item["id"] for item in answer["distributions"]] == [other, distribution["Id"]]
    assert answer["hosts"][-2:] == [distribution["DomainName"], "www.example.com"]
    assert answer["distributions"][0]["paths"] == ["*"]


def test_adopting_again_updates_the_record(distribution):
    run(environment="production", adopt=[distribution["Id"]], yes=True)
    answer = run(
        environment="production", adopt=[distribution["Id"]], path=["/dashboard/*"], yes=True
    )
    assert [item["paths"] for item in answer["distributions"]] == [["/dashboard/*"]]


def test_dry_run_of_an_adoption_writes_nothing(distribution):
    run(environment="production", adopt=[distribution["Id"]], dry_run=True)
    assert not Distribution.objects.exists()


def test_adopting_for_production_needs_a_confirmation(distribution):
    assert refused(environment="production", adopt=[distribution["Id"]])[0] == 1
    assert not Distribution.objects.exists()


def test_unknown_distribution_is_refused():
    code, message = refused(adopt=["EUNKNOWN"])
    assert (code, "list-distributions" in message) == (1, True)


def test_distribution_that_leads_elsewhere_needs_paths(settings, distribution):
    settings.EDGE_BUCKET = "another-bucket"
    code, message = refused(adopt=[distribution["Id"]])
    assert (code, "--path" in message) == (1, True)


def test_distribution_of_another_environment_is_refused(distribution):
    run(adopt=[distribution["Id"]])
    code, message = refused(environment="production", adopt=[distribution["Id"]], yes=True)
    assert (code, "staging" in message) == (1, True)
