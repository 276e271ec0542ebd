"""boto3's clients, made from ordinary settings: AWS_* variables and profiles as boto3 reads them.

Source of the retry rules: botocore's retries guide, "adaptive" mode: throttled and failed requests
are sent again, slower while the service throttles.
"""

from functools import cached_property
from typing import TYPE_CHECKING, Literal

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudfront_keyvaluestore import CloudFrontKeyValueStoreClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

RETRY_MODE: Literal["adaptive", "standard"] = "adaptive"
ATTEMPTS = 5
CONNECT_SECONDS = 5
READ_SECONDS = 30
CONNECTIONS = 32  # more than a push uploads at once
# CloudFront is one service for all regions, and its metrics and its stack stand in this one.
GLOBAL_REGION = "us-east-1"


class AwsClients:
    """Clients for any number of threads. What every command needs is made at once."""

    def __init__(self) -> None:
        """Make them; credentials are looked up with the first call."""
        self.session = boto3.session.Session()
        self.region = self.session.region_name or GLOBAL_REGION
        self.s3: S3Client = self.session.client("s3", config=_config())
        self.cloudfront: CloudFrontClient = self.session.client(
            "cloudfront", self.region, config=_config()
        )
        self.keyvalues: CloudFrontKeyValueStoreClient = self._keyvalues(ATTEMPTS)

    @cached_property
    def keyvalue_writes(self) -> "CloudFrontKeyValueStoreClient":
        """For switches: sends a request once.

        A write whose answer was lost made its own ETag stale, so sending it again would tell of a
        conflict where there is none.
        """
        return self._keyvalues(1)

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """For `provision`."""
        return self.session.client("cloudformation", self.region, config=_config())

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """For metrics: CloudFront writes them in one region, whichever the bucket is in."""
        return self.session.client("cloudwatch", GLOBAL_REGION, config=_config())

    @cached_property
    def sts(self) -> "STSClient":
        """For `doctor`: who are we?"""
        return self.session.client("sts", self.region, config=_config())

    def _keyvalues(self, attempts: int) -> "CloudFrontKeyValueStoreClient":
        config = _config(attempts)
        return self.session.client("cloudfront-keyvaluestore", self.region, config=config)


def make_clients() -> AwsClients:
    """Make the clients from the environment."""
    return AwsClients()


def _config(attempts: int | None = None) -> Config:
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        retries={"mode": RETRY_MODE, "total_max_attempts": attempts or ATTEMPTS},
        user_agent_extra="quickdumpnow",
    )
