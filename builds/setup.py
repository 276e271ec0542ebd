"""Setting a site up for `git push`: its `qdn.toml`, and a repository with the hook."""

import json
import re
import sys
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings

from builds.detect import guess_build
from builds.git import run_git
from builds.hooks import check_place, hook_script, make_repository
from deployments.errors import Refused
from deployments.sources.site_file import SITE_FILE, SiteFile, parse_file

USUAL = ("main", "master")
_BARE = re.compile("[A-Za-z0-9_-]+")  # a key that TOML takes without quotes
# Asks a question with the answer that Enter gives.
Ask = Callable[[str, str], str]


@dataclass(frozen=True, slots=True)
class Ready:
    """What was set up; `wrote` is False if `qdn.toml` said it all already."""

    file: Path
    settings: SiteFile
    wrote: bool
    branch: str
    repository: Path | None


def set_up(
    folder: Path,
    *,
    repository: Path | None = None,
    command: str | None = None,
    output: str | None = None,
    ask: Ask | None = None,
    say: Callable[[str], None] = lambda line: None,
    dry_run: bool = False,
) -> Ready:
    """Write how a site is built into its `qdn.toml`, and make a repository if a path is given.

    What is not given is guessed, and asked if there is someone to ask. A file that says how the
    site is built stays as it is. Raises Refused, with nothing written.
    """
    branch = _branch_of(folder)
    script = hook_script(Path(sys.executable), settings.BASE_DIR / "manage.py")
    if repository:
        repository = repository.absolute()
        check_place(repository, script)
    file = folder / SITE_FILE
    before = _read(file)
    text = before
    if parse_file(before.encode()).build is None:
        text = _joined(before, *_chosen(folder, command, output, ask, say), branch)
    elif command is not None or output is not None:
        raise Refused(
            "build-set",
            f"{file} has a table [build] already, and init does not change it.",
            "Edit the file, or leave out --command and --output.",
        )
    else:
        say(f"{file} says how the site is built; it stays as it is")
    stated = parse_file(text.encode())
    if not dry_run:
        if text != before:
            file.write_text(text)
        if repository:
            make_repository(repository, branch=branch, script=script)
    return Ready(file, stated, text != before, branch, repository)


def _read(file: Path) -> str:
    if not file.parent.is_dir():
        raise Refused(
            "source-missing", f"{file.parent} is not a folder.", "Name the folder of the site."
        )
    try:
        return file.read_text()
    except FileNotFoundError:
        return ""
    except (OSError, UnicodeDecodeError) as error:
        raise Refused(
            "site-file-invalid", f"{file} cannot be read: {error}.", "Correct it, or remove it."
        ) from error


def _chosen(
    folder: Path,
    command: str | None,
    output: str | None,
    ask: Ask | None,
    say: Callable[[str], None],
) -> tuple[str, str]:
    """Return command and output folder: as given, as answered, or as guessed. Raises Refused."""
    guess = guess_build(folder)
    if guess:
        say(f"Found {guess.tool}")
    if ask and command is None:
        command = ask("Build command", guess.command if guess else "")
    if ask and output is None:
        output = ask("Folder that it builds into", guess.output if guess else "")
    if output is None and guess is None:
        raise Refused(
            "build-unguessed",
            f"Nothing in {folder} shows how the site is built.",
            'Say it: manage.py init DIR --command "make site" --output public',
        )
    chosen = (guess.command, guess.output) if guess else ("", "")
    return (
        chosen[0] if command is None else command,
        chosen[1] if output is None else output,
    )


def _joined(before: str, command: str, output: str, branch: str) -> str:
    """Return the file with the tables added to what it has."""
    tables = tomllib.loads(before) if before else {}
    added = ["[build]", f"command = {_quoted(command)}", f"output = {_quoted(output)}"]
    if "branches" not in tables:
        environment = _quoted("staging")
        key = branch if _BARE.fullmatch(branch) else _quoted(branch)
        added += ["", "[branches]", f"{key} = {environment}"]
    kept = f"{before.rstrip()}\n\n" if before.strip() else ""
    return kept + "\n".join(added) + "\n"


def _quoted(text: str) -> str:
    """Return a TOML string, without escapes if possible. JSON's escapes are among TOML's."""
    if '"' in text and "'" not in text and text.isprintable():
        return f"'{text}'"
    return json.dumps(text, ensure_ascii=False)


def _branch_of(folder: Path) -> str:
    """Return the main branch: one that is usually called so, or else what is checked out."""
    git = ("-C", str(folder))
    for name in USUAL:
        if run_git(*git, "rev-parse", "--verify", "--quiet", f"refs/heads/{name}").stdout:
            return name
    done = run_git(*git, "symbolic-ref", "--quiet", "--short", "HEAD")
    return done.stdout.decode(errors="replace").strip() or USUAL[0]
