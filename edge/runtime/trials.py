"""Tests functions on this machine, as every back end does before it stages one."""

from collections.abc import Mapping
from typing import Any

from edge.errors import FunctionFailed
from edge.limits import CLOUDFRONT
from edge.protocols import FunctionTest
from edge.runtime.njs import check_syntax, njs_command
from edge.runtime.quickjs import EdgeFunction
from edge.runtime.results import Generated


def check_source(source: str) -> None:
    """Check size and syntax. Raises LimitExceeded, FunctionFailed.

    CloudFront itself accepts a function that does not parse, and fails when it runs. If njs is
    installed it must accept the function too, because its engine is close to CloudFront's.
    """
    CLOUDFRONT.check_function_source(source)
    EdgeFunction(source)
    if njs_command():
        check_syntax(source)


def run_locally(
    source: str, event: Mapping[str, Any], keyvalues: Mapping[str, str]
) -> FunctionTest:
    """Run a function on one event in QuickJS, which does not measure its utilization."""
    try:
        result = EdgeFunction(source).run(event, keyvalues)
    except FunctionFailed as error:
        return FunctionTest(output=None, error=error.message)
    if isinstance(result, Generated):
        return FunctionTest(output={"response": result.raw}, error="")
    return FunctionTest(output={"request": result.applied_to(event)}, error="")
