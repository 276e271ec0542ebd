import time
from argparse import ArgumentParser, ArgumentTypeError
from dataclasses import replace
from typing import Any

from django.conf import settings

from deployments.deploy.freezes import check_open
from deployments.deploy.plan import Target
from deployments.deploy.targets import (
    MOST_PERCENT,
    canary_target,
    check_continues,
    live_of,
    promote_target,
)
from deployments.models import Deployment, Environment, Release
from deployments.releases.compose import plan_composed
from deployments.releases.diff import compare_manifests
from deployments.releases.store import read_manifest
from deployments.releases.upload import make_release
from deployments.releases.upload_plan import ReleasePlan
from edge.backends import get_backend
from qdn.console import actor
from qdn.switching import SwitchCommand


def share(text: str) -> int:
    """Read a percentage. Raises ArgumentTypeError."""
    if not text.isdecimal() or not 1 <= int(text) <= MOST_PERCENT:
        raise ArgumentTypeError(f"expected 1 to {MOST_PERCENT} percent, found {text!r}")
    return int(text)


class Command(SwitchCommand):
    help = "Point production at what staging has live: same release, same edge function."
    base: Release | None = None  # with --only: the release whose other surfaces are kept

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--from", dest="source", default="staging", metavar="ENVIRONMENT")
        parser.add_argument("--to", default="production", metavar="ENVIRONMENT")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--release", metavar="ID", help="this release instead")
        which.add_argument(
            "--only",
            action="append",
            choices=list(settings.SURFACES),
            metavar="SURFACE",
            help="take this surface alone, keep the others; may be given again",
        )
        parser.add_argument(
            "--canary", type=share, metavar="PCT", help="show it to this percentage of viewers"
        )

    def run(self, **options: Any) -> dict[str, Any]:
        if not options["only"]:
            return super().run(**options)
        started = time.monotonic()
        source = Environment.objects.named(options["source"])
        to = Environment.objects.named(options["to"])
        objects = get_backend().objects
        check_open(to)
        self.base = to.live.release if to.live else None
        plan = plan_composed(objects, surfaces=options["only"], source=source, to=to)
        check_continues(to, plan.known)
        chosen = ", ".join(options["only"])
        self.say(f"Compose a release: {chosen} as in {source}, all else as in {to}")
        changes = self._told(plan, to)
        if options["dry_run"]:
            return self._composed(plan, to, started) | changes
        self.confirm(to, f"Make this release and deploy it to {to}?", yes=options["yes"])
        release = make_release(
            objects=objects,
            plan=plan,
            message=options["reason"] or f"{chosen} as in {source}",
            actor=actor(),
            say=self.say,
        )
        self.so_far = f"Release {release} is stored; {to} serves what it did."
        self.confirmed = True
        return super().run(**{**options, "release": release.name})

    def target(self, **options: Any) -> Target:
        named = options["release"]
        asked: dict[str, Any] = {
            "source": Environment.objects.named(options["source"]),
            "to": Environment.objects.named(options["to"]),
            "release": Release.objects.named(named) if named else None,
            "actor": actor(),
            "reason": options["reason"],
        }
        target = (
            canary_target(**asked, percent=options["canary"])
            if options["canary"]
            else promote_target(**asked)
        )
        return replace(target, chosen_from=self.base or target.chosen_from)

    def _told(self, plan: ReleasePlan, to: Environment) -> dict[str, Any]:
        """Tell what the composed release changes."""
        live = read_manifest(get_backend().objects, live_of(to).release)
        diff = compare_manifests(live, plan.manifest)
        for line in diff.lines():
            self.say(line)
        return {"changes": diff.counts}

    def _composed(self, plan: ReleasePlan, to: Environment, started: float) -> dict[str, Any]:
        return {
            "deployment": None,
            "environment": to.name,
            "release": plan.known.name if plan.known else None,
            "previous": live_of(to).release.name,
            "kind": Deployment.Kind.PROMOTE.value,
            "invalidated": 0,
            "seconds": round(time.monotonic() - started, 2),
        }
