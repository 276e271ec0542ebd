from argparse import ArgumentParser
from typing import Any

from deployments.models import Release
from deployments.retention.pin import set_pinned
from edge.backends import get_backend
from qdn.console import OperatorCommand


class Command(OperatorCommand):
    help = "Keep a release: prune leaves it alone until it is unpinned."
    pinned = True

    def add_arguments(self, parser: ArgumentParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("release", metavar="RELEASE")

    def run(self, **options: Any) -> dict[str, Any]:
        release = Release.objects.named(options["release"])
        before, pinned = release.pinned, self.pinned
        if not options["dry_run"]:
            set_pinned(objects=get_backend().objects, release=release, pinned=pinned)
        if before == pinned:
            self.summarise(f"{release} is {'already' if pinned else 'not'} pinned")
        else:
            would = "would be" if options["dry_run"] else "is now"
            self.summarise(f"{release} {would} {'pinned' if pinned else 'unpinned'}")
        return {"release": release.name, "pinned": pinned, "before": before}
