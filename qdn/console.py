"""Base classes of all commands: output, exit codes, confirmation.

Exit codes: 0 done, or nothing to do; 1 refused, nothing changed; 2 usage error (argparse); 3 lock
held, or changed by another run; 4 changed in part, or the back end or the database did not answer:
the message gives the next command.
"""

import getpass
import json
import os
import socket
import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from deployments.context import Caller
from deployments.errors import ChangedMeanwhile, DeploymentError, PartlyChanged, Refused
from deployments.models import Environment
from deployments.wording import format_time
from dispatch.errors import DispatchError, JobChangedMeanwhile, ProbeExists
from dispatch.field_history import acting_as
from edge.errors import EdgeError, StaleEtag
from notifications.errors import NotificationError
from qdn.command_lines import command_line, words_for
from qdn.outages import NO_ANSWER, Outage, outage_of
from tracking.errors import PublishingFailed, TrackingError

PIPED_WIDTH = 200
REFUSED, USAGE, CHANGED_MEANWHILE, PARTLY_CHANGED = 1, 2, 3, 4
EXIT_CODES: dict[type[Exception], int] = {
    ChangedMeanwhile: CHANGED_MEANWHILE,
    JobChangedMeanwhile: CHANGED_MEANWHILE,
    ProbeExists: CHANGED_MEANWHILE,
    StaleEtag: CHANGED_MEANWHILE,
    PartlyChanged: PARTLY_CHANGED,
    PublishingFailed: PARTLY_CHANGED,
    DeploymentError: REFUSED,
    DispatchError: REFUSED,
    NotificationError: REFUSED,
    TrackingError: REFUSED,
    EdgeError: REFUSED,
}


def exit_code_for(error: Exception) -> int:
    """Return the exit code for an app's error."""
    return next(code for kind, code in EXIT_CODES.items() if isinstance(error, kind))


class OperatorCommand(BaseCommand):
    """A command: `run` makes one call into an app, prints, and returns the result for --json.

    `say` prints a step, `summarise` the last line. Both print nothing with --json.
    """

    requires_system_checks: list[str] = []
    changes_something = True
    quiet = False
    # What had been changed, for the message of a failure; "" if that is not known.
    so_far = ""
    fault_code = REFUSED
    typed: list[str] | None = None

    def run_from_argv(self, argv: list[str]) -> None:
        self.typed = argv[1:]
        super().run_from_argv(argv)

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--json", action="store_true", help="print one JSON document and nothing else"
        )
        if self.changes_something:
            parser.add_argument(
                "--dry-run", action="store_true", help="show what would change, but change nothing"
            )

    def handle(self, *args: Any, **options: Any) -> None:
        self.quiet = options["json"]
        try:
            with acting_as(actor()):
                result = self.run(**options)
        except tuple(EXIT_CODES) as error:
            raise self.failure(error, options) from error
        except Exception as error:
            if (outage := outage_of(error)) is None:
                raise
            raise self._outage(outage, options) from error
        if self.quiet:
            self.stdout.write(json.dumps(result))
        if fault := self.fault(result):
            raise CommandError(fault, returncode=self.fault_code)

    def failure(self, error: Exception, options: Mapping[str, Any]) -> CommandError:
        """Return an app's error as an exit code and one line, even if its message has several."""
        return CommandError(" ".join(str(error).split()), returncode=exit_code_for(error))

    def _outage(self, outage: Outage, options: Mapping[str, Any]) -> CommandError:
        line = outage.line
        if outage.code == NO_ANSWER:
            line = " ".join(filter(None, [line, self.so_far, f"Run: {self._again(options)}"]))
        return CommandError(line, returncode=outage.code)

    def _again(self, options: Mapping[str, Any]) -> str:
        """Return the command line that runs the same command again."""
        name = type(self).__module__.rpartition(".")[2]
        parser = self.create_parser("manage.py", name)
        return command_line(self.typed or words_for(name, parser, options))

    def run(self, **options: Any) -> Any:
        """Do the work and return the result for --json."""
        raise NotImplementedError

    def fault(self, result: Any) -> str:
        """Return why this result is a failure, or "" if it is fine. Called after printing.

        The exit code is `fault_code`.
        """
        return ""

    def say(self, line: str) -> None:
        """Print a step in one line, in the present tense."""
        if not self.quiet:
            self.stdout.write(line)

    def warn(self, line: str) -> None:
        """Print on standard error what is wrong although the command has done its work."""
        self.stderr.write(self.style.WARNING(line), str)

    def summarise(self, line: str) -> None:
        """Print the summary in one line."""
        if not self.quiet:
            self.stdout.write(self.style.SUCCESS(line))

    def table(self, headings: list[str], rows: list[list[Any]], *, empty: str) -> None:
        """Print a table, or `empty` if there are no rows. Piped, it is 200 characters wide."""
        if self.quiet:
            return
        if not rows:
            self.stdout.write(empty)
            return
        # Imported here because it is slow, and most commands print no table.
        from rich.box import SIMPLE_HEAD  # noqa: PLC0415
        from rich.console import Console  # noqa: PLC0415
        from rich.table import Table  # noqa: PLC0415

        table = Table(*headings, box=SIMPLE_HEAD, pad_edge=False)
        for row in rows:
            table.add_row(*map(str, row))
        width = None if sys.stdout.isatty() else PIPED_WIDTH
        # No markup: a reason such as [/runbook] is printed as typed.
        console = Console(
            width=width, force_terminal=sys.stdout.isatty(), markup=False, emoji=False
        )
        with console.capture() as captured:
            console.print(table)
        self.stdout.write(captured.get().strip("\n"))


class DeployCommand(OperatorCommand):
    """A command that changes what an environment serves, and asks first if it is protected.

    An outage of the back end that the apps did not handle becomes exit code 4. The message says
    what had been done (`so_far`) and repeats the command line, which finishes the work.
    """

    so_far = "Nothing was changed."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--yes", action="store_true", help="do not ask for confirmation")

    def failure(self, error: Exception, options: Mapping[str, Any]) -> CommandError:
        failure = super().failure(error, options)
        line, code = str(failure), failure.returncode
        if isinstance(error, EdgeError) and error.is_outage:
            line, code = f"{line} {self.so_far}", PARTLY_CHANGED
        if code in {CHANGED_MEANWHILE, PARTLY_CHANGED} and "manage.py" not in line:
            line += f" Run: {self._again(options)}"
        return CommandError(line, returncode=code)

    def caller(self, environment: Environment, options: Mapping[str, Any]) -> Caller:
        """Return who is at the shell, and how the options want them asked. Raises Refused."""
        confirm = partial(self.ask, yes=False, why=f"{environment} is protected")
        return Caller(
            actor=actor(),
            say=self.say,
            confirm=None if options["yes"] else confirm,
            reached=self.reached,
        )

    def reached(self, state: str) -> None:
        """Keep what holds by now, for the message of a later failure."""
        self.so_far = state

    def ask(self, question: str, *, yes: bool, why: str) -> None:
        """Ask for confirmation at the terminal, unless --yes gave it. Raises Refused."""
        if yes:
            return
        # With standard input closed (`<&-`), sys.stdin is None.
        if sys.stdin is None or not sys.stdin.isatty():
            raise Refused(
                "not-confirmed",
                f"{why}, and there is no terminal to ask on.",
                "To go ahead, add --yes.",
            )
        if not self._is_yes(question):
            raise Refused("not-confirmed", "Not confirmed; nothing was changed.")

    def _is_yes(self, question: str) -> bool:
        """Ask on standard error: standard output may be a pipe for --json."""
        self.stderr.write(f"{question} [y/N] ", str, ending="")
        self.stderr.flush()
        try:
            return input("").strip().lower() in {"y", "yes"}
        except EOFError:  # Ctrl-D
            self.stderr.write("")
            return False


def actor() -> str:
    """Return the operator at the shell: `user@host`."""
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # a user id without a name, as in some containers
        user = f"uid-{os.getuid()}"
    return f"{user}@{socket.gethostname()}"


def minute(moment: str | None) -> str:
    """Format a time of a report (ISO 8601, or None) to the minute, for a table."""
    return format_time(datetime.fromisoformat(moment)) if moment else ""
