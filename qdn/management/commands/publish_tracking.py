from typing import Any

from edge.backends import get_backend
from qdn.console import OperatorCommand
from tracking.publishing import publish_behind


class Command(OperatorCommand):
    help = "Publish every tracking document that is behind its job."

    def run(self, **options: Any) -> dict[str, int]:
        counts = publish_behind(objects=get_backend().objects, dry_run=options["dry_run"])
        prefix = "Would be: " if options["dry_run"] else ""
        self.summarise(prefix + ", ".join(f"{number} {name}" for name, number in counts.items()))
        return counts
