"""Imports inside an app go downwards, and never in a circle."""

import ast
from collections.abc import Iterator
from functools import cache
from graphlib import CycleError, TopologicalSorter
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
APPS = (
    *("builds", "crews", "deployments", "dispatch", "edge", "notifications", "office", "qdn"),
    "tracking",
)
# The modules and packages of an app, low to high. A package may import itself and those of lower
# layers, but not its neighbours in the same layer.
LAYERS = {
    "builds": (
        "models, output, git, detect, keeper, secrets < log, folders, hooks, mirrors, apps"
        " < command, turns, delivery, setup < run, reports, queue < receive, tasks, admin, github"
    ),
    "deployments": (
        "errors, wording, templatetags < models"
        " < live_history, audit, locks, metrics, seeding, timings"
        " < context, releases, apps < sources, routing, invalidation < hooks < deploy, stacks"
        " < push, verification, retention, recovery < operations, previews < environments, api"
        " < admin, tasks"
    ),
    "edge": (
        "errors, models, database_clock, behaviours, routing, functions, viewer_address, access"
        " < limits, pricing, sites < protocols"
        " < origins, runtime < serving_rules < serving < provisioning"
        " < backends.rules, backends.bounded_map, backends.viewers"
        " < backends.local, backends.aws < backends < checks, local_edge < apps"
    ),
}


def modules(app: str) -> dict[str, Path]:
    """Return the files of an app's modules by dotted name, without migrations."""
    found = {}
    for path in sorted((ROOT / app).rglob("*.py")):
        parts = path.relative_to(ROOT).with_suffix("").parts
        if "migrations" not in parts and parts != (app, "__init__"):
            found[".".join(parts).removesuffix(".__init__")] = path
    return found


def imported_names(source: str) -> Iterator[str]:
    """Iterate over the dotted names in imports, in functions and under TYPE_CHECKING too."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


@cache
def imports(app: str) -> dict[str, set[str]]:
    """Return the modules of an app with those of the same app that each imports."""
    known = modules(app)
    return {
        name: {
            found
            for imported in imported_names(path.read_text())
            for found in (imported, imported.rpartition(".")[0])
            if found in known and not (found != imported and imported in known)
        }
        for name, path in known.items()
    }


def layers(app: str, table: str) -> dict[str, int]:
    """Return the height of each package of a table, by dotted name."""
    return {
        f"{app}.{name}": height
        for height, layer in enumerate(table.split("<"))
        for name in layer.replace(",", " ").split()
    }


def package_of(module: str, packages: dict[str, int]) -> str | None:
    """Return the package of a table that a module belongs to: the one with the longest name."""
    parts = module.split(".")
    names = (".".join(parts[:length]) for length in range(len(parts), 1, -1))
    return next((name for name in names if name in packages), None)


def upward_imports(graph: dict[str, set[str]], packages: dict[str, int]) -> list[str]:
    """Return the imports that do not go down, as text."""
    return [
        f"{module} -> {imported}"
        for module, others in graph.items()
        for imported in sorted(others)
        if (above := package_of(module, packages)) != (below := package_of(imported, packages))
        and packages[above or ""] <= packages[below or ""]
    ]


def circle(graph: dict[str, set[str]]) -> list[str]:
    """Return the modules of a circle of imports, or nothing."""
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        found: list[str] = error.args[1]
        return found
    return []


@pytest.mark.parametrize("app", LAYERS)
def test_every_module_is_in_the_table(app):
    packages = layers(app, LAYERS[app])
    assert [name for name in modules(app) if package_of(name, packages) is None] == []


@pytest.mark.parametrize("app", LAYERS)
def test_imports_go_down(app):
    assert upward_imports(imports(app), layers(app, LAYERS[app])) == []


@pytest.mark.parametrize("app", APPS)
def test_no_circles(app):
    assert circle(imports(app)) == []


def test_upward_import_is_found():
    packages = layers("a", "low, other < high")
    graph = {"a.low.x": {"a.high.y"}, "a.high.y": {"a.low.x", "a.high.z"}, "a.other": {"a.low.x"}}
    assert upward_imports(graph, packages) == ["a.low.x -> a.high.y", "a.other -> a.low.x"]


def test_circle_is_found():
    assert set(circle({"a.x": {"a.y"}, "a.y": {"a.z"}, "a.z": {"a.x"}})) == {"a.x", "a.y", "a.z"}


def test_imports_under_type_checking_count():
    source = "if TYPE_CHECKING:\n    from a.b import C\ndef f():\n    import d.e\n"
    assert list(imported_names(source)) == ["a.b.C", "d.e"]
