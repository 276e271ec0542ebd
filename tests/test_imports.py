"""The import table: which part may know which other."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
MAY_IMPORT = {
    "qdn": {
        *("office", "crews", "notifications", "tracking", "builds", "deployments", "dispatch"),
        "edge",
    },
    "office": {"crews", "notifications", "tracking", "builds", "deployments", "dispatch", "edge"},
    "crews": {"tracking", "dispatch", "edge"},
    "notifications": {"tracking", "dispatch", "edge"},
    "tracking": {"dispatch", "edge"},
    "builds": {"deployments", "edge"},
    "deployments": {"edge"},
    "dispatch": set(),
    "edge": set(),
}
AWS_LIBRARIES = {"boto3", "botocore"}


def imported_packages(path: Path) -> set[str]:
    """Return the top-level packages that a module imports, in functions too."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            names |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative imports hide what is imported"
            names.add((node.module or "").split(".")[0])
    return names


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_part_imports_only_what_the_table_allows(part):
    forbidden = set(MAY_IMPORT) - MAY_IMPORT[part] - {part}
    for path in (ROOT / part).rglob("*.py"):
        assert not imported_packages(path) & forbidden, path


def test_only_edge_backends_import_boto3():
    for part in MAY_IMPORT:
        for path in (ROOT / part).rglob("*.py"):
            if path.parent != ROOT / "edge/backends/aws":
                assert not imported_packages(path) & AWS_LIBRARIES, path


def test_back_end_is_chosen_in_one_place():
    """Other code gets facts from the Backend object instead of testing EDGE_BACKEND."""
    found = {
        path.relative_to(ROOT).as_posix()
        for part in MAY_IMPORT
        for path in (ROOT / part).rglob("*.py")
        if "settings.EDGE_BACKEND" in path.read_text()
    }
    assert found == {"edge/backends/__init__.py"}


def test_table_sees_an_import_inside_a_function(tmp_path):
    module = tmp_path / "module.py"
    module.write_text("def f():\n    from tracking.models import Link\n    return Link\n")
    assert imported_packages(module) == {"tracking"}
