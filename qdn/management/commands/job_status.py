from argparse import ArgumentParser
from typing import Any

from dispatch.changing import AlreadyThere, check_move, job_by_number, move_job
from dispatch.models import Job
from dispatch.statuses import parse_status
from qdn.arguments import reason
from qdn.console import OperatorCommand, actor


class Command(OperatorCommand):
    help = "Move a job to another status."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("number", metavar="NUMBER", help="QDN-1042 or 1042")
        parser.add_argument("status", metavar="STATUS")
        parser.add_argument("--reason", type=reason, default="")
        parser.add_argument(
            "--side", default="", choices=Job.CancelSide.values, help="who cancels the job"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        job, to = job_by_number(options["number"]), parse_status(options["status"])
        before = job.status
        move = {"job": job, "to": to, "reason": options["reason"], "side": options["side"]}
        try:
            if options["dry_run"]:
                check_move(**move)
            else:
                move_job(**move, actor=actor())
        except AlreadyThere:
            self.summarise(f"Nothing to do: {job.label} is already {to}")
        else:
            self.summarise(f"{job.label}: {before} -> {to}")
        return {"number": job.label, "before": before, "status": to.value}
