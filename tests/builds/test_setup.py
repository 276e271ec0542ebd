"""init: what it finds, what it writes, and what it leaves alone."""

import json

import pytest

from builds.detect import guess_build
from builds.hooks import HOOK
from builds.setup import set_up
from deployments.errors import Refused
from deployments.sources.site_file import parse_file
from tests.builds.origin import git

VENV = 'python3 -m venv "$HOME/venv" && "$HOME/venv/bin"/pip install --quiet'

SPHINX = '"$HOME/venv/bin"/sphinx-build -b dirhtml docs _build/html'


def package(**needed):
    return json.dumps({"scripts": {"build": "x"}, "devDependencies": needed})


FOUND = {
    "astro": ({"package.json": package(astro="5"), "package-lock.json": ""},
              "npm ci && npm run build", "dist"),
    "next": ({"package.json": package(next="15"), "yarn.lock": ""},
             "yarn install --frozen-lockfile && yarn run build", "out"),
    "docusaurus": ({"package.json": package(**{"@docusaurus/core": "3"}), "pnpm-lock.yaml": ""},
                   "pnpm install --frozen-lockfile && pnpm run build", "build"),
    "react": ({"package.json": package(**{"react-scripts": "5"})},
              "npm install && npm run build", "build"),
    "eleventy": ({"package.json": package(**{"@11ty/eleventy": "3"}), "bun.lock": ""},
                 "bun install --frozen-lockfile && bun run build", "_site"),
    "vite": ({"package.json": package(vite="6"), "package-lock.json": ""},
             "npm ci && npm run build", "dist"),
    "unknown script": ({"package.json": package(), "package-lock.json": ""},
                       "npm ci && npm run build", "dist"),
    "mkdocs": ({"mkdocs.yml": "site_name: x\nsite_dir: public\n"},
               f'{VENV} mkdocs && "$HOME/venv/bin"/mkdocs build', "public"),
    "mkdocs-material": ({"mkdocs.yml": "theme:\n  name: material\n",
                         "requirements.txt": "mkdocs-material==9"},
                        f'{VENV} -r requirements.txt && "$HOME/venv/bin"/mkdocs build', "site"),
    "mkdocs with a package.json": ({"mkdocs.yml": "", "package.json": "{}"},
                                   f'{VENV} mkdocs && "$HOME/venv/bin"/mkdocs build', "site"),
    "sphinx": ({"docs/conf.py": "extensions = []", "docs/requirements.txt": "furo"},
               f'{VENV} -r docs/requirements.txt sphinx && {SPHINX}', "_build/html"),
    "hugo": ({"hugo.toml": ""}, "hugo --minify", "public"),
    "jekyll": ({"_config.yml": ""}, "jekyll build", "_site"),
    "plain": ({"public/index.html": ""}, "", "public"),
}  # fmt: skip


def write(folder, files):
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize("case", FOUND)
def test_guess(tmp_path, case):
    files, command, output = FOUND[case]
    found = guess_build(write(tmp_path, files))
    assert (found.command, found.output) == (command, output)


@pytest.mark.parametrize("text", ["{", "[]", '{"scripts": 1}', '{"scripts": {"build": 1}}'])
def test_odd_package_is_no_failure(tmp_path, text):
    found = guess_build(write(tmp_path, {"package.json": text}))
    assert found is None or found.output == "dist"


def test_writes_what_was_found(tmp_path):
    write(tmp_path, {"public/index.html": ""})
    ready = set_up(tmp_path)
    file = parse_file((tmp_path / "qdn.toml").read_bytes())
    assert (ready.wrote, file) == (True, ready.settings)
    assert (file.build.command, file.build.output) == ("", "public")
    assert file.branches.environments == {"main": "staging"}


def test_answers_and_the_branch_decide(tmp_path):
    git(tmp_path, "init", "--quiet", "--initial-branch=trunk")
    asked = []

    def ask(question, default):
        asked.append((question, default))
        return 'make "site"' if "command" in question else default

    set_up(write(tmp_path, {"hugo.toml": ""}), ask=ask)
    file = parse_file((tmp_path / "qdn.toml").read_bytes())
    assert asked == [
        ("Build command", "hugo --minify"),
        ("Folder that it builds into", "public"),
    ]
    assert (file.build.command, file.build.output) == ('make "site"', "public")
    assert file.branches.environments == {"trunk": "staging"}


def test_main_branch_is_meant_on_another_one(tmp_path):
    git(tmp_path, "init", "--quiet", "--initial-branch=master")
    git(tmp_path, "commit", "--quiet", "--allow-empty", "--message=First")
    git(tmp_path, "checkout", "--quiet", "-b", "other")
    ready = set_up(write(tmp_path, {"hugo.toml": ""}))
    assert ready.settings.branches.environments == {"master": "staging"}


def test_site_settings_are_kept(tmp_path):
    before = '# ours\n[site]\nfallback = "/index.html"\n'
    set_up(write(tmp_path, {"qdn.toml": before, "hugo.toml": ""}))
    after = (tmp_path / "qdn.toml").read_text()
    assert after.startswith(before)
    assert parse_file(after.encode()).build.command == "hugo --minify"


def test_repeating_changes_nothing(tmp_path):
    folder = write(tmp_path / "work", {"hugo.toml": ""})
    set_up(folder, repository=tmp_path / "site.git")
    text = (folder / "qdn.toml").read_text()
    ready = set_up(folder, repository=tmp_path / "site.git")
    assert (ready.wrote, (folder / "qdn.toml").read_text()) == (False, text)
    assert (tmp_path / "site.git" / HOOK).stat().st_mode & 0o111


def test_dry_run_writes_nothing(tmp_path):
    folder = write(tmp_path / "work", {"hugo.toml": ""})
    assert set_up(folder, repository=folder / "site.git", dry_run=True).wrote
    assert [one.name for one in folder.iterdir()] == ["hugo.toml"]


def other_hook(folder):
    git(folder, "init", "--quiet", "--bare", "site.git")
    write(folder, {f"site.git/{HOOK}": "#!/bin/sh\n"})


REFUSED = {
    "build-unguessed": lambda folder: None,
    "build-set": lambda folder: write(folder, {"qdn.toml": "[build]\noutput = 'x'\n"}),
    "site-file-invalid": lambda folder: write(folder, {"qdn.toml": "[sight]\n"}),
    "place-taken": lambda folder: write(folder, {"site.git/file": ""}),
    "hook-exists": other_hook,
}


@pytest.mark.parametrize("code", REFUSED)
def test_refuses(tmp_path, code):
    REFUSED[code](tmp_path)
    given = {} if code == "build-unguessed" else {"command": "true", "output": "."}
    files = sorted(tmp_path.rglob("*"))
    with pytest.raises(Refused) as refused:
        set_up(tmp_path, repository=tmp_path / "site.git", **given)
    assert refused.value.code == code
    assert sorted(tmp_path.rglob("*")) == files


# The tables that it writes


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[build]\n", "no 'output'"),
        ("[build]\noutput = ''\n", "expected a folder of the repository"),
        ("[build]\noutput = '../x'\n", "expected a folder of the repository"),
        ("[build]\noutput = '/x'\n", "expected a folder of the repository"),
        ("[build]\noutput = 'x'\ncommand = 1\n", "not a text"),
        ("[build]\noutput = 'x'\nminutes = 61\n", "at most 60"),
        ("[build]\noutput = 'x'\nminutes = 0\n", "at most 60"),
        ("[build]\noutput = 'x'\nminutes = true\n", "at most 60"),
        ("[build]\noutput = 'x'\nmemory = 1\n", "unknown key 'memory'"),
        ("build = 1\n", "expected a table"),
        ("[branches]\n", "0 names"),
        ("[branches]\nmain = 1\n", "main = 1"),
        ("[branches]\n'' = 'staging'\n", "the branch ''"),
    ],
)
def test_refuses_tables(text, expected):
    with pytest.raises(Refused, match=expected):
        parse_file(text.encode())
