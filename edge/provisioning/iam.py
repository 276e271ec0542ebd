"""Least-privilege IAM policies, one for each kind of work, written from one table.

tests/aws/test_policy.py records the calls of the commands and compares them with the policies, both
ways. Sources: the Service Authorization Reference's pages of S3, CloudFront, CloudFront
KeyValueStore, CloudFormation and CloudWatch; the IAM guide's page on `aws:CalledVia`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from edge.provisioning.iam_stack import HANDLED

# Operations with a stack's name need permission on the stack, the others on the change set.
STACK = "arn:aws:cloudformation:{region}:{account}:stack/qdn-*/*"
CHANGE_SET = "arn:aws:cloudformation:{region}:{account}:changeSet/qdn-*/*"
BUCKET = "arn:aws:s3:::{bucket}"
# Without a name in the settings, CloudFormation derives one from the stack's.
UNNAMED_BUCKET = "qdn-*"
CALLED_VIA = {"ForAnyValue:StringEquals": {"aws:CalledVia": ["cloudformation.amazonaws.com"]}}


class Role(StrEnum):
    """The kinds of work that have a policy."""

    READ = "read"  # status, verify, history, releases, metrics
    DEPLOY = "deploy"  # push, promote, rollback, prune, doctor and others, and reading
    PROVISION = "provision"  # provision, including --adopt
    APPLICATION = "application"  # the web server and its task cluster


@dataclass(frozen=True, slots=True)
class Places:
    """The resources that policies are for. `*` is any, as in IAM.

    `stores` are key-value stores' ids (the end of their ARNs), `distributions` ids, `functions`
    names.
    """

    bucket: str
    account: str = "*"
    region: str = "*"
    stores: Sequence[str] = ("*",)
    distributions: Sequence[str] = ("*",)
    functions: Sequence[str] = ("*",)


@dataclass(frozen=True, slots=True)
class Grant:
    """Actions on resources. Fields in braces are filled in from Places, once per list item."""

    sid: str
    roles: tuple[Role, ...]
    actions: tuple[str, ...]
    resources: tuple[str, ...]
    via_cloudformation: bool = False


_READERS = (Role.READ, Role.DEPLOY)
_STORE = "arn:aws:cloudfront::{account}:key-value-store/{store}"
_FUNCTION = "arn:aws:cloudfront::{account}:function/{function}"
_DISTRIBUTION = "arn:aws:cloudfront::{account}:distribution/{distribution}"

GRANTS = (
    Grant("DetectMissingObjects", (*_READERS, Role.APPLICATION), ("s3:ListBucket",), (BUCKET,)),
    Grant(
        "ReadReleases",
        _READERS,
        ("s3:GetObject",),
        (f"{BUCKET}/errors/*", f"{BUCKET}/jobs/*", f"{BUCKET}/releases/*"),
    ),
    Grant(
        "ReadPages",
        (Role.DEPLOY,),
        ("s3:GetObject",),
        (
            f"{BUCKET}/assets/*",
            f"{BUCKET}/audit/*",
            f"{BUCKET}/live/*",
            f"{BUCKET}/registry/last-number.json",
        ),
    ),
    # What `doctor` writes, reads and removes.
    Grant(
        "TryTheStore",
        (Role.DEPLOY,),
        ("s3:PutObject", "s3:GetObject", "s3:DeleteObject"),
        (f"{BUCKET}/doctor/*",),
    ),
    Grant(
        "WritePages",
        (Role.DEPLOY,),
        ("s3:PutObject",),
        (
            f"{BUCKET}/assets/*",
            f"{BUCKET}/audit/*",
            f"{BUCKET}/errors/*",
            f"{BUCKET}/live/*",
            f"{BUCKET}/releases/*",
        ),
    ),
    # Copies that are no longer served, and what `prune` removes.
    Grant(
        "DeletePages",
        (Role.DEPLOY,),
        ("s3:DeleteObject",),
        (
            f"{BUCKET}/assets/*",
            f"{BUCKET}/jobs/*",
            f"{BUCKET}/live/*",
            f"{BUCKET}/releases/*",
        ),
    ),
    Grant(
        "PublishTracking",
        (Role.APPLICATION,),
        ("s3:PutObject", "s3:GetObject", "s3:DeleteObject"),
        (f"{BUCKET}/jobs/*",),
    ),
    # Archives that arrive at the deployment API or in the bucket, until their push has ended.
    Grant(
        "ReceiveUploads",
        (Role.APPLICATION,),
        ("s3:PutObject", "s3:GetObject", "s3:DeleteObject"),
        (f"{BUCKET}/incoming/*", f"{BUCKET}/uploads/*"),
    ),
    Grant(
        "RecordTheLastNumber",
        (Role.APPLICATION,),
        ("s3:GetObject", "s3:PutObject"),
        (f"{BUCKET}/registry/last-number.json",),
    ),
    Grant(
        "WriteTheRegistry",
        (Role.APPLICATION,),
        ("s3:GetObject", "s3:PutObject"),
        (f"{BUCKET}/registry/jobs.json",),
    ),
    Grant(
        "ReadTheAgeOfBackups",
        (Role.APPLICATION,),
        ("s3:GetObject",),
        (f"{BUCKET}/registry/last-backup.json",),
    ),
    Grant("FindRoutes", _READERS, ("cloudfront:DescribeKeyValueStore",), (_STORE,)),
    Grant("ReadRoutes", _READERS, ("cloudfront-keyvaluestore:ListKeys",), (_STORE,)),
    Grant(
        "WriteRoutes",
        (Role.DEPLOY,),
        (
            "cloudfront-keyvaluestore:DescribeKeyValueStore",
            "cloudfront-keyvaluestore:GetKey",
            "cloudfront-keyvaluestore:UpdateKeys",
        ),
        (_STORE,),
    ),
    Grant("ReadFunctions", _READERS, ("cloudfront:GetFunction",), (_FUNCTION,)),
    Grant(
        "PublishFunctions",
        (Role.DEPLOY,),
        (
            "cloudfront:CreateFunction",
            "cloudfront:DescribeFunction",
            "cloudfront:PublishFunction",
            "cloudfront:TestFunction",
            "cloudfront:UpdateFunction",
        ),
        (_FUNCTION,),
    ),
    Grant(
        "Invalidate",
        (Role.DEPLOY,),
        (
            "cloudfront:CreateInvalidation",
            "cloudfront:GetDistribution",
            "cloudfront:GetInvalidation",
            "cloudfront:ListInvalidations",
        ),
        (_DISTRIBUTION,),
    ),
    # CloudWatch has no resources for metrics.
    Grant("ReadMetrics", (*_READERS, Role.APPLICATION), ("cloudwatch:GetMetricData",), ("*",)),
    Grant(
        "Stacks",
        (Role.PROVISION,),
        (
            "cloudformation:CreateChangeSet",
            "cloudformation:DeleteStack",
            "cloudformation:DescribeStackEvents",
            "cloudformation:DescribeStacks",
            "cloudformation:GetTemplate",
        ),
        (STACK,),
    ),
    Grant(
        "ChangeSets",
        (Role.PROVISION,),
        (
            "cloudformation:DeleteChangeSet",
            "cloudformation:DescribeChangeSet",
            "cloudformation:ExecuteChangeSet",
        ),
        (CHANGE_SET, STACK),
    ),
    # It is not known in advance which distribution will be adopted.
    Grant(
        "AdoptDistributions",
        (Role.PROVISION,),
        ("cloudfront:GetDistribution",),
        ("arn:aws:cloudfront::{account}:distribution/*",),
    ),
    *(
        Grant(
            type_.removeprefix("AWS::").replace("::", ""),
            (Role.PROVISION,),
            handled.actions,
            handled.resources,
            via_cloudformation=True,
        )
        for type_, handled in HANDLED.items()
    ),
)


def write_policy(role: Role, places: Places) -> dict[str, Any]:
    """Return the identity policy of a role as IAM accepts it."""
    return {
        "Version": "2012-10-17",
        "Statement": [_statement(grant, places) for grant in GRANTS if role in grant.roles],
    }


def _statement(grant: Grant, places: Places) -> dict[str, Any]:
    statement = {
        "Sid": grant.sid,
        "Effect": "Allow",
        "Action": list(grant.actions),
        "Resource": [name for text in grant.resources for name in _filled(text, places)],
    }
    return statement | ({"Condition": CALLED_VIA} if grant.via_cloudformation else {})


def _filled(text: str, places: Places) -> Iterator[str]:
    """Fill in one resource; a list makes one for each item."""
    lists = {
        "store": places.stores,
        "distribution": places.distributions,
        "function": places.functions,
    }
    name = next((name for name in lists if f"{{{name}}}" in text), None)
    for one in lists[name] if name else [""]:
        yield text.format(
            bucket=places.bucket or UNNAMED_BUCKET,
            account=places.account,
            region=places.region,
            **({name: one} if name else {}),
        )
