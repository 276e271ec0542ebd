"""Metrics: what CloudFront counted, read from CloudWatch.

Sources: the developer guide's "Types of metrics for CloudFront" (namespace, dimensions, and that
they are in us-east-1 only) and GetMetricData of the CloudWatch API reference.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from edge.backends.aws.errors import translated
from edge.errors import BackendUnavailable
from edge.protocols import Measure

if TYPE_CHECKING:
    from mypy_boto3_cloudwatch.type_defs import MetricDataQueryTypeDef

    from edge.backends.aws.clients import AwsClients

NAMESPACE = "AWS/CloudFront"
REGION = "Global"  # of every CloudFront metric, in any region
DIMENSIONS = {"distribution": "DistributionId", "function": "FunctionName"}
# The name and the statistic of each metric of the contract.
STATISTICS = {
    "requests": ("Requests", "Sum"),
    "bytes_downloaded": ("BytesDownloaded", "Sum"),
    "4xx_rate": ("4xxErrorRate", "Average"),
    "5xx_rate": ("5xxErrorRate", "Average"),
    "invocations": ("FunctionInvocations", "Sum"),
    "utilization": ("FunctionComputeUtilization", "Average"),
    "execution_errors": ("FunctionExecutionErrors", "Sum"),
    "validation_errors": ("FunctionValidationErrors", "Sum"),
    "throttles": ("FunctionThrottles", "Sum"),
}
QUERIES_AT_ONCE = 500  # the most that GetMetricData takes
READ = {"Complete", "PartialData"}  # partial data continues on the next page


class CloudWatchMetrics:
    """Metrics of an account's distributions and functions."""

    def __init__(self, clients: "AwsClients") -> None:
        self._clients = clients

    def read(
        self, measures: Sequence[Measure], *, start: datetime, end: datetime, period: int
    ) -> list[list[float | None]]:
        slots = round((end - start) / timedelta(seconds=period))
        values: list[list[float | None]] = [[None] * slots for _ in measures]
        queries = [_query(number, item, period) for number, item in enumerate(measures)]
        for result in self._results(queries, start, end):
            series = values[int(result["Id"].removeprefix("m"))]
            for moment, value in zip(result["Timestamps"], result["Values"], strict=True):
                slot = int((moment - start).total_seconds() // period)
                if 0 <= slot < slots:
                    series[slot] = value
        return values

    def _results(
        self, queries: "Sequence[MetricDataQueryTypeDef]", start: datetime, end: datetime
    ) -> Iterator[Any]:
        """Yield the results of all pages. Raises BackendUnavailable."""
        for first in range(0, len(queries), QUERIES_AT_ONCE):
            with translated("Reading CloudWatch's metrics"):
                pages = self._clients.cloudwatch.get_paginator("get_metric_data").paginate(
                    MetricDataQueries=queries[first : first + QUERIES_AT_ONCE],
                    StartTime=start,
                    EndTime=end,
                    ScanBy="TimestampAscending",
                )
                for page in pages:
                    yield from map(_checked, page["MetricDataResults"])


def _query(number: int, measure: Measure, period: int) -> "MetricDataQueryTypeDef":
    name, statistic = STATISTICS[measure.metric]
    return {
        "Id": f"m{number}",  # must begin with a lower-case letter
        "MetricStat": {
            "Metric": {
                "Namespace": NAMESPACE,
                "MetricName": name,
                "Dimensions": [
                    {"Name": DIMENSIONS[measure.kind], "Value": measure.subject},
                    {"Name": "Region", "Value": REGION},
                ],
            },
            "Period": period,
            "Stat": statistic,
        },
        "ReturnData": True,
    }


def _checked(result: Any) -> Any:
    """Return a result. Raises BackendUnavailable if it is a failure, which comes inside a 200."""
    if result.get("StatusCode", "Complete") in READ:
        return result
    messages = "; ".join(item.get("Value", "") for item in result.get("Messages", []))
    raise BackendUnavailable(
        f"CloudWatch could not read a metric: {result['StatusCode']} {messages}".rstrip() + ".",
        "Allow these credentials cloudwatch:GetMetricData, then run this again.",
    )
