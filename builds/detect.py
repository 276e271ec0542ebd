"""How the site in a folder is probably built, read from its files. Changes nothing."""

import json
import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Of a package that a site depends on: what it is called, and the folder it builds into.
_PACKAGES = {
    "astro": ("Astro", "dist"),
    "@docusaurus/core": ("Docusaurus", "build"),
    "next": ("Next.js with output: 'export'", "out"),
    "@11ty/eleventy": ("Eleventy", "_site"),
    "react-scripts": ("Create React App", "build"),
    "gatsby": ("Gatsby", "public"),
    "@sveltejs/kit": ("SvelteKit with adapter-static", "build"),
    "vite": ("Vite", "dist"),
}
_LOCKS = {
    "package-lock.json": ("npm", "npm ci"),
    "npm-shrinkwrap.json": ("npm", "npm ci"),
    "pnpm-lock.yaml": ("pnpm", "pnpm install --frozen-lockfile"),
    "yarn.lock": ("yarn", "yarn install --frozen-lockfile"),
    "bun.lock": ("bun", "bun install --frozen-lockfile"),
    "bun.lockb": ("bun", "bun install --frozen-lockfile"),
}
_VENV = 'python3 -m venv "$HOME/venv"'
_BIN = '"$HOME/venv/bin"'
_REQUIREMENTS = ("requirements.txt", "docs/requirements.txt", "requirements-docs.txt")
_SPHINX = ("docs/source", "docs", "doc", "source", ".")
_HUGO = ("hugo.toml", "hugo.yaml", "hugo.yml", "hugo.json")
_PLAIN = ("public", "site", "dist", "html", "www", ".")


@dataclass(frozen=True, slots=True)
class Guess:
    """How a site is probably built: with what, by which command, into which folder."""

    tool: str
    command: str
    output: str


def guess_build(folder: Path) -> Guess | None:
    """Return the first guess that fits, or None."""
    return next(_guesses(folder), None)


def _guesses(folder: Path) -> Iterator[Guess]:
    yield from _node(folder, known=True)
    yield from _mkdocs(folder)
    yield from _sphinx(folder)
    if any((folder / name).is_file() for name in _HUGO):
        yield Guess("Hugo", "hugo --minify", "public")
    if (folder / "_config.yml").is_file():
        gems = "export BUNDLE_PATH=vendor/bundle && bundle install && bundle exec "
        with_gems = gems if (folder / "Gemfile").is_file() else ""
        yield Guess("Jekyll", f"{with_gems}jekyll build", "_site")
    yield from _node(folder, known=False)
    for name in _PLAIN:
        if (folder / name / "index.html").is_file():
            yield Guess("plain files", "", name)


def _node(folder: Path, *, known: bool) -> Iterator[Guess]:
    package = _json(folder / "package.json")
    scripts = package.get("scripts")
    if not isinstance(scripts, dict) or "build" not in scripts:
        return
    needed = {**_table(package, "dependencies"), **_table(package, "devDependencies")}
    found = next((one for name, one in _PACKAGES.items() if name in needed), None)
    if (found is not None) is known:
        tool, output = found or ("a script 'build'", "dist")
        program, install = _installer(folder)
        yield Guess(tool, f"{install} && {program} run build", output)


def _installer(folder: Path) -> tuple[str, str]:
    found = (one for name, one in _LOCKS.items() if (folder / name).is_file())
    return next(found, ("npm", "npm install"))


def _mkdocs(folder: Path) -> Iterator[Guess]:
    for name in ("mkdocs.yml", "mkdocs.yaml"):
        text = _text(folder / name)
        if text is not None:
            is_material = re.search(r"^\s+name:\s*['\"]?material\b", text, re.MULTILINE)
            package = "mkdocs-material" if is_material else "mkdocs"
            output = re.search(r"^site_dir:\s*['\"]?([\w./-]+)", text, re.MULTILINE)
            yield Guess(
                "MkDocs",
                f"{_installed(folder, package)} && {_BIN}/mkdocs build",
                output[1] if output else "site",
            )


def _sphinx(folder: Path) -> Iterator[Guess]:
    for source in _SPHINX:
        if "extensions" in (_text(folder / source / "conf.py") or ""):
            build = f"{_BIN}/sphinx-build -b dirhtml {source} _build/html"
            yield Guess("Sphinx", f"{_installed(folder, 'sphinx')} && {build}", "_build/html")


def _installed(folder: Path, package: str) -> str:
    """Return the commands that install what a Python generator needs."""
    listed = [name for name in _REQUIREMENTS if (folder / name).is_file()]
    # The repository's own requirements decide the version.
    named = package in "".join(_text(folder / name) or "" for name in listed).lower()
    needed = " ".join([f"-r {name}" for name in listed] + ([] if named else [package]))
    return f"{_VENV} && {_BIN}/pip install --quiet {needed}"


def _table(package: dict[str, Any], name: str) -> dict[str, Any]:
    found = package.get(name)
    return found if isinstance(found, dict) else {}


def _json(path: Path) -> dict[str, Any]:
    with suppress(ValueError):
        found = json.loads(_text(path) or "{}")
        if isinstance(found, dict):
            return found
    return {}


def _text(path: Path) -> str | None:
    with suppress(OSError, UnicodeDecodeError):
        return path.read_text()
    return None
