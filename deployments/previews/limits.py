"""How long previews live, and how many there are."""

from dataclasses import dataclass

from django.conf import settings

from deployments.errors import Refused
from deployments.models import BranchPreview

MOST_DAYS = 3_650
MOST = 1_000


@dataclass(frozen=True, slots=True)
class PreviewLimits:
    """Previews end after `days` without a push, and the oldest when there are more than `count`."""

    days: int
    count: int

    @classmethod
    def from_settings(cls) -> "PreviewLimits":
        """Read the settings. Raises Refused if one is out of range."""
        days, count = settings.PREVIEW_DAYS, settings.PREVIEWS_AT_MOST
        _check("PREVIEW_DAYS", days, MOST_DAYS)
        _check("PREVIEWS_AT_MOST", count, MOST)
        return cls(days, count)

    def over(self) -> list[BranchPreview]:
        """Return the previews that have to go."""
        rows = BranchPreview.objects
        old = {one.pk: one for one in rows.without_push_for(self.days)}
        return [*old.values(), *(one for one in rows.all()[self.count :] if one.pk not in old)]


def _check(name: str, found: int, most: int) -> None:
    if not 1 <= found <= most:
        raise Refused(
            "preview-settings",
            f"{name} is {found}; expected 1 to {most}.",
            "Correct the setting: docs/reference/settings.md",
        )
