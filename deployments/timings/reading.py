"""Reading the report of a view: JSON of one known shape, with numbers in range."""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from deployments.models import Metric
from deployments.timings.histograms import MOST, bucket_of

# The beacon's longest has about 200.
MOST_BYTES = 500
NUMBERS = (Metric.TTFB, Metric.FCP, Metric.LCP, Metric.CLS, Metric.INP, Metric.DOCUMENT)
ERRORS = {"script": Metric.SCRIPT_ERROR, "document": Metric.DOCUMENT_ERROR}
_TEXTS = {"surface", "release", "error"}
_EXPECTED = _TEXTS | {metric.value for metric in NUMBERS}


@dataclass(frozen=True, slots=True)
class View:
    """The report of one view: where it was, and its metrics with their buckets."""

    surface: str
    release: str
    buckets: tuple[tuple[str, int], ...]


def read_view(body: bytes) -> View | None:
    """Return a report, or None for anything else."""
    if len(body) > MOST_BYTES:
        return None
    try:
        found = json.loads(body, parse_constant=_refuse)
    except (ValueError, RecursionError):
        return None
    return _view(found) if isinstance(found, dict) and found.keys() <= _EXPECTED else None


def _view(found: Mapping[str, Any]) -> View | None:
    surface, release, error = found.get("surface"), found.get("release"), found.get("error")
    numbers = {name: value for name, value in found.items() if name not in _TEXTS}
    is_known = isinstance(surface, str) and surface in settings.SURFACES
    is_failure = isinstance(error, str) and error in ERRORS
    if not is_known or not isinstance(release, str) or not (error is None or is_failure):
        return None
    if not all(map(_in_range, numbers.values())):
        return None
    return View(str(surface), release, tuple(_buckets(numbers, error)))


def _buckets(numbers: Mapping[str, float], error: str | None) -> Iterator[tuple[str, int]]:
    yield Metric.VIEW.value, 0
    for name, value in numbers.items():
        yield name, bucket_of(value)
    if error is not None:
        yield ERRORS[error].value, 0


def _in_range(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value) and 0 <= value <= MOST


def _refuse(constant: str) -> None:
    """Refuse NaN and Infinity, which Python reads although JSON has neither."""
    raise ValueError(constant)
