"""The actions CloudFormation takes on behalf of `provision`, by type of resource.

They happen inside AWS, so no test sees the calls. Tests compare the types with the template and the
actions with the schemas of cfn-lint. CloudFormation puts a stack's tags on every resource that
supports them. Every action is allowed through CloudFormation only (edge/provisioning/iam.py).
Where the resource is `*`, CloudFront chooses the names on creation.

Source: the `handlers` of the resource types' schemas in the CloudFormation registry, for the
properties the template sets (`aws cloudformation describe-type --type RESOURCE --type-name ...`).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Handled:
    """The actions that create, read, update, delete and tag one type of resource."""

    actions: tuple[str, ...]
    resources: tuple[str, ...] = ("*",)


_TAGS = ("cloudfront:ListTagsForResource", "cloudfront:TagResource", "cloudfront:UntagResource")
_BUCKET = ("arn:aws:s3:::{bucket}",)


def _simple(name: str) -> Handled:
    """Return the actions of CloudFront resources without tags."""
    return Handled(
        tuple(f"cloudfront:{verb}{name}" for verb in ("Create", "Delete", "Get", "Update"))
    )


HANDLED = {
    "AWS::S3::Bucket": Handled(
        (
            "s3:CreateBucket",
            "s3:DeleteBucket",
            "s3:DeleteBucketTagging",
            "s3:GetBucketOwnershipControls",
            "s3:GetBucketPublicAccessBlock",
            "s3:GetBucketTagging",
            "s3:GetEncryptionConfiguration",
            "s3:GetLifecycleConfiguration",
            "s3:ListBucket",
            "s3:ListTagsForResource",
            "s3:PutBucketOwnershipControls",
            "s3:PutBucketPublicAccessBlock",
            "s3:PutBucketTagging",
            "s3:PutEncryptionConfiguration",
            "s3:PutLifecycleConfiguration",
            "s3:TagResource",
            "s3:UntagResource",
        ),
        _BUCKET,
    ),
    "AWS::S3::BucketPolicy": Handled(
        ("s3:DeleteBucketPolicy", "s3:GetBucketPolicy", "s3:PutBucketPolicy"), _BUCKET
    ),
    "AWS::CloudFront::KeyValueStore": Handled(
        (
            "cloudfront:CreateKeyValueStore",
            "cloudfront:DeleteKeyValueStore",
            "cloudfront:DescribeKeyValueStore",
            "cloudfront:UpdateKeyValueStore",
            *_TAGS,
        )
    ),
    "AWS::CloudFront::Function": Handled(
        (
            "cloudfront:CreateFunction",
            "cloudfront:DeleteFunction",
            "cloudfront:DescribeFunction",
            "cloudfront:GetFunction",
            "cloudfront:PublishFunction",
            "cloudfront:UpdateFunction",
            *_TAGS,
        ),
        ("arn:aws:cloudfront::{account}:function/{function}",),
    ),
    "AWS::CloudFront::OriginAccessControl": _simple("OriginAccessControl"),
    "AWS::CloudFront::CachePolicy": _simple("CachePolicy"),
    "AWS::CloudFront::OriginRequestPolicy": _simple("OriginRequestPolicy"),
    "AWS::CloudFront::ResponseHeadersPolicy": _simple("ResponseHeadersPolicy"),
    "AWS::CloudFront::Distribution": Handled(
        (
            "cloudfront:CreateDistribution",
            "cloudfront:CreateDistributionWithTags",
            "cloudfront:DeleteDistribution",
            "cloudfront:GetDistribution",
            "cloudfront:GetDistributionConfig",
            "cloudfront:UpdateDistribution",
            *_TAGS,
        )
    ),
}
