from argparse import ArgumentParser
from typing import Any

from dispatch.changing import check_move, job_by_number, move_job
from dispatch.models import Job
from dispatch.statuses import parse_status
from qdn.console import OperatorCommand, actor
from qdn.reasons import reason


class Command(OperatorCommand):
    help = "Move a job to another status."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("number", metavar="NUMBER", help="QDN-1042 or 1042")
        parser.add_argument("status", metavar="STATUS")
        parser.add_argument("--reason", type=reason, default="")
        parser.add_argument(
            "--side", default="", choices=Job.CancelSide.values, help="who cancels a job"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        job = job_by_number(options["number"])
        before, to = job.status, parse_status(options["status"])
        answer = {"number": job.label, "before": before, "status": to.value}
        if before == to:  # repeats are safe
            self.summarise(f"Nothing to do: {job.label} is {to} already")
            return answer
        why = {"reason": options["reason"], "side": options["side"]}
        check_move(job=job, to=to, **why)
        if not options["dry_run"]:
            job = move_job(job=job, to=to, actor=actor(), **why)
        self.summarise(f"{job.label}: {before} -> {to}")
        return answer
