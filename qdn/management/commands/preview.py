from argparse import ArgumentParser
from datetime import timedelta
from typing import Any

from deployments.models import Environment, Release
from deployments.routing.previews import preview
from deployments.wording import format_time
from edge.backends import get_backend
from qdn.arguments import duration
from qdn.console import OperatorCommand


class Command(OperatorCommand):
    help = "Print a signed link that shows a release before it goes live."
    changes_something = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("release", metavar="RELEASE")
        parser.add_argument("--environment", default="production")
        parser.add_argument(
            "--expires",
            type=duration,
            default=timedelta(days=1),
            metavar="DURATION",
            help="30m, 12h, 7d; at most 30d, default 1d",
        )
        parser.add_argument("--path", default="/", help="page to open; default /")

    def run(self, **options: Any) -> dict[str, Any]:
        link = preview(
            get_backend(),
            Environment.objects.named(options["environment"]),
            Release.objects.named(options["release"]),
            lifetime=options["expires"],
            path=options["path"],
        )
        self.say(link.url)
        self.summarise(
            f"Shows {link.release} in {link.environment} to anyone who has the link, until "
            f"{format_time(link.expires)}"
        )
        return {
            "release": link.release.name,
            "environment": link.environment.name,
            "url": link.url,
            "expires": link.expires.isoformat(),
        }
