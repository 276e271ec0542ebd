"""The shape every command shares: arguments, one call into an app, printing, exit codes.

Exit codes: 0 done or nothing to do; 1 refused, nothing changed; 2 usage (argparse); 3 lock held or
changed by somebody else meanwhile; 4 changed in part, or the back end did not answer: the message
gives the next command.
"""

import getpass
import json
import os
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deployments.errors import ChangedMeanwhile, DeploymentError, PartlyChanged, Refused
from deployments.models import Environment
from deployments.wording import format_time
from dispatch.errors import DispatchError, JobChangedMeanwhile
from edge.errors import EdgeError, StaleEtag
from qdn.command_lines import command_line, words_for
from tracking.errors import PublishingFailed, TrackingError

PIPED_WIDTH = 200
REFUSED, CHANGED_MEANWHILE, PARTLY_CHANGED = 1, 3, 4
EXIT_CODES: dict[type[Exception], int] = {
    ChangedMeanwhile: CHANGED_MEANWHILE,
    JobChangedMeanwhile: CHANGED_MEANWHILE,
    StaleEtag: CHANGED_MEANWHILE,
    PartlyChanged: PARTLY_CHANGED,
    PublishingFailed: PARTLY_CHANGED,
    DeploymentError: REFUSED,
    DispatchError: REFUSED,
    TrackingError: REFUSED,
    EdgeError: REFUSED,
}


def exit_code_for(error: Exception) -> int:
    """Tell the exit code of an app's error."""
    return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))


class OperatorCommand(BaseCommand):
    """A command: `run` makes one call into an app and returns what --json writes.

    `say` prints a step, `summarise` the last line; both are silent under --json.
    """

    requires_system_checks: list[str] = []
    changes_something = True
    quiet = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="write one JSON object, no text")
        if self.changes_something:
            parser.add_argument(
                "--dry-run", action="store_true", help="say what would change and change nothing"
            )

    def handle(self, *args: Any, **options: Any) -> None:
        self.quiet = options["json"]
        try:
            result = self.run(**options)
        except tuple(EXIT_CODES) as error:
            raise self.failure(error, options) from error
        if self.quiet:
            self.stdout.write(json.dumps(result))
        if fault := self.fault(result):
            raise CommandError(fault, returncode=REFUSED)

    def failure(self, error: Exception, options: Mapping[str, Any]) -> CommandError:
        """Make an exit code and one line of an app's error, whatever a server put into it."""
        return CommandError(" ".join(str(error).split()), returncode=exit_code_for(error))

    def run(self, **options: Any) -> Any:
        """Do the work; give what --json writes."""
        raise NotImplementedError

    def fault(self, result: Any) -> str:
        """Say what is wrong where a result that was written still means exit code 1."""
        return ""

    def say(self, line: str) -> None:
        """Print one present-tense line for a step."""
        if not self.quiet:
            self.stdout.write(line)

    def summarise(self, line: str) -> None:
        """Print the one line that sums everything up."""
        if not self.quiet:
            self.stdout.write(self.style.SUCCESS(line))

    def table(self, headings: list[str], rows: list[list[Any]], *, empty: str) -> None:
        """Print rows as a table as wide as it needs to be, so that it can be piped."""
        if self.quiet:
            return
        if not rows:
            self.stdout.write(empty)
            return
        # Imported here, because it takes its time and most commands show no table.
        from rich.box import SIMPLE_HEAD  # noqa: PLC0415
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        table = Table(*headings, box=SIMPLE_HEAD, pad_edge=False)
        for row in rows:
            table.add_row(*map(str, row))
        width = None if sys.stdout.isatty() else PIPED_WIDTH
        # What people typed is shown as it is: [/runbook] is a reason here, no markup.
        console = Console(
            width=width, force_terminal=sys.stdout.isatty(), markup=False, emoji=False
        )
        with console.capture() as captured:
            console.print(table)
        self.stdout.write(captured.get().strip("\n"))


class DeployCommand(OperatorCommand):
    """A command that changes what an environment serves: asks before it touches a protected one.

    An outage of the back end that no part of ours has dealt with comes out as exit code 4. `so_far`
    says what was done by then, and the line that was typed is what finishes.
    """

    so_far = "Nothing was changed."
    typed: list[str] | None = None

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--yes", action="store_true", help="do not ask")

    def run_from_argv(self, argv: list[str]) -> None:
        self.typed = argv[1:]
        super().run_from_argv(argv)

    def failure(self, error: Exception, options: Mapping[str, Any]) -> CommandError:
        failure = super().failure(error, options)
        line, code = str(failure), failure.returncode
        if isinstance(error, EdgeError) and error.is_outage:
            line, code = f"{line} {self.so_far}", PARTLY_CHANGED
        if code in {CHANGED_MEANWHILE, PARTLY_CHANGED} and "manage.py" not in line:
            line += f" Run: {self._again(options)}"
        return CommandError(line, returncode=code)

    def _again(self, options: Mapping[str, Any]) -> str:
        """Give the line that asks for the same."""
        name = type(self).__module__.rpartition(".")[2]
        parser = self.create_parser("manage.py", name)
        return command_line(self.typed or words_for(name, parser, options))

    def confirm(self, environment: Environment, question: str, *, yes: bool) -> None:
        """Ask before a protected environment is touched. Raises Refused."""
        if environment.protected:
            self.ask(question, yes=yes, why=f"{environment} is protected")

    def ask(self, question: str, *, yes: bool, why: str) -> None:
        """Go on only on somebody's word, given at a terminal or by --yes. Raises Refused."""
        if yes:
            return
        # Closed from the start (`<&-`), there is none at all.
        if sys.stdin is None or not sys.stdin.isatty():
            raise Refused(
                "not-confirmed",
                f"{why}, and there is no terminal to ask on.",
                "Add --yes to go ahead.",
            )
        if not self._is_yes(question):
            raise Refused("not-confirmed", "Not confirmed; nothing was changed.")

    def _is_yes(self, question: str) -> bool:
        """Ask at the terminal; not on standard output, which may be a pipe for --json."""
        self.stderr.write(f"{question} [y/N] ", str, ending="")
        self.stderr.flush()
        try:
            return input("").strip().lower() in {"y", "yes"}
        except EOFError:  # Ctrl-D
            self.stderr.write("")
            return False


def actor() -> str:
    """Name who is at the shell."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def minute(moment: str | None) -> str:
    """Show a moment of a report (ISO 8601) to the minute, for a table."""
    return format_time(datetime.fromisoformat(moment)) if moment else ""
