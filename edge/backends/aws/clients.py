"""boto3's clients, made from ordinary settings: AWS_* variables and profiles as boto3 reads them.

Source of the retry rules: botocore's retries guide, "adaptive" mode: throttled and failed requests
are sent again, slower while the service throttles.
"""

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Literal

import boto3
import botocore.session
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudformation import CloudFormationClient
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudfront_keyvaluestore import CloudFrontKeyValueStoreClient
    from mypy_boto3_cloudwatch import CloudWatchClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sts import STSClient

CONNECTIONS = 32  # more than threads ask at once
# CloudFront is one service for all regions, and its metrics and its stack stand in this one.
GLOBAL_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class Patience:
    """How long to wait for an answer, and how often to send a request.

    `pause_seconds` is the mean pause before the second attempt where boto3 is not the one who
    repeats a request; it doubles with each further attempt.
    """

    attempts: int = 5
    connect_seconds: float = 5
    read_seconds: float = 30
    pause_seconds: float = 0.2
    retry_mode: Literal["adaptive", "standard"] = "adaptive"

    def config(self, attempts: int | None = None) -> Config:
        """Return the configuration of a boto3 client."""
        return Config(
            connect_timeout=self.connect_seconds,
            read_timeout=self.read_seconds,
            max_pool_connections=CONNECTIONS,
            retries={"mode": self.retry_mode, "total_max_attempts": attempts or self.attempts},
            user_agent_extra="quickdumpnow",
        )


PATIENCE = Patience()


class AwsClients:
    """Clients for any number of threads. Those that every command needs are made at once."""

    def __init__(self, patience: Patience) -> None:
        """Make them; credentials are looked up with the first call."""
        self.patience = patience
        core = botocore.session.get_session()
        self.session = boto3.session.Session(botocore_session=core)
        self.ca_bundle: str | None = core.get_config_variable("ca_bundle")
        self.region = self.session.region_name or GLOBAL_REGION
        self.s3: S3Client = self.session.client("s3", config=patience.config())
        self.cloudfront: CloudFrontClient = self.session.client(
            "cloudfront", self.region, config=patience.config()
        )
        self.keyvalues: CloudFrontKeyValueStoreClient = self._keyvalues()

    @cached_property
    def keyvalue_writes(self) -> "CloudFrontKeyValueStoreClient":
        """For switches: sends a request once.

        A write whose answer was lost made its own ETag stale, so sending it again would report
        a conflict where there is none.
        """
        return self._keyvalues(attempts=1)

    @cached_property
    def cloudformation(self) -> "CloudFormationClient":
        """For `provision`."""
        return self.session.client("cloudformation", self.region, config=self.patience.config())

    @cached_property
    def cloudwatch(self) -> "CloudWatchClient":
        """For metrics: CloudFront writes them in one region, wherever the bucket is."""
        return self.session.client("cloudwatch", GLOBAL_REGION, config=self.patience.config())

    @cached_property
    def sts(self) -> "STSClient":
        """For `doctor`: who are we?"""
        return self.session.client("sts", self.region, config=self.patience.config())

    def _keyvalues(self, attempts: int | None = None) -> "CloudFrontKeyValueStoreClient":
        config = self.patience.config(attempts)
        return self.session.client("cloudfront-keyvaluestore", self.region, config=config)


def make_clients() -> AwsClients:
    """Make the clients from the environment."""
    return AwsClients(PATIENCE)
