import time
from argparse import ArgumentParser
from functools import partial
from typing import Any

from deployments.models import Environment
from deployments.previews.push import PushedPreview, push_preview
from deployments.push import Pushed, push
from deployments.releases.provenance import Provenance
from deployments.wording import plural
from edge.backends import get_backend
from qdn.arguments import reason, source_path
from qdn.progress import progress_of
from qdn.switching import LockingCommand, WaitingCommand


class Command(WaitingCommand, LockingCommand):
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
        where = parser.add_mutually_exclusive_group()
        where.add_argument("--no-deploy", action="store_true", help="upload, but deploy nothing")
        where.add_argument(
            "--branch", metavar="NAME", help="show it at the branch's own address instead"
        )
        parser.add_argument(
            "--repair",
            action="store_true",
            help="check every stored file and re-upload any that are missing or damaged",
        )
        parser.add_argument("--message", type=reason, default="", help="what this release changes")
        parser.add_argument(
            "--commit", default="", metavar="HASH", help="the commit that the files were built from"
        )
        parser.add_argument("--author", default="", help="who wrote that commit")

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        environment = Environment.objects.named(options["to"])
        how: dict[str, Any] = {
            "caller": self.caller(environment, options),
            "source": options["source"],
            "message": options["message"],
            "provenance": Provenance(commit=options["commit"], author=options["author"]),
            "repair": options["repair"],
            "dry_run": options["dry_run"],
            "progress": partial(progress_of, quiet=self.quiet),
        }
        pushed: Pushed | PushedPreview
        if options["branch"] is None:
            pushed = push(get_backend(), environment, deploys=not options["no_deploy"], **how)
            where = f"{environment} serves" if pushed.deployed else "No environment was changed:"
            result = {"environment": environment.name if pushed.deployed else None}
        else:
            pushed = push_preview(get_backend(), environment, branch=options["branch"], **how)
            where = f"{pushed.url} {'would show' if options['dry_run'] else 'shows'}"
            result = {"environment": None, "branch": options["branch"], "url": pushed.url}
        self.wait(environment, options)
        seconds = round(time.monotonic() - started, 2)
        self._sum_up(pushed, where, seconds)
        dollars = get_backend().pricing.price_of_writes(pushed.plan.writes)
        if options["dry_run"]:
            self.say(f"On S3: {plural(pushed.plan.writes, 'request')} that write, ${dollars:.4f}")
        return {
            "release": pushed.release.name if pushed.release else None,
            "digest": pushed.plan.manifest.digest,
            **pushed.plan.counts,
            "writes": pushed.plan.writes,
            "dollars": float(dollars),
            "seconds": seconds,
            **result,
        }

    def _sum_up(self, pushed: Pushed | PushedPreview, where: str, seconds: float) -> None:
        counts = pushed.plan.counts
        self.summarise(
            f"{where} {pushed.release or 'a new release'}: {plural(counts['files'], 'file')}, "
            f"{plural(counts['bytes'], 'byte')}, {counts['uploaded']:,} uploaded, "
            f"{counts['copied']:,} copied, {counts['skipped']:,} skipped, {seconds} s"
        )
