"""Metrics that plain boto3 wrote, read by the product."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO

import boto3
import pytest
from django.core.management import CommandError, call_command
from django.urls import reverse

from deployments.models import Environment
from edge.backends.aws import clients, metrics
from edge.backends.aws.backend import aws_backend
from edge.backends.aws.clients import Patience
from edge.backends.aws.metrics import CloudWatchMetrics
from edge.errors import BackendUnavailable
from edge.functions.shipped import function_name
from edge.protocols import Measure

pytestmark = pytest.mark.django_db


@pytest.fixture
def production(aws):
    environment = Environment.objects.get(name="production")
    environment.distributions.create(remote_id="E1")
    return environment


@pytest.fixture
def counted(production):
    """Write values of a metric, `minutes` ago, as CloudFront does."""
    cloudwatch = boto3.client("cloudwatch", "us-east-1")

    def put(dimension, subject, metric, value, *, minutes=30):
        cloudwatch.put_metric_data(
            Namespace="AWS/CloudFront",
            MetricData=[
                {
                    "MetricName": metric,
                    "Dimensions": [
                        {"Name": dimension, "Value": subject},
                        {"Name": "Region", "Value": "Global"},
                    ],
                    "Timestamp": datetime.now(UTC) - timedelta(minutes=minutes),
                    "Value": value,
                }
            ],
        )

    return put


def run(*arguments):
    out = StringIO()
    call_command("metrics", *arguments, stdout=out)
    return out.getvalue()


def rows(*arguments):
    found = json.loads(run("--json", *arguments))
    return {row["id"]: row for row in found}


def test_distribution_and_function_are_reported(counted):
    counted("DistributionId", "E1", "Requests", 120.0)
    counted("DistributionId", "E1", "Requests", 80.0, minutes=90)
    counted("DistributionId", "E1", "BytesDownloaded", 5000.0)
    counted("DistributionId", "E1", "4xxErrorRate", 2.5)
    counted("DistributionId", "E1", "5xxErrorRate", 0.5)
    name = function_name("production")
    counted("FunctionName", name, "FunctionInvocations", 200.0)
    counted("FunctionName", name, "FunctionComputeUtilization", 31.0)
    counted("FunctionName", name, "FunctionExecutionErrors", 3.0)
    counted("FunctionName", name, "FunctionValidationErrors", 1.0)
    found = rows("--environment", "production")
    assert set(found) == {"E1", name}
    assert found["E1"]["totals"] == {
        "requests": 200,
        "bytes_downloaded": 5000,
        "4xx_rate": 2.5,
        "5xx_rate": 0.5,
    }
    assert found[name]["totals"] == {
        "invocations": 200,
        "utilization": 31,
        "execution_errors": 3,
        "validation_errors": 1,
        "throttles": None,
    }


def test_values_are_in_their_periods(counted):
    counted("DistributionId", "E1", "Requests", 7.0, minutes=200)
    row = rows("--hours", "24")["E1"]
    (slot,) = [at for at, value in enumerate(row["series"]["requests"]) if value]
    began = datetime.fromisoformat(row["start"]) + timedelta(seconds=slot * row["period"])
    counted_at = datetime.now(UTC) - timedelta(minutes=200)
    assert timedelta(0) <= counted_at - began < timedelta(seconds=row["period"] + 60)
    assert len(row["series"]["requests"]) == 96


def test_other_distributions_and_older_times_are_left_out(counted):
    counted("DistributionId", "E2", "Requests", 7.0)
    counted("DistributionId", "E1", "Requests", 7.0, minutes=300)
    assert rows("--hours", "3")["E1"]["totals"]["requests"] is None


def test_more_metrics_than_one_request_takes(counted, aws, monkeypatch):
    monkeypatch.setattr(metrics, "QUERIES_AT_ONCE", 3)
    counted("FunctionName", function_name("production"), "FunctionExecutionErrors", 4.0)
    assert rows()[function_name("production")]["totals"]["execution_errors"] == 4


def test_command_shows_a_table(counted):
    counted("DistributionId", "E1", "Requests", 1234.0)
    text = run("--environment", "production")
    assert "periods of 15 minutes" in text
    assert "1,234" in text
    assert "highest 1,234 in 15 minutes" in text


def test_page_shows_the_counts(counted, admin_client, production):
    counted("DistributionId", "E1", "Requests", 1234.0)
    address = reverse("admin:deployments_environment_metrics", args=[production.pk])
    assert "1,234" in admin_client.get(address).content.decode()


def test_local_back_end_says_that_it_has_no_metrics():
    assert json.loads(run("--json")) == []
    assert "EDGE_BACKEND=aws" in run()


def test_unknown_environment_is_refused(aws):
    with pytest.raises(CommandError) as refused:
        run("--environment", "moon")
    assert refused.value.returncode == 1


def test_outage_of_cloudwatch_is_reported_in_one_line(production, monkeypatch):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setattr(clients, "PATIENCE", Patience(attempts=1))
    aws_backend.cache_clear()
    try:
        with pytest.raises(CommandError, match="CloudWatch's metrics failed") as refused:
            run()
    finally:
        aws_backend.cache_clear()
    assert refused.value.returncode == 1


def test_metric_that_cannot_be_read_is_an_error():
    """CloudWatch reports some refusals inside a successful answer."""
    refusal = {
        "Id": "m0",
        "StatusCode": "Forbidden",
        "Messages": [{"Code": "Forbidden", "Value": "not yours"}],
        "Timestamps": [],
        "Values": [],
    }
    now = datetime.now(UTC)
    with pytest.raises(BackendUnavailable, match="not yours"):
        CloudWatchMetrics(_answering([refusal])).read(
            [Measure("distribution", "E1", "requests")],
            start=now - timedelta(minutes=5),
            end=now,
            period=60,
        )


def _answering(results):
    """Return clients whose CloudWatch has these results; the emulator refuses nothing."""

    class Clients:
        cloudwatch = property(lambda self: self)

        def get_paginator(self, name):
            return self

        def paginate(self, **asked):
            return [{"MetricDataResults": results}]

    return Clients()
