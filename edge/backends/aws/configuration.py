"""The settings of the AWS back end. Imports no boto3."""

from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning


def has_local_edge() -> bool:
    """Whether a local edge answers viewers instead of CloudFront."""
    return bool(settings.EDGE_LOCAL_VIEWER)


def check_settings() -> list[CheckMessage]:
    """Check the bucket (edge.E002) and where viewers are answered (edge.E004, edge.W001)."""
    found: list[CheckMessage] = []
    if not settings.EDGE_BUCKET:
        found.append(_no_bucket())
    url = urlsplit(settings.EDGE_VIEWER_URL)
    if settings.EDGE_VIEWER_URL and (url.scheme not in {"http", "https"} or not url.hostname):
        found.append(_malformed_viewer_url())
    if settings.EDGE_LOCAL_VIEWER and not settings.DEBUG:
        found.append(_local_viewer_in_production())
    return found


def _no_bucket() -> Error:
    return Error(
        "EDGE_BACKEND is aws, but EDGE_BUCKET is empty.",
        hint="Set EDGE_BUCKET to the bucket that the distributions read.",
        id="edge.E002",
    )


def _malformed_viewer_url() -> Error:
    return Error(
        f"Expected EDGE_VIEWER_URL to be http(s)://host, found '{settings.EDGE_VIEWER_URL}'.",
        hint="Set it to where the edge answers, or remove it if DNS points there.",
        id="edge.E004",
    )


def _local_viewer_in_production() -> CheckWarning:
    return CheckWarning(
        "EDGE_LOCAL_VIEWER is on and DEBUG is off: the local edge has no cache and polls AWS four "
        "times a second.",
        hint="Remove it, and let CloudFront answer viewers.",
        id="edge.W001",
    )
