import time
from argparse import ArgumentParser
from functools import partial
from typing import Any

from deployments.models import Environment
from deployments.push import Pushed, push
from deployments.wording import plural
from edge.backends import get_backend
from qdn.arguments import reason, source_path
from qdn.progress import progress_of
from qdn.switching import LockingCommand


class Command(LockingCommand):
    help = (
        "Build the surfaces (or read a folder or ZIP), upload a release and deploy it to staging."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--source",
            type=source_path,
            metavar="DIR|ZIP",
            help="use these files instead of building",
        )
        parser.add_argument("--to", default="staging", metavar="ENVIRONMENT")
        parser.add_argument("--no-deploy", action="store_true", help="upload, but deploy nothing")
        parser.add_argument(
            "--repair",
            action="store_true",
            help="check every stored file and re-upload any that are missing or damaged",
        )
        parser.add_argument("--message", type=reason, default="", help="what this release changes")

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        environment = Environment.objects.named(options["to"])
        pushed = push(
            get_backend(),
            environment,
            caller=self.caller(environment, options),
            source=options["source"],
            message=options["message"],
            deploys=not options["no_deploy"],
            repair=options["repair"],
            dry_run=options["dry_run"],
            progress=partial(progress_of, quiet=self.quiet),
        )
        seconds = round(time.monotonic() - started, 2)
        self._sum_up(pushed, environment, seconds)
        return {
            "release": pushed.release.name if pushed.release else None,
            "digest": pushed.plan.manifest.digest,
            **pushed.plan.counts,
            "seconds": seconds,
            "environment": environment.name if pushed.deployed else None,
        }

    def _sum_up(self, pushed: Pushed, environment: Environment, seconds: float) -> None:
        counts = pushed.plan.counts
        where = f"{environment} serves" if pushed.deployed else "No environment was changed:"
        self.summarise(
            f"{where} {pushed.release or 'a new release'}: {plural(counts['files'], 'file')}, "
            f"{plural(counts['bytes'], 'byte')}, {counts['uploaded']:,} uploaded, "
            f"{counts['copied']:,} copied, {counts['skipped']:,} skipped, {seconds} s"
        )
