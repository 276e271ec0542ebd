from argparse import ArgumentParser
from typing import Any

from qdn.arguments import add_supplies, reason
from qdn.console import OperatorCommand, actor
from tracking.links import create_tracked_job, tracking_url

FIELDS = ("name", "phone", "email", "address", "service", "status")
SUPPLIES = ("window", "crew", "price", "force", "reason")


class Command(OperatorCommand):
    help = "Create a job with its tracking link."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--name", required=True)
        parser.add_argument("--phone", required=True)
        parser.add_argument("--email", default="")
        parser.add_argument("--address", required=True, help='"LINE, TOWN, ZIP"')
        parser.add_argument("--service", default="junk", metavar="CODE")
        parser.add_argument("--status", default="requested")
        add_supplies(parser)
        parser.add_argument("--reason", type=reason, default="", help="why, with --force")

    def run(self, **options: Any) -> dict[str, Any]:
        values = {name: options[name] for name in (*FIELDS, *SUPPLIES)}
        job, link = create_tracked_job(actor=actor(), dry_run=options["dry_run"], **values)
        status = job.get_status_display()
        if link is None:
            self.summarise(f"Would create a job for {job.contact_name}: {status}")
            return {"number": None, "token": None, "url": None, "status": job.status}
        url = tracking_url(link)
        self.summarise(f"{job.label} for {job.contact_name}: {status}, {url}")
        return {"number": job.label, "token": link.token, "url": url, "status": job.status}
