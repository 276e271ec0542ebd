"""The tables [build] and [branches] of `qdn.toml`: how a repository is built. Pure.

A push of a folder checks them and uses nothing of them.
"""

from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any

from deployments.releases.provenance import LONGEST
from deployments.sources.site_tables import read_keys, wrong

MINUTES = 10
MINUTES_AT_MOST = 60
COMMAND_AT_MOST = 4000
BRANCHES_AT_MOST = 20
BRANCHES = {"main": "staging"}


@dataclass(frozen=True, slots=True)
class BuildSettings:
    """How a commit is built: `command` is run by bash, "" runs nothing; `output` is its folder."""

    output: str
    command: str = ""
    minutes: float = MINUTES


@dataclass(frozen=True, slots=True)
class BranchSettings:
    """The environment of each branch that has one. All other branches get a preview."""

    environments: dict[str, str] = field(default_factory=BRANCHES.copy)

    @property
    def first(self) -> str:
        """The environment named first, whose previews the other branches are."""
        return next(iter(self.environments.values()))


def read_build(table: dict[str, Any]) -> BuildSettings:
    """Read [build]. Raises Refused."""
    read = read_keys(table, {"command": _command, "output": _output, "minutes": _minutes})
    if "output" not in read:
        raise wrong("has no 'output' in [build]", _OUTPUT)
    return BuildSettings(**read)


def read_branches(table: dict[str, Any]) -> BranchSettings:
    """Read [branches]. Raises Refused."""
    if not 1 <= len(table) <= BRANCHES_AT_MOST:
        raise wrong(f"has {len(table)} names in [branches]", f"{_BRANCHES} 1 to {BRANCHES_AT_MOST}")
    for branch, environment in table.items():
        if not branch.strip() or not branch.isprintable() or len(branch) > LONGEST:
            raise wrong(f"has the branch {branch!r} in [branches]", _BRANCHES)
        if not isinstance(environment, str) or not environment.strip():
            raise wrong(f"has {branch} = {environment!r} in [branches]", _BRANCHES)
    return BranchSettings(dict(table))


def _command(value: Any) -> str:
    if not isinstance(value, str) or "\0" in value or len(value) > COMMAND_AT_MOST:
        raise wrong(
            f"has a 'command' that is not a text of at most {COMMAND_AT_MOST:,} characters",
            'Write for example command = "npm ci && npm run build".',
        )
    return value.strip()


def _output(value: Any) -> str:
    path = PurePosixPath(value) if isinstance(value, str) and value.isprintable() else None
    if not value or path is None or path.is_absolute() or ".." in path.parts:
        raise wrong(f"has output = {value!r}, expected a folder of the repository", _OUTPUT)
    return str(path)


def _minutes(value: Any) -> float:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if not is_number or not 0 < value <= MINUTES_AT_MOST:
        raise wrong(
            f"has minutes = {value!r}", f"Use a number above 0 and at most {MINUTES_AT_MOST}."
        )
    return float(value)


_OUTPUT = 'Write for example output = "dist", or "." for the repository itself.'
_BRANCHES = 'Write for example main = "staging", a branch and its environment.'
