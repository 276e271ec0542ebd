from argparse import ArgumentParser
from typing import Any

from deployments.models import Release
from deployments.retention.pin import unpin
from edge.backends import get_backend
from qdn.console import OperatorCommand


class Command(OperatorCommand):
    help = "Leave a release that was pinned to prune again."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("release", metavar="RELEASE")

    def run(self, **options: Any) -> dict[str, Any]:
        release = Release.objects.named(options["release"])
        before = release.pinned
        if not options["dry_run"]:
            unpin(objects=get_backend().objects, release=release)
        self.summarise(
            f"{'Would leave' if options['dry_run'] else 'Leave'} {release} to prune again"
            if before
            else f"{release} is not pinned"
        )
        return {"release": release.name, "pinned": False, "before": before}
