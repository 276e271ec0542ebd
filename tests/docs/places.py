"""Where the pages are, and how their tables are read."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md")])


def shown(path: Path) -> str:
    """Return a path as it is written in messages and test ids."""
    return str(path.relative_to(ROOT))


def reference(page: str) -> str:
    return (DOCS / "reference" / page).read_text()


def rows(page: str, heading: str) -> list[list[str]]:
    """Return the rows of a reference page's tables whose heading row begins with `heading`."""
    _, *found = reference(page).split(f"\n| {heading}")
    assert found, f"{page} has no table '{heading}'"
    lines = [line for rest in found for line in rest.split("\n\n")[0].splitlines()[2:]]
    return [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
