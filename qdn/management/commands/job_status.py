from argparse import ArgumentParser
from typing import Any

from django.core.management.base import CommandError, CommandParser

from dispatch.changing import AlreadyThere, job_by_number, supply_and_move
from dispatch.models import Job
from dispatch.statuses import Status, parse_status
from dispatch.stepping import advance, step_back
from dispatch.supplies import parse_supplies
from qdn.arguments import add_supplies, reason
from qdn.console import USAGE, OperatorCommand, actor

PASSED_ON = ("reason", "side", "force", "dry_run")
SUPPLIES = ("window", "crew", "price")
# These are about a move.
NOT_WITH_BACK = ("status", "side", "force", *SUPPLIES)


class Command(OperatorCommand):
    help = "Move a job to another status, and enter what it lacks for that."

    def create_parser(self, *args: Any, **kwargs: Any) -> CommandParser:
        """Return a parser that finds STATUS after options too, though it may be left out."""
        parser = super().create_parser(*args, **kwargs)
        parser.parse_args = parser.parse_intermixed_args  # type: ignore[method-assign]
        return parser

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("number", metavar="NUMBER", help="QDN-1042 or 1042")
        parser.add_argument("status", metavar="STATUS", nargs="?", default="")
        parser.add_argument(
            "--back", action="store_true", help="take back the last step; needs --reason"
        )
        add_supplies(parser)
        parser.add_argument("--reason", type=reason, default="")
        parser.add_argument(
            "--side", default="", choices=Job.CancelSide.values, help="who cancels the job"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        _check_usage(options)
        job = job_by_number(options["number"])
        before = job.status
        if options["back"]:
            how = {name: options[name] for name in ("reason", "dry_run")}
            step_back(job=job, actor=actor(), **how)
            self.summarise(f"{job.label}: {before} -> {job.status}, one step back")
        else:
            self._move(job, parse_status(options["status"]), options)
        return {"number": job.label, "before": before, "status": str(job.status)}

    def _move(self, job: Job, to: Status, options: dict[str, Any]) -> None:
        supplies = parse_supplies(**{name: options[name] for name in SUPPLIES})
        before, how = job.status, {name: options[name] for name in PASSED_ON}
        try:
            supply_and_move(
                job=job, supplies=supplies, to=to, actor=actor(), move=advance, **how
            )  # fmt: skip
        except AlreadyThere:
            self.summarise(f"Nothing to do: {job.label} is already {to}")
        else:
            self.summarise(f"{job.label}: {before} -> {to}")


def _check_usage(options: dict[str, Any]) -> None:
    if not options["back"] and not options["status"]:
        raise CommandError("Name the STATUS, or use --back.", returncode=USAGE)
    if options["back"] and any(options[name] for name in NOT_WITH_BACK):
        raise CommandError("--back takes only --reason.", returncode=USAGE)
