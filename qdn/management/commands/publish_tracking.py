from typing import Any

from edge.backends import get_backend
from qdn.console import OperatorCommand
from tracking.models import TrackingLink
from tracking.publishing import publish_behind


class Command(OperatorCommand):
    help = "Publish every tracking document that is behind its job."

    def run(self, **options: Any) -> dict[str, int]:
        if options["dry_run"]:
            behind = TrackingLink.objects.behind().count()
            self.summarise(f"{behind} documents are behind")
            return {"behind": behind}
        published = publish_behind(objects=get_backend().objects)
        counts = published.as_dict()
        self.summarise(", ".join(f"{number} {name}" for name, number in counts.items()))
        return counts
