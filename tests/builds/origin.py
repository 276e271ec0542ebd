"""A site's repository as its author has it, and the bare one that it is pushed to."""

import os
import subprocess
from pathlib import Path

QUIET = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_SYSTEM": os.devnull,
    "GIT_AUTHOR_NAME": "Dana Frost",
    "GIT_AUTHOR_EMAIL": "dana@example.com",
    "GIT_COMMITTER_NAME": "Dana Frost",
    "GIT_COMMITTER_EMAIL": "dana@example.com",
}
COPY = "mkdir out && cp page.html out/index.html"


def git(folder: Path, *arguments: str, environ=None, check=True):
    return subprocess.run(
        ["git", *arguments],
        cwd=folder,
        env={**(environ or os.environ), **QUIET},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=120,
        check=check,
    )


class Origin:
    """A work tree with one page, and a bare repository without a hook."""

    def __init__(self, folder: Path):
        self.folder, self.bare = folder / "work", folder / "site.git"
        self.folder.mkdir()
        git(self.folder, "init", "--quiet", "--initial-branch=main")
        git(folder, "init", "--quiet", "--bare", "--initial-branch=main", str(self.bare))

    def commit(self, mark="A", *, command=COPY, toml=None, files=(), branch="main"):
        """Commit a page with a build, push it where no hook is, and return the commit."""
        git(self.folder, "checkout", "--quiet", "-B", branch)
        self.write("page.html", f"<!doctype html><title>{mark}</title>")
        self.write("qdn.toml", toml or settings_with(command))
        for name, text in dict(files).items():
            self.write(name, text)
        git(self.folder, "add", "--all")
        git(self.folder, "commit", "--quiet", "--allow-empty", f"--message=Page {mark}")
        git(self.folder, "push", "--quiet", "--force", str(self.bare), branch)
        return self.head

    @property
    def head(self):
        return git(self.folder, "rev-parse", "HEAD").stdout.strip()

    def write(self, name, text):
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def settings_with(command, *, output="out", minutes=1, rest=""):
    """Return a `qdn.toml`."""
    return f"[build]\ncommand = '''{command}'''\noutput = '{output}'\nminutes = {minutes}\n{rest}"
