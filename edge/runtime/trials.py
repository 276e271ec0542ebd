"""Trying a function out on this machine: what every back end does before it stages one."""

from collections.abc import Mapping
from typing import Any

from edge import limits
from edge.errors import FunctionFailed
from edge.protocols import FunctionTest
from edge.runtime.njs import check_syntax, njs_command
from edge.runtime.quickjs import EdgeFunction
from edge.runtime.results import Generated


def check_source(source: str) -> None:
    """Check size and syntax. Raises LimitExceeded, FunctionFailed.

    CloudFront itself takes a function that does not parse, and tells when it runs. njs has the
    last word where it is installed, because its engine is close to CloudFront's.
    """
    limits.check_function_source(source)
    EdgeFunction(source)
    if njs_command():
        check_syntax(source)


def tried_here(source: str, event: Mapping[str, Any], keyvalues: Mapping[str, str]) -> FunctionTest:
    """Run a function on one event in QuickJS; what it would use of CloudFront's time is unknown."""
    try:
        result = EdgeFunction(source).run(event, keyvalues)
    except FunctionFailed as error:
        return FunctionTest(output=None, error=error.message)
    if isinstance(result, Generated):
        return FunctionTest(output={"response": result.raw}, error="")
    return FunctionTest(output={"request": result.applied_to(event)}, error="")
