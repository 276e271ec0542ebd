"""Checks of branch previews: their keys, and the site documents of what they show."""

from collections.abc import Iterator, Mapping

from deployments.models import BranchPreview, Environment
from deployments.routing.branch_previews import differing_keys
from deployments.routing.preview_hosts import preview_key
from deployments.routing.routes import read_document
from deployments.routing.sites import differing_site_keys
from deployments.verification.inspection import DOCTOR, Drift
from deployments.wording import plural
from edge.errors import EdgeError
from edge.protocols import Backend

REPAIR = "manage.py previews --repair"


def preview_drift(backend: Backend, environment: Environment) -> Iterator[Drift]:
    """Report the previews of an environment whose keys are missing, different or unknown.

    A key that names no environment is reported with the first one.
    """
    try:
        items = backend.keyvalues.items()
        for fault in (*_key_faults(items, environment), *_site_faults(backend, items, environment)):
            yield Drift("preview", fault, REPAIR)
    except EdgeError as error:
        yield Drift("no-answer", f"The back end does not answer: {error.message}", DOCTOR)


def _key_faults(items: Mapping[str, str], environment: Environment) -> Iterator[str]:
    names = list(Environment.objects.values_list("name", flat=True))
    branches = {preview_key(one.slug): one.branch for one in BranchPreview.objects.all()}
    for key, wanted in sorted(differing_keys(items).items()):
        document = read_document(wanted or items[key])
        named = document.environment if document else ""
        if (named if named in names else names[0]) == environment.name:
            yield _fault(key, items.get(key), wanted, branches.get(key, ""))


def _fault(key: str, stored: str | None, wanted: str | None, branch: str) -> str:
    if wanted is None:
        return f"{key} shows {_release(stored)}, but belongs to no branch"
    if stored is None:
        return f"{key} is missing; it shows the branch {branch}"
    if _release(stored) == _release(wanted):
        return f"{key} is not as the last push of {branch} left it"
    return f"{key} shows {_release(stored)}, the last push of {branch} {_release(wanted)}"


def _release(text: str | None) -> str:
    document = read_document(text)
    return document.release if document else "nothing readable"


def _site_faults(
    backend: Backend, items: Mapping[str, str], environment: Environment
) -> Iterator[str]:
    for preview in environment.branch_previews.select_related("release"):
        if wrong := sorted(differing_site_keys(backend, preview.release, items)):
            keys = plural(len(wrong), "key")
            yield f"{keys} of the site of {preview} are lost or wrong, first {wrong[0]}"
