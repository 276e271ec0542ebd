"""Repairing what viewers of branch previews get, as the rows say."""

from deployments.context import Caller
from deployments.models import BranchPreview
from deployments.routing.branch_previews import differing_keys, settle
from deployments.routing.sites import write_site
from edge.protocols import Backend


def repair_previews(backend: Backend, caller: Caller, *, dry_run: bool = False) -> list[str]:
    """Write lost and wrong keys of previews, remove unknown ones; return their names.

    Raises Refused, ChangedMeanwhile, EdgeError.
    """
    if dry_run:
        return sorted(differing_keys(backend.keyvalues.items()))
    for preview in BranchPreview.objects.select_related("release"):
        if written := write_site(backend, preview.release):
            caller.say(f"Write {written} keys of the site of {preview}")
    return settle(backend)
