"""How far publishing is behind, read from the index of what is behind."""

from dataclasses import dataclass

from django.db.models import Count, Min
from django.db.models.functions import Coalesce

from edge.database_clock import database_now
from tracking.models import TrackingLink


@dataclass(frozen=True, slots=True)
class Backlog:
    """How many documents are behind, and for how many seconds the first of them has been."""

    behind: int
    seconds: float

    def __str__(self) -> str:
        if not self.behind:
            return "all are current"
        are = "is" if self.behind == 1 else "are"
        return f"{self.behind:,} {are} behind, the first for {self.seconds:,.0f} s"

    def as_json(self) -> dict[str, int]:
        """Return whole seconds; 0 if nothing is behind."""
        return {"behind": self.behind, "lag_seconds": int(self.seconds)}


def read_backlog() -> Backlog:
    """Return how far publishing is behind. Raises DatabaseError."""
    first = Min(Coalesce("revoked_at", "due_since"))
    found = TrackingLink.objects.behind().aggregate(behind=Count("pk"), first=first)
    since = found["first"]
    seconds = (database_now() - since).total_seconds() if since else 0
    return Backlog(found["behind"], max(seconds, 0))
