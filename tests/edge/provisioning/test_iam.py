"""The policies as documents, and CloudFormation's actions compared with the template."""

import json
import re

import pytest
from cfnlint.schema import PROVIDER_SCHEMA_MANAGER

from edge.provisioning.iam import CALLED_VIA, UNNAMED_BUCKET, Places, Role, write_policy
from edge.provisioning.iam_stack import HANDLED
from edge.provisioning.template import write_template

PLACES = Places(
    bucket="pages",
    account="123456789012",
    distributions=["E1", "E2"],
    functions=["f1", "f2"],
)
# Permissions of handlers for properties that the template does not set.
NOT_SET = {
    "cloudfront:CreateConnectionGroup",
    "cloudfront:GetConnectionGroup",
    "cloudfront:GetVpcOrigin",
    "cloudfront:UpdateDistributionWithStagingConfig",
    "s3:GetBucketLocation",
    "s3:GetObject",
    "s3:HeadObject",
}
# IAM's quota for a managed policy; white space does not count.
MOST_CHARACTERS = 6_144


def statements(role, places=PLACES):
    return {item["Sid"]: item for item in write_policy(role, places)["Statement"]}


def test_policy_is_as_iam_accepts_it():
    (item,) = [one for one in write_policy(Role.DEPLOY, PLACES)["Statement"]
               if one["Sid"] == "Invalidate"]  # fmt: skip
    assert item == {
        "Sid": "Invalidate",
        "Effect": "Allow",
        "Action": [
            "cloudfront:CreateInvalidation",
            "cloudfront:GetDistribution",
            "cloudfront:GetInvalidation",
            "cloudfront:ListInvalidations",
        ],
        "Resource": [
            "arn:aws:cloudfront::123456789012:distribution/E1",
            "arn:aws:cloudfront::123456789012:distribution/E2",
        ],
    }


@pytest.mark.parametrize("role", Role)
def test_policy_fits_and_is_filled_in(role):
    policy = write_policy(role, PLACES)
    assert policy["Version"] == "2012-10-17"
    assert len(json.dumps(policy, separators=(",", ":"))) <= MOST_CHARACTERS
    sids = [item["Sid"] for item in policy["Statement"]]
    assert len(sids) == len(set(sids))
    assert all(sid.isalnum() for sid in sids)
    for item in policy["Statement"]:
        assert all(re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+", action) for action in item["Action"])
        assert not any("{" in resource for resource in item["Resource"])


@pytest.mark.parametrize("role", Role)
def test_actions_outside_cloudformation_have_named_resources(role):
    for item in statements(role).values():
        if "Condition" in item:
            assert item["Condition"] == CALLED_VIA
        elif item["Sid"] != "ReadMetrics":
            assert "*" not in item["Resource"]


def test_role_read_can_change_nothing():
    for item in statements(Role.READ).values():
        for action in item["Action"]:
            assert re.search(r":(Get|List|Describe)", action)


@pytest.mark.parametrize("role", [Role.READ, Role.DEPLOY, Role.APPLICATION])
def test_only_role_provision_changes_stacks_and_distributions(role):
    text = json.dumps(write_policy(role, PLACES))
    assert "cloudformation" not in text
    assert not re.search("(Create|Update|Delete)Distribution", text)


def test_types_are_those_of_the_template():
    types = {
        resource["Type"]
        for owns in (True, False)
        for resource in write_template("staging", owns_shared=owns)["Resources"].values()
    }
    assert types == set(HANDLED)


def permissions(type_):
    """Return the permissions in a type's schema: of its handlers, and of tagging."""
    schema = PROVIDER_SCHEMA_MANAGER.get_resource_schema("us-east-1", type_).schema
    handlers = {
        permission
        for name, handler in schema["handlers"].items()
        if name != "list"
        for permission in handler["permissions"]
    }
    return handlers, set((schema.get("tagging") or {}).get("permissions", []))


@pytest.mark.parametrize("type_", HANDLED)
def test_actions_are_those_of_the_types_schema(type_):
    allowed = set(HANDLED[type_].actions)
    handlers, tagging = permissions(type_)
    assert allowed <= handlers | tagging
    assert tagging <= allowed
    # The handlers of a bucket list permissions for every property of buckets.
    if type_ != "AWS::S3::Bucket":
        assert handlers <= allowed | NOT_SET


def test_bucket_named_by_cloudformation_is_matched_by_its_stack():
    bucket = statements(Role.PROVISION, Places(bucket=""))["S3Bucket"]
    assert bucket["Resource"] == [f"arn:aws:s3:::{UNNAMED_BUCKET}"]
