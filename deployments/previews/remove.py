"""Removing branch previews: on request, and when they are old or too many."""

from collections.abc import Collection

from deployments.context import Caller
from deployments.errors import PartlyChanged
from deployments.models import BranchPreview
from deployments.previews.limits import PreviewLimits
from deployments.routing.branch_previews import settle
from deployments.wording import reason_of
from edge.errors import EdgeError
from edge.protocols import Backend


def remove_preview(
    backend: Backend, branch: str, caller: Caller, *, dry_run: bool = False
) -> BranchPreview:
    """End a branch's preview; return what it was. Its release stays until retention removes it.

    Raises Refused, ChangedMeanwhile, PartlyChanged.
    """
    preview: BranchPreview = BranchPreview.objects.of(branch)
    if not dry_run:
        caller.say(f"Remove the preview of {branch}")
        BranchPreview.objects.filter(pk=preview.pk).delete()
        settle_or_name_repair(backend, [preview.slug])
    return preview


def expire_previews(backend: Backend, caller: Caller) -> list[str]:
    """Remove previews that are old or too many; return their branches.

    One that is pushed at this moment stays. Raises Refused, ChangedMeanwhile, PartlyChanged.
    """
    over = PreviewLimits.from_settings().over()
    BranchPreview.objects.as_read(over).delete()
    left = set(BranchPreview.objects.values_list("pk", flat=True))
    gone = [one for one in over if one.pk not in left]
    for one in gone:
        caller.say(f"Remove the preview of {one}, pushed {one.pushed_at:%Y-%m-%d}")
    settle_or_name_repair(backend, [one.slug for one in gone])
    return [one.branch for one in gone]


def settle_or_name_repair(backend: Backend, slugs: Collection[str]) -> None:
    """Settle the keys of rows that have changed. Raises ChangedMeanwhile, PartlyChanged."""
    if not slugs:
        return
    try:
        settle(backend, slugs)
    except (EdgeError, KeyboardInterrupt) as error:
        raise PartlyChanged(
            "preview-behind",
            f"The change is recorded, but its addresses do not follow: {reason_of(error)}.",
            "Run: manage.py previews --repair",
        ) from error
