"""Collects every stable error code of the code, with the exit codes it leads to.

Errors of `deployments` take their code as first argument, those of the other parts have it as a
class attribute. Both are read from the syntax trees by the names of classes: modules may move.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator

from deployments.errors import ChangedMeanwhile, PartlyChanged, Refused
from dispatch import errors as dispatch_errors
from edge import errors as edge_errors
from notifications import errors as notifications_errors
from qdn.console import PARTLY_CHANGED, exit_code_for
from tests.docs.places import ROOT
from tracking import errors as tracking_errors

APPS = [
    *("builds", "crews", "deployments", "dispatch", "edge", "notifications", "office", "qdn"),
    "tracking",
]
TAKE_CODE = (Refused, ChangedMeanwhile, PartlyChanged)
HAVE_CODE = tuple(
    error
    for module in (dispatch_errors, edge_errors, notifications_errors, tracking_errors)
    for error in vars(module).values()
    if isinstance(error, type)
)


def exits_by_code() -> dict[str, set[int]]:
    """Return the exit codes that each error code can lead to."""
    nodes = list(_nodes())
    found: dict[str, set[int]] = defaultdict(set)
    take_code = _with_subclasses(nodes, {e.__name__: {exit_code_for(e("", ""))} for e in TAKE_CODE})
    have_code = _with_subclasses(nodes, {e.__name__: _exits(e) for e in HAVE_CODE})
    for node in nodes:
        if isinstance(node, ast.ClassDef) and node.name in have_code:
            for code in _class_attribute(node, "code"):
                found[code] |= have_code[node.name]
        if isinstance(node, ast.Call) and _name(node.func) in take_code:
            for code in _first_argument(node):
                found[code] |= take_code[_name(node.func)]
    return dict(found)


def _exits(error: type) -> set[int]:
    """Return the exit code, and for an outage also the one of commands that deploy."""
    exits = {exit_code_for(error(""))}
    return exits | {PARTLY_CHANGED} if getattr(error, "is_outage", False) else exits


def _with_subclasses(nodes: list[ast.AST], exits: dict[str, set[int]]) -> dict[str, set[int]]:
    """Add the classes that other modules derive; they exit as their base does."""
    for node in nodes:
        if isinstance(node, ast.ClassDef) and node.name not in exits and node.bases:
            base = _name(node.bases[0])
            if base in exits:
                exits[node.name] = exits[base]
    return exits


def _class_attribute(node: ast.ClassDef, name: str) -> Iterator[str]:
    for statement in node.body:
        if isinstance(statement, ast.Assign) and _name(statement.targets[0]) == name:
            yield ast.literal_eval(statement.value)


def _first_argument(call: ast.Call) -> Iterator[str]:
    first = call.args[0]
    if isinstance(first, ast.Attribute) and first.attr == "code":
        return  # another error's code, passed on
    assert isinstance(first, ast.Constant), f"not a literal code: {ast.unparse(call)}"
    yield str(first.value)


def _nodes() -> Iterator[ast.AST]:
    for app in APPS:
        for path in (ROOT / app).rglob("*.py"):
            yield from ast.walk(ast.parse(path.read_text()))


def _name(node: ast.AST) -> str:
    return node.id if isinstance(node, ast.Name) else getattr(node, "attr", "")
