"""The aws back end: S3, CloudFront KeyValueStore, CloudFront Functions, invalidations."""

from dataclasses import replace
from functools import cache

from edge.backends.aws.clients import make_clients
from edge.backends.aws.diagnostics import AwsDiagnostics
from edge.backends.aws.distributions import CloudFrontDistributions
from edge.backends.aws.errors import setting_up
from edge.backends.aws.functions import CloudFrontFunctions
from edge.backends.aws.keyvalues import CloudFrontKeyValues
from edge.backends.aws.metrics import CloudWatchMetrics
from edge.backends.aws.objects import S3Store
from edge.backends.aws.snapshot import AwsSnapshots
from edge.backends.viewers import HttpViewer, InProcessViewer
from edge.origins import KeyValueOrigins
from edge.protocols import Backend


@cache
def aws_backend(
    *, bucket: str, key_value_store: str, viewer_url: str = "", local_viewer: bool = False
) -> Backend:
    """Compose the aws back end; one for each process, because clients are dear to make.

    `viewer_url` is where viewers are answered when DNS does not lead there; with `local_viewer`
    and without it, probes ask a local edge in this process. Raises BackendUnavailable.
    """
    with setting_up():
        clients = make_clients()
    keyvalues = CloudFrontKeyValues(clients, key_value_store)
    backend = Backend(
        name="aws",
        objects=S3Store(clients, bucket),
        keyvalues=keyvalues,
        functions=CloudFrontFunctions(clients.cloudfront, keyvalues),
        distribution=CloudFrontDistributions(clients.cloudfront),
        viewer=HttpViewer(viewer_url),
        diagnostics=AwsDiagnostics(clients, bucket, keyvalues),
        metrics=CloudWatchMetrics(clients),
    )
    if viewer_url or not local_viewer:
        return backend
    viewer = InProcessViewer(backend.objects, AwsSnapshots(backend).read)
    return replace(backend, viewer=viewer, origins=KeyValueOrigins(keyvalues))
