import time
from argparse import ArgumentParser
from collections.abc import Iterable
from contextlib import nullcontext
from typing import Any

from deployments.deploy.deploy import deploy
from deployments.deploy.freezes import check_open
from deployments.deploy.targets import check_continues, push_target
from deployments.models import Environment, Release
from deployments.releases.build import build_surfaces
from deployments.releases.manifest import SourceFile
from deployments.releases.upload import make_release
from deployments.releases.upload_plan import ReleasePlan, plan_release
from deployments.routing.functions import check_first_function
from deployments.sources.source import opened_source
from edge.backends import get_backend
from qdn.arguments import source_path
from qdn.console import actor
from qdn.progress import progress_of
from qdn.reasons import reason
from qdn.switching import LockingCommand


class Command(LockingCommand):
    help = (
        "Build the surfaces (or take a folder or ZIP), upload a release and deploy it to staging."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument(
            "--source", type=source_path, metavar="DIR|ZIP", help="take these files"
        )
        parser.add_argument("--to", default="staging", metavar="ENVIRONMENT")
        parser.add_argument("--no-deploy", action="store_true", help="upload only")
        parser.add_argument(
            "--repair",
            action="store_true",
            help="check every stored file and re-upload any that are missing or damaged",
        )
        parser.add_argument("--message", type=reason, default="", help="what this release brings")

    def run(self, **options: Any) -> dict[str, Any]:
        started = time.monotonic()
        environment = Environment.objects.named(options["to"])
        source = options["source"]
        self.say(f"Read {source}" if source else "Build the surfaces")
        with opened_source(source) if source else nullcontext(build_surfaces()) as files:
            return self._push(files, environment, started, **options)

    def _push(
        self, files: Iterable[SourceFile], environment: Environment, started: float, **options: Any
    ) -> dict[str, Any]:
        backend = get_backend()
        plan = plan_release(
            objects=backend.objects, files=files, environment=environment, repair=options["repair"]
        )
        deploys = not options["no_deploy"]
        if deploys:
            check_continues(environment, plan.known)
        if options["dry_run"]:
            return self._result(plan, plan.known, None, started)
        if deploys:
            check_open(environment)
            question = f"Deploy {len(plan.manifest)} files to {environment}?"
            self.confirm(environment, question, yes=options["yes"])
            check_first_function(environment, actor=actor())
        patience = self.patience(environment, options)
        with progress_of(plan, quiet=self.quiet) as on_stored:
            release = make_release(
                objects=backend.objects,
                plan=plan,
                message=options["message"],
                actor=actor(),
                say=self.say,
                on_stored=on_stored,
            )
        self.so_far = f"Release {release} is uploaded; {environment} serves what it did."
        if deploys:
            target = push_target(
                environment=environment,
                release=release,
                actor=actor(),
                reason=options["message"],
            )
            done = deploy(backend, target, say=self.say, patience=patience)
            if done.deployment is None:
                self.say(f"{environment} serves {release} already")
        return self._result(plan, release, environment if deploys else None, started)

    def _result(
        self,
        plan: ReleasePlan,
        release: Release | None,
        environment: Environment | None,
        started: float,
    ) -> dict[str, Any]:
        seconds = round(time.monotonic() - started, 2)
        counts = plan.counts
        name = release.name if release else "a new release"
        where = f"{environment} serves" if environment else "No environment changed:"
        self.summarise(
            f"{where} {name}: {counts['files']} files, {counts['bytes']:,} bytes, "
            f"{counts['uploaded']} uploaded, {counts['copied']} copied, "
            f"{counts['skipped']} skipped, {seconds} s"
        )
        return {
            "release": release.name if release else None,
            "digest": plan.manifest.digest,
            **counts,
            "seconds": seconds,
            "environment": environment.name if environment else None,
        }
