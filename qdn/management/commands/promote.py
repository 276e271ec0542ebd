import time
from argparse import ArgumentParser, ArgumentTypeError
from typing import Any

from django.conf import settings

from deployments.deploy.deploy import Deployed
from deployments.deploy.plan import Target
from deployments.deploy.targets import MOST_PERCENT, canary_target, promote_target
from deployments.models import Deployment, Environment, Release
from deployments.push import promote_surfaces
from edge.backends import get_backend
from qdn.console import actor
from qdn.switching import SwitchCommand
from qdn.tracking_check import as_json, check_if_it_tracks, summary


def share(text: str) -> int:
    """Parse a percentage. Raises ArgumentTypeError."""
    if not text.isdecimal() or not 1 <= int(text) <= MOST_PERCENT:
        raise ArgumentTypeError(f"{text!r} is not a percentage; use 1 to {MOST_PERCENT}")
    return int(text)


class Command(SwitchCommand):
    help = "Deploy what staging has live to production: same release, same edge function."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--from", dest="source", default="staging", metavar="ENVIRONMENT")
        parser.add_argument("--to", default="production", metavar="ENVIRONMENT")
        which = parser.add_mutually_exclusive_group()
        which.add_argument("--release", metavar="ID", help="promote this release instead")
        which.add_argument(
            "--only",
            action="append",
            choices=list(settings.SURFACES),
            metavar="SURFACE",
            help="promote only this surface; repeat it for several",
        )
        parser.add_argument(
            "--canary",
            type=share,
            metavar="PCT",
            help="show the release to this percentage of viewers",
        )
        parser.add_argument(
            "--no-tracking-check",
            action="store_true",
            help="do not follow a change to the tracking pages afterwards",
        )

    def run(self, **options: Any) -> dict[str, Any]:
        if not options["only"]:
            return super().run(**options)
        started = time.monotonic()
        source = Environment.objects.named(options["source"])
        to = Environment.objects.named(options["to"])
        pushed = promote_surfaces(
            get_backend(),
            surfaces=options["only"],
            source=source,
            to=to,
            caller=self.caller(to, options),
            percent=options["canary"],
            reason=options["reason"],
            dry_run=options["dry_run"],
        )
        if pushed.deployed:
            self.wait(to, options)
            found = self.look_after(pushed.deployed, **options)
            return self.report(pushed.deployed, started, changes=pushed.changes) | found
        return {
            "deployment": None,
            "environment": to.name,
            "release": pushed.release.name if pushed.release else None,
            "previous": to.live.release.name if to.live else None,
            "kind": Deployment.Kind.PROMOTE.value,
            "invalidated": 0,
            "seconds": round(time.monotonic() - started, 2),
            "changes": pushed.changes.counts if pushed.changes else None,
        }

    def look_after(self, deployed: Deployed, **options: Any) -> dict[str, Any]:
        """Check the tracking pages. What is wrong there is a warning: the switch is final."""
        if deployed.deployment is None or options["no_tracking_check"]:
            return {}
        environment = deployed.plan.target.environment
        self.reached(f"{environment} serves the release.")
        check = check_if_it_tracks(get_backend(), environment.name)
        if check is None:
            return {}
        if check.problem:
            self.warn(f"{environment} serves the release, but {summary(check)}")
        else:
            self.say(f"Check the tracking pages: {summary(check)}")
        return {"tracking_check": as_json(check)}

    def target(self, **options: Any) -> Target:
        named = options["release"]
        asked: dict[str, Any] = {
            "source": Environment.objects.named(options["source"]),
            "to": Environment.objects.named(options["to"]),
            "release": Release.objects.named(named) if named else None,
            "actor": actor(),
            "reason": options["reason"],
        }
        if options["canary"]:
            return canary_target(**asked, percent=options["canary"])
        return promote_target(**asked)
