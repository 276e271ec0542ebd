"""System checks of the edge's settings: ids edge.E001 to edge.E004 and edge.W001."""

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from django.conf import settings
from django.core.checks import CheckMessage, Error
from django.core.checks import Warning as CheckWarning

BACKENDS = ("local", "aws")


def check_settings(**kwargs: Any) -> list[CheckMessage]:
    """Check what the chosen back end needs."""
    if settings.EDGE_BACKEND not in BACKENDS:
        return [_unknown_backend()]
    if settings.EDGE_BACKEND == "aws":
        return _check_aws()
    store = Path(settings.EDGE_STORE_DIR)
    return [] if _writable(store) else [_read_only(store)]


def _check_aws() -> list[CheckMessage]:
    found: list[CheckMessage] = []
    if not settings.EDGE_BUCKET:
        found.append(_missing_bucket())
    url = urlsplit(settings.EDGE_VIEWER_URL)
    if settings.EDGE_VIEWER_URL and (url.scheme not in {"http", "https"} or not url.hostname):
        found.append(_odd_viewer_url())
    if settings.EDGE_LOCAL_VIEWER and not settings.DEBUG:
        found.append(_local_viewer_in_production())
    return found


def _unknown_backend() -> Error:
    return Error(
        f"Expected EDGE_BACKEND to be one of {', '.join(BACKENDS)}, "
        f"found {settings.EDGE_BACKEND!r}.",
        hint="Leave EDGE_BACKEND unset for the local back end.",
        id="edge.E001",
    )


def _missing_bucket() -> Error:
    return Error(
        "EDGE_BACKEND is aws, but EDGE_BUCKET is empty.",
        hint="Set EDGE_BUCKET to the name of the bucket the distributions read.",
        id="edge.E002",
    )


def _odd_viewer_url() -> Error:
    return Error(
        f"EDGE_VIEWER_URL is '{settings.EDGE_VIEWER_URL}', expected http(s)://host.",
        hint="Set it to where the edge answers, or leave it out where DNS leads there.",
        id="edge.E004",
    )


def _local_viewer_in_production() -> CheckWarning:
    return CheckWarning(
        "EDGE_LOCAL_VIEWER is set and DEBUG is off: the local edge keeps no cache and asks AWS "
        "four times a second.",
        hint="Leave it out, and let CloudFront answer viewers.",
        id="edge.W001",
    )


def _read_only(store: Path) -> Error:
    return Error(
        f"The object store's folder {store} cannot be written.",
        hint="Give this user the rights to it, or set DATA_DIR to a folder that can be written.",
        id="edge.E003",
    )


def _writable(folder: Path) -> bool:
    """Tell whether the folder, or the nearest one above it that exists, can be written."""
    existing = next(path for path in (folder, *folder.parents) if path.exists())
    return existing.is_dir() and os.access(existing, os.W_OK)
