"""boto3's clients, made from ordinary settings: AWS_* variables and profiles as boto3 reads them.

Source of the retry rules: botocore's retries guide, "adaptive" mode: throttled and failed requests
are sent again, slower while the service throttles.
"""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import boto3
from botocore.config import Config

if TYPE_CHECKING:
    from mypy_boto3_cloudfront import CloudFrontClient
    from mypy_boto3_cloudfront_keyvaluestore import CloudFrontKeyValueStoreClient
    from mypy_boto3_s3 import S3Client

ATTEMPTS = 5
CONNECT_SECONDS = 5
READ_SECONDS = 30
CONNECTIONS = 32  # more than a push uploads at once
# CloudFront is one service for all regions; its clients want one named all the same.
GLOBAL_REGION = "us-east-1"


@dataclass(frozen=True, slots=True)
class AwsClients:
    """One process's clients; they may be used by several threads."""

    s3: "S3Client"
    cloudfront: "CloudFrontClient"
    keyvalues: "CloudFrontKeyValueStoreClient"
    keyvalue_writes: "CloudFrontKeyValueStoreClient"


def make_clients() -> AwsClients:
    """Make the clients; credentials are looked up with the first call.

    `keyvalue_writes` sends a request once: a write whose answer was lost made its own ETag stale,
    so sending it again would tell of a conflict where there is none.
    """
    session = boto3.session.Session()
    region = session.region_name or GLOBAL_REGION
    return AwsClients(
        s3=session.client("s3", config=_config()),
        cloudfront=session.client("cloudfront", region, config=_config()),
        keyvalues=session.client("cloudfront-keyvaluestore", region, config=_config()),
        keyvalue_writes=session.client("cloudfront-keyvaluestore", region, config=_config(1)),
    )


def _config(attempts: int = ATTEMPTS) -> Config:
    return Config(
        connect_timeout=CONNECT_SECONDS,
        read_timeout=READ_SECONDS,
        max_pool_connections=CONNECTIONS,
        retries={"mode": "adaptive", "total_max_attempts": attempts},
        user_agent_extra="quickdumpnow",
    )
