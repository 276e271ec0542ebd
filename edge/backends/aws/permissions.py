"""Which calls AWS denies, found out by making them in a way that changes nothing.

Reads need not find anything. Writes name an ETag that no stage and no store has: AWS refuses it as
stale, but only if writing is allowed. Calls that cannot be tried without effect are left out:
invalidating, creating a function, writing below the prefixes of releases.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from edge.backends.aws.errors import DENIED, UNKNOWN_OPERATION, code_of, translated
from edge.backends.aws.metrics import NAMESPACE
from edge.backends.aws.snapshot import function_names
from edge.errors import EdgeError

if TYPE_CHECKING:
    from mypy_boto3_cloudfront.type_defs import FunctionConfigTypeDef
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

    from edge.backends.aws.clients import AwsClients
    from edge.backends.aws.keyvalues import CloudFrontKeyValues

UNUSED = "doctor"  # a key and an ETag that nothing has
SOURCE = b"function handler(event) { return event.request; }"
SERVER_ERROR = 500
READ_PREFIXES = ("assets/", "errors/", "live/", "releases/")


@dataclass(frozen=True, slots=True)
class Try:
    """One call, the IAM action it needs, and its resource."""

    action: str
    subject: str
    call: Callable[[], object]

    def is_denied(self) -> bool:
        """Make the call, and return whether it was denied. Raises BackendUnavailable."""
        with translated(f"Trying {self.action}"):
            try:
                self.call()
            except ClientError as error:
                if code_of(error) in DENIED:
                    return True
                if _is_outage(error):
                    raise
        return False


def _is_outage(error: ClientError) -> bool:
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return status >= SERVER_ERROR and code_of(error) not in UNKNOWN_OPERATION


class Permissions:
    """The calls that deploying needs, tried by `doctor`."""

    def __init__(
        self, clients: "AwsClients", bucket: str, keyvalues: "CloudFrontKeyValues"
    ) -> None:
        self._clients = clients
        self._bucket = bucket
        self._keyvalues = keyvalues

    def tries(self) -> Iterator[Try]:
        """Yield the calls. The names of the functions are read in between."""
        yield from self._of_objects()
        yield from self._of_metrics()
        store = self._keyvalues
        find = partial(self._clients.cloudfront.describe_key_value_store, Name=store.name)
        yield Try("cloudfront:DescribeKeyValueStore", store.name, find)
        try:
            arn, functions = store.arn, function_names(store.items())
        except EdgeError:
            return  # the store is missing or denied, which doctor reports anyway
        yield from self._of_routes(arn)
        for name in sorted(functions):
            yield from self._of_function(name)

    def _of_objects(self) -> Iterator[Try]:
        s3, bucket = self._clients.s3, self._bucket
        listing = partial(s3.list_objects_v2, Bucket=bucket, MaxKeys=1)
        yield Try("s3:ListBucket", bucket, listing)
        for prefix in READ_PREFIXES:
            head = partial(s3.head_object, Bucket=bucket, Key=prefix + UNUSED)
            yield Try("s3:GetObject", prefix, head)

    def _of_metrics(self) -> Iterator[Try]:
        now = datetime.now(UTC)
        query: MetricDataQueryTypeDef = {
            "Id": "m0",
            "MetricStat": {
                "Metric": {"Namespace": NAMESPACE, "MetricName": "Requests"},
                "Period": 60,
                "Stat": "Sum",
            },
        }
        read = partial(
            self._clients.cloudwatch.get_metric_data,
            MetricDataQueries=[query],
            StartTime=now - timedelta(minutes=1),
            EndTime=now,
        )
        yield Try("cloudwatch:GetMetricData", "metrics", read)

    def _of_routes(self, arn: str) -> Iterator[Try]:
        service, reads = "cloudfront-keyvaluestore", self._clients.keyvalues
        describe = partial(reads.describe_key_value_store, KvsARN=arn)
        yield Try(f"{service}:DescribeKeyValueStore", arn, describe)
        yield Try(f"{service}:GetKey", arn, partial(reads.get_key, KvsARN=arn, Key=UNUSED))
        update = partial(
            self._clients.keyvalue_writes.update_keys,
            KvsARN=arn,
            IfMatch=UNUSED,
            Puts=[{"Key": UNUSED, "Value": ""}],
        )
        yield Try(f"{service}:UpdateKeys", arn, update)

    def _of_function(self, name: str) -> Iterator[Try]:
        cloudfront = self._clients.cloudfront
        config: FunctionConfigTypeDef = {"Comment": UNUSED, "Runtime": "cloudfront-js-2.0"}
        test = partial(cloudfront.test_function, Name=name, IfMatch=UNUSED, EventObject=b"{}")
        update = partial(
            cloudfront.update_function,
            Name=name,
            IfMatch=UNUSED,
            FunctionConfig=config,
            FunctionCode=SOURCE,
        )
        calls: dict[str, Callable[[], object]] = {
            "DescribeFunction": partial(
                cloudfront.describe_function, Name=name, Stage="DEVELOPMENT"
            ),
            "GetFunction": partial(cloudfront.get_function, Name=name, Stage="DEVELOPMENT"),
            "TestFunction": test,
            "UpdateFunction": update,
            "PublishFunction": partial(cloudfront.publish_function, Name=name, IfMatch=UNUSED),
        }
        for operation, call in calls.items():
            yield Try(f"cloudfront:{operation}", name, call)
