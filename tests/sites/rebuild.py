"""Builds the fixtures again: `.venv/bin/python tests/sites/rebuild.py [NAME ...]`.

Needs node 20, npm and the ordinary package indexes. Each site is built from `sources/NAME` in a
temporary folder and packed into `fixtures/NAME.zip`, without the files that no test needs. Small
lock files are kept beside the sources; for the others, `package.json` names exact versions.
"""

import argparse
import os
import shutil
import subprocess
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile, ZipInfo

HERE = Path(__file__).resolve().parent
SOURCES = HERE / "sources"
FIXTURES = HERE / "fixtures"
PACKED_AT_MOST = 300_000


@dataclass(frozen=True)
class Recipe:
    """How a site is built: the folder that it ends up in, and what is left out of it."""

    output: str
    command: tuple[str, ...] = ("npm", "run", "build")
    left_out: tuple[str, ...] = ("*.map",)


RECIPES = {
    # Searching in English needs none of the other languages.
    "mkdocs": Recipe(
        "site", ("mkdocs", "build"), ("*.map", "lunr.*.min.js", "tinyseg.js", "wordcut.js")
    ),
    "sphinx": Recipe(
        "site", ("sphinx-build", "-q", ".", "site"), ("*.map", "*.doctree", "*.pickle")
    ),
    "vite": Recipe("dist"),
    "astro": Recipe("dist"),
    "eleventy": Recipe("dist"),
    "next": Recipe("out"),
    "cra": Recipe("build"),
    "docusaurus": Recipe("build"),
}
ENVIRONMENT = {
    "SOURCE_DATE_EPOCH": "1767225600",
    "ASTRO_TELEMETRY_DISABLED": "1",
    "NEXT_TELEMETRY_DISABLED": "1",
    "GENERATE_SOURCEMAP": "false",
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(RECIPES))
    for name in parser.parse_args().names or RECIPES:
        with tempfile.TemporaryDirectory() as folder:
            built = build(name, Path(folder) / name)
            size = pack(built, FIXTURES / f"{name}.zip", RECIPES[name].left_out)
        sys.stdout.write(f"{name}: {size:,} bytes\n")
        assert size <= PACKED_AT_MOST, f"{name} is too large for a fixture"


def build(name: str, folder: Path) -> Path:
    """Build a site in a folder, and return the folder with its files."""
    recipe = RECIPES[name]
    shutil.copytree(SOURCES / name, folder)  # follows the links to sources/shared
    if recipe.command[0] == "npm":
        run("npm", "ci" if (folder / "package-lock.json").exists() else "install", cwd=folder)
        run(*recipe.command, cwd=folder)
    else:
        tools = folder.parent / "python"
        run(sys.executable, "-m", "venv", str(tools), cwd=folder)
        requirements = str(SOURCES / "requirements.txt")
        run(str(tools / "bin/pip"), "install", "-q", "-r", requirements, cwd=folder)
        run(str(tools / "bin" / recipe.command[0]), *recipe.command[1:], cwd=folder)
    return folder / recipe.output


def run(*command: str, cwd: Path) -> None:
    subprocess.run(command, cwd=cwd, check=True, env=os.environ | ENVIRONMENT)


def pack(folder: Path, archive: Path, left_out: tuple[str, ...]) -> int:
    """Pack a built site, the same bytes for the same files, and return the archive's size."""
    archive.parent.mkdir(exist_ok=True)
    with ZipFile(archive, "w", ZIP_DEFLATED, compresslevel=9) as packed:
        for file in sorted(folder.rglob("*")):
            path = file.relative_to(folder)
            if file.is_file() and not any(path.match(pattern) for pattern in left_out):
                packed.writestr(ZipInfo(path.as_posix()), file.read_bytes(), ZIP_DEFLATED, 9)
    return archive.stat().st_size


if __name__ == "__main__":
    main()
