from argparse import ArgumentParser
from typing import Any

from deployments.models import Release
from deployments.retention.pin import pin
from edge.backends import get_backend
from qdn.console import OperatorCommand


class Command(OperatorCommand):
    help = "Keep a release for good: prune leaves it alone until it is unpinned."

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("release", metavar="RELEASE")

    def run(self, **options: Any) -> dict[str, Any]:
        release = Release.objects.named(options["release"])
        before = release.pinned
        if not options["dry_run"]:
            pin(objects=get_backend().objects, release=release)
        self.summarise(
            f"{release} is pinned already"
            if before
            else f"{'Would keep' if options['dry_run'] else 'Keep'} {release} until it is unpinned"
        )
        return {"release": release.name, "pinned": True, "before": before}
