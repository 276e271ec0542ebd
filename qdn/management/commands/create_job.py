from argparse import ArgumentParser
from typing import Any

from django.db import transaction

from dispatch.booking import create_job
from qdn.console import OperatorCommand, actor
from tracking.links import ensure_link, tracking_url


class Command(OperatorCommand):
    help = "Create a job and its tracking link from the shell."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--name", required=True)
        parser.add_argument("--phone", required=True)
        parser.add_argument("--email", default="")
        parser.add_argument("--address", required=True, help='"LINE, TOWN, ZIP"')
        parser.add_argument("--service", default="junk", metavar="CODE")
        parser.add_argument("--price", default="", help='for example "600 all-in"')
        parser.add_argument("--status", default="requested")

    def run(self, **options: Any) -> dict[str, Any]:
        fields = ("name", "phone", "email", "address", "service", "price", "status")
        with transaction.atomic():
            job = create_job(actor=actor(), **{name: options[name] for name in fields})
            if options["dry_run"]:
                transaction.set_rollback(True)
                self.summarise(
                    f"Would create a job for {job.contact_name}: {job.get_status_display()}"
                )
                return {"number": None, "token": None, "url": None, "status": job.status}
            link = ensure_link(job=job, actor=actor())
        url = tracking_url(link)
        self.summarise(f"{job.label} for {job.contact_name}: {job.get_status_display()}, {url}")
        return {"number": job.label, "token": link.token, "url": url, "status": job.status}
