import os
import sys
from argparse import ArgumentParser, ArgumentTypeError, BooleanOptionalAction
from typing import Any

from django.core.management.base import CommandError

from deployments.environments.apply import Applied, add_environment, set_environment
from deployments.environments.changes import Changes
from deployments.environments.headers import parse_header
from deployments.environments.remove import remove_environment
from deployments.environments.report import described, every_environment
from deployments.errors import Refused
from deployments.models import Access, Environment, Strategy
from deployments.wording import plural
from edge.backends import get_backend
from qdn.switching import LockingCommand

USAGE = 2
MOST_MARGIN = 500


def margin(text: str) -> int:
    """Parse a canary's margin in percent. Raises ArgumentTypeError."""
    if not text.isdecimal() or int(text) > MOST_MARGIN:
        raise ArgumentTypeError(f"{text!r} is not a margin; use 1 to {MOST_MARGIN}, or 0 for none")
    return int(text)


class Command(LockingCommand):
    help = "List, add, change or remove environments: hosts, headers, access, strategy."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("action", choices=["list", "add", "set", "remove"], metavar="ACTION")
        parser.add_argument("name", nargs="?", default="", metavar="NAME")
        parser.add_argument("--host", action="append", metavar="HOST", help="all of them")
        parser.add_argument("--canonical", metavar="HOST", help="the host others redirect to")
        parser.add_argument("--strategy", choices=Strategy.values)
        for name in ("protected", "application", "noindex"):
            parser.add_argument(f"--{name}", action=BooleanOptionalAction, default=None)
        parser.add_argument("--header", action="append", default=[], metavar="'NAME: VALUE'")
        parser.add_argument("--default-header", action="append", default=[], metavar="NAME")
        parser.add_argument("--access", choices=Access.values)
        parser.add_argument(
            "--canary-margin",
            type=margin,
            metavar="PERCENT",
            help="end a canary that is slower, or fails more, by more than this; 0: never",
        )
        parser.add_argument("--user", default="", metavar="NAME")
        parser.add_argument("--password-from-env", default="", metavar="VARIABLE")
        parser.add_argument("--confirm", default="", metavar="NAME", help="the name again")

    def run(self, **options: Any) -> Any:
        if options["action"] == "list":
            return self._list()
        if not options["name"]:
            raise CommandError(f"{options['action']} needs a NAME.", returncode=USAGE)
        if options["action"] == "add":
            return self._add(options)
        if options["action"] == "set":
            return self._set(options)
        return self._remove(options)

    def _list(self) -> list[dict[str, Any]]:
        found = every_environment()
        rows = [
            [
                one["environment"],
                one["live"] or "nothing",
                ", ".join(one["hosts"]),
                one["strategy"],
                one["access"],
                "yes" if one["protected"] else "no",
                "yes" if one["application"] else "no",
            ]
            for one in found
        ]
        headings = ["name", "live", "hosts", "strategy", "access", "protected", "application"]
        self.table(headings, rows, empty="No environments: manage.py environment add NAME")
        return found

    def _add(self, options: dict[str, Any]) -> dict[str, Any]:
        name = options["name"]
        caller = self.caller(Environment(name=name), options)
        applied = add_environment(
            get_backend(), name, _changes(options), caller=caller, dry_run=options["dry_run"]
        )
        would = "would be added" if options["dry_run"] else "is added"
        self.summarise(f"{name} {would}. Deploy to it: manage.py push --source DIR --to {name}")
        return described(applied.environment) if not options["dry_run"] else {"environment": name}

    def _set(self, options: dict[str, Any]) -> dict[str, Any]:
        environment = Environment.objects.named(options["name"])
        applied = set_environment(
            get_backend(),
            environment,
            _changes(options),
            caller=self.caller(environment, options),
            dry_run=options["dry_run"],
        )
        self.summarise(_set_line(applied, dry_run=options["dry_run"]))
        if applied.needs_provision:
            self.say(f"Next: manage.py provision --environment {environment}")
        return {**described(applied.environment), "changed": sorted(applied.changed)}

    def _remove(self, options: dict[str, Any]) -> dict[str, Any]:
        environment = Environment.every.named(options["name"])
        typed = options["confirm"] or self._typed(environment, options)
        caller = self.caller(environment, options)
        environment, entries = remove_environment(
            get_backend(), environment.name, typed=typed, caller=caller, dry_run=options["dry_run"]
        )
        did = "would be removed" if options["dry_run"] else "is removed"
        self.summarise(
            f"{environment} {did}: {plural(entries, 'entry', 'entries')} of the edge deleted; its "
            "history and its releases are kept"
        )
        if name := environment.stack.get("name"):
            self.say(f"Next: delete the stack {name} in CloudFormation")
        return {"environment": environment.name, "entries": entries}

    def _typed(self, environment: Environment, options: dict[str, Any]) -> str:
        """Let the operator type the name again. Without a terminal, return nothing."""
        if options["dry_run"] or sys.stdin is None or not sys.stdin.isatty():
            return ""
        self.stderr.write(f"Type {environment} to remove it: ", str, ending="")
        self.stderr.flush()
        return input("").strip()


def _changes(options: dict[str, Any]) -> Changes:
    """Return what the options change. Raises Refused."""
    headers: dict[str, str | None] = dict(map(parse_header, options["header"]))
    headers |= {name.lower(): None for name in options["default_header"]}
    hosts = options["host"]
    names = [
        *("strategy", "protected", "application", "canonical", "access", "noindex"),
        "canary_margin",
    ]
    return Changes(
        hosts=None if hosts is None else tuple(host for host in hosts if host),
        headers=headers or None,
        credentials=_credentials(options["user"], options["password_from_env"]),
        **{name: options[name] for name in names},
    )


def _credentials(user: str, variable: str) -> tuple[str, str] | None:
    """Read a password from the environment: arguments show up in lists of processes."""
    if not user and not variable:
        return None
    if not (user and variable):
        raise CommandError("--user and --password-from-env need each other.", returncode=USAGE)
    if variable not in os.environ:
        raise Refused(
            "password-missing",
            f"The environment variable {variable} is not set.",
            f"Set it first: read -rs {variable}; export {variable}",
        )
    return user, os.environ[variable]


def _set_line(applied: Applied, *, dry_run: bool) -> str:
    changed = ", ".join(sorted(applied.changed))
    if dry_run:
        return f"Would change {changed or 'nothing'} of {applied.environment}"
    if not (changed or applied.updated):
        return f"{applied.environment} is as wanted already"
    written = f"{plural(applied.updated, 'entry', 'entries')} of the edge written"
    return f"{applied.environment}: {changed or 'nothing'} changed, {written}"
