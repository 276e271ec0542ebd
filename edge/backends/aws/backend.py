"""Composes the AWS back end."""

from dataclasses import replace
from functools import cache

from django.conf import settings

from edge import limits, pricing
from edge.backends.aws.clients import make_clients
from edge.backends.aws.diagnostics import AwsDiagnostics
from edge.backends.aws.distributions import CloudFrontDistributions
from edge.backends.aws.errors import setting_up
from edge.backends.aws.functions import CloudFrontFunctions
from edge.backends.aws.keyvalues import CloudFrontKeyValues
from edge.backends.aws.metrics import CloudWatchMetrics
from edge.backends.aws.objects import S3Store
from edge.backends.aws.snapshot import AwsSnapshots
from edge.backends.aws.viewer import HttpViewer
from edge.backends.viewers import InProcessViewer
from edge.origins import KeyValueOrigins
from edge.protocols import Backend


def make_backend() -> Backend:
    """Return the AWS back end, as the settings describe it. Raises BackendUnavailable."""
    return aws_backend(
        bucket=settings.EDGE_BUCKET,
        key_value_store=settings.EDGE_KEY_VALUE_STORE,
        viewer_url=settings.EDGE_VIEWER_URL,
        local_viewer=settings.EDGE_LOCAL_VIEWER,
    )


@cache
def aws_backend(
    *, bucket: str, key_value_store: str, viewer_url: str = "", local_viewer: bool = False
) -> Backend:
    """Return a back end; one per process, because clients are expensive to make.

    Probes ask `viewer_url`, or the environment's host if it is empty. With `local_viewer` a local
    edge can read the back end, and without `viewer_url` probes ask one in this process. Raises
    BackendUnavailable.
    """
    with setting_up():
        clients = make_clients()
    objects, keyvalues = S3Store(clients, bucket), CloudFrontKeyValues(clients, key_value_store)
    functions = CloudFrontFunctions(clients.cloudfront, keyvalues)
    read_snapshot = AwsSnapshots(keyvalues, functions).read
    backend = Backend(
        name="aws",
        limits=limits.CLOUDFRONT,
        pricing=pricing.CLOUDFRONT,
        objects=objects,
        keyvalues=keyvalues,
        functions=functions,
        distribution=CloudFrontDistributions(clients.cloudfront),
        viewer=HttpViewer(viewer_url),
        diagnostics=AwsDiagnostics(clients, bucket, keyvalues),
        metrics=CloudWatchMetrics(clients),
        read_snapshot=read_snapshot if local_viewer else None,
        runs_functions=True,
    )
    if viewer_url or not local_viewer:
        return backend
    viewer = InProcessViewer(objects, read_snapshot)
    return replace(backend, viewer=viewer, origins=KeyValueOrigins(keyvalues))
