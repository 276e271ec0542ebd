"""The parts of the template that all environments share: bucket, key-value store, cache policy.

They are retained when their stack is deleted: they hold releases, tracking documents and routing
documents, and other stacks use them. Source: as for edge/provisioning/template.py.
"""

from typing import Any

from edge.behaviours import YEAR_SECONDS

Json = dict[str, Any]

# A resource in one stack, and a parameter of the same logical name in all others.
SHARED = (
    "Bucket",
    "BucketDomain",
    "KeyValueStore",
    "KeyValueStoreName",
    "PagesCachePolicy",
    "ReleasesCachePolicy",
)
# What viewers may read; `registry/`, `audit/` and any later prefix stay closed.
READABLE = ("assets/*", "errors/*", "jobs/*", "live/*", "releases/*")
# RetainExceptOnCreate: a stack whose creation fails leaves nothing behind.
_RETAINED = {"DeletionPolicy": "RetainExceptOnCreate", "UpdateReplacePolicy": "Retain"}
NOTHING = {"Ref": "AWS::NoValue"}


def shared(name: str, *, owned: bool) -> Json:
    """Return a reference to a shared part, which is a resource here or a parameter."""
    if owned and name == "BucketDomain":
        return {"Fn::GetAtt": ["Bucket", "RegionalDomainName"]}
    if owned and name == "KeyValueStore":
        return {"Fn::GetAtt": ["KeyValueStore", "Arn"]}
    return {"Ref": name}


def named(suffix: str) -> Json:
    """Return a resource name that begins with the stack's."""
    return {"Fn::Sub": f"${{AWS::StackName}}-{suffix}"}


def given(parameter: str) -> Json:
    """Return the condition that a parameter is not empty."""
    return {"Fn::Not": [{"Fn::Equals": [{"Ref": parameter}, ""]}]}


def when(condition: str, then: Any, otherwise: Any = NOTHING) -> Json:
    """Return a choice by a condition of the template."""
    return {"Fn::If": [condition, then, otherwise]}


def shared_resources() -> Json:
    """Return the parts that the owning stack makes."""
    return {
        "Bucket": _bucket(),
        "BucketPolicy": _bucket_policy(),
        "KeyValueStore": {
            "Type": "AWS::CloudFront::KeyValueStore",
            **_RETAINED,
            "Properties": {"Name": {"Ref": "KeyValueStoreName"}, "Comment": "Routing documents"},
        },
        "PagesCachePolicy": _cache_policy("pages", minimum_ttl=0),
        "ReleasesCachePolicy": _cache_policy("releases", minimum_ttl=YEAR_SECONDS),
    }


def _bucket() -> Json:
    stale_uploads = {
        "Id": "stale-uploads",
        "Status": "Enabled",
        "AbortIncompleteMultipartUpload": {"DaysAfterInitiation": 7},
    }
    encryption = {"ServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}
    closed = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
    return {
        "Type": "AWS::S3::Bucket",
        **_RETAINED,
        "Properties": {
            "BucketName": when("NamesBucket", {"Ref": "BucketName"}),
            "PublicAccessBlockConfiguration": dict.fromkeys(closed, True),
            "OwnershipControls": {"Rules": [{"ObjectOwnership": "BucketOwnerEnforced"}]},
            "BucketEncryption": {"ServerSideEncryptionConfiguration": [encryption]},
            "LifecycleConfiguration": {"Rules": [stale_uploads]},
        },
    }


def _bucket_policy() -> Json:
    """Let this account's distributions read what viewers may read.

    With ListBucket, S3 answers 404 for a missing object; without it, 403.
    """
    bucket = {"Fn::GetAtt": ["Bucket", "Arn"]}
    objects = [{"Fn::Sub": f"${{Bucket.Arn}}/{prefix}"} for prefix in READABLE]
    everything = [bucket, {"Fn::Sub": "${Bucket.Arn}/*"}]
    insecure = {"Bool": {"aws:SecureTransport": "false"}}
    return {
        "Type": "AWS::S3::BucketPolicy",
        **_RETAINED,
        "Properties": {
            "Bucket": {"Ref": "Bucket"},
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [
                    _for_distributions("Read", "s3:GetObject", objects),
                    _for_distributions("TellMissing", "s3:ListBucket", [bucket]),
                    {
                        "Sid": "OnlyTls",
                        "Effect": "Deny",
                        "Principal": "*",
                        "Action": "s3:*",
                        "Resource": everything,
                        "Condition": insecure,
                    },
                ],
            },
        },
    }


def _for_distributions(sid: str, action: str, resources: list[Json]) -> Json:
    arn = {"Fn::Sub": "arn:${AWS::Partition}:cloudfront::${AWS::AccountId}:distribution/*"}
    return {
        "Sid": sid,
        "Effect": "Allow",
        "Principal": {"Service": "cloudfront.amazonaws.com"},
        "Action": action,
        "Resource": resources,
        "Condition": {"ArnLike": {"aws:SourceArn": arn}},
    }


def _cache_policy(suffix: str, *, minimum_ttl: int) -> Json:
    """Cache as the objects' Cache-Control says, but for at least `minimum_ttl` seconds.

    Above 0 the rule is for viewers only: CloudFront then keeps even `no-store`.
    """
    return {
        "Type": "AWS::CloudFront::CachePolicy",
        **_RETAINED,
        "Properties": {
            "CachePolicyConfig": {
                "Name": named(suffix),
                "MinTTL": minimum_ttl,
                "DefaultTTL": minimum_ttl,
                "MaxTTL": YEAR_SECONDS,
                "ParametersInCacheKeyAndForwardedToOrigin": {
                    "EnableAcceptEncodingBrotli": True,
                    "EnableAcceptEncodingGzip": True,
                    "CookiesConfig": {"CookieBehavior": "none"},
                    "HeadersConfig": {"HeaderBehavior": "none"},
                    "QueryStringsConfig": {"QueryStringBehavior": "none"},
                },
            }
        },
    }
